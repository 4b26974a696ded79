// A bundle from the bytes of its archive: the manifest, and whether the files are those that it lists (INTEGRITY).

import { Fault } from "loader/fault.mjs";
import { parseStrictly } from "loader/strict_json.mjs";

import { readZip } from "./zip.mjs";

const MANIFEST = "manifest.json";
const MAX_MANIFEST = 4 * 2 ** 20;
const ZIP = [0x504b0304, 0x504b0506];
const GZIP = 0x1f8b;

/** Files of a bundle, its manifest as it is written, and what is wrong with the list of files. */
export async function readBundle(bytes) {
  const start = bytes.length < 4 ? 0 : new DataView(bytes.buffer, bytes.byteOffset).getUint32(0);
  if (start >>> 16 === GZIP) throw new Fault("archive", "LLB-V004", "", "a tar.gz is not read in the browser");
  if (!ZIP.includes(start)) throw new Fault("archive", "LLB-A001", "", "the file is not a zip archive");
  const contents = await readZip(bytes);
  if (!contents.has(MANIFEST)) throw new Fault("archive", "LLB-A010", "", `there is no ${MANIFEST} at the root`);
  const limits = { path: MANIFEST, stage: "archive", maxBytes: MAX_MANIFEST };
  const manifest = parseStrictly(contents.get(MANIFEST), limits);
  return { manifest, contents };
}

/** All faults of the closed list of files: missing, not listed, of another size, of another digest. */
export async function integrityFaults({ manifest, contents }) {
  const faults = [];
  const say = (code, path, message, expected, actual) => {
    faults.push(Object.assign(new Fault("integrity", code, path, message), { expected, actual }));
  };
  const listed = new Set([MANIFEST, ...manifest.files.map(({ path }) => path)]);
  for (const path of contents.keys()) {
    if (!listed.has(path)) say("LLB-I004", path, `${path} is not listed in the manifest`);
  }
  for (const { path, bytes, sha256 } of manifest.files) {
    const data = contents.get(path);
    if (data === undefined) say("LLB-I003", path, `${path} is listed but missing`);
    else if (data.length !== bytes) {
      say("LLB-I002", path, `the size of ${path} differs from the manifest`, `${bytes} bytes`, `${data.length} bytes`);
    } else {
      const digest = await digestOf(data);
      if (digest !== sha256) say("LLB-I001", path, `the digest of ${path} differs from the manifest`, sha256, digest);
    }
  }
  return faults;
}

async function digestOf(data) {
  const digest = await crypto.subtle.digest("SHA-256", data);
  return Array.from(new Uint8Array(digest), (byte) => byte.toString(16).padStart(2, "0")).join("");
}
