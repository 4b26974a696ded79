// Which paths a file of a bundle may have (CONTAINER-3).

const PART = /^[A-Za-z0-9_+=,@-]([A-Za-z0-9._+=,@-]*[A-Za-z0-9_+=,@-])?$/;
const DEVICE = /^(con|prn|aux|nul|com[0-9]|lpt[0-9])(\.|$)/i;

/** Whether a path is safe and the same on every system. */
export function isAllowed(path) {
  return path.length <= 200 && path.split("/").every((part) => PART.test(part) && !DEVICE.test(part));
}
