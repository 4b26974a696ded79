// A zip archive by its table of contents, in memory and within the limits of the format (CONTAINER-3 to CONTAINER-5).

import { Fault } from "loader/fault.mjs";
import { isAllowed } from "loader/paths.mjs";

import { crc32 } from "./crc32.mjs";

const END = 0x06054b50;
const ENTRY = 0x02014b50;
const LOCAL = 0x04034b50;
const [STORED, DEFLATED] = [0, 8];
const MAX_COMMENT = 0xffff;
const MAX_MEMBERS = 1000;
const MAX_FILE = 512 * 2 ** 20;
const MAX_ALL = 2 ** 30;
const [MAX_RATIO, RATIO_FLOOR] = [200, 2 ** 20];
const [UNIX_TYPE, UNIX_FILE, UNIX_FOLDER] = [0o170000, 0o100000, 0o040000];

function refuse(code, pointer, message) {
  throw new Fault("archive", code, pointer, message);
}

/** The contents of all files by path. */
export async function readZip(bytes) {
  if (bytes.length > MAX_ALL) refuse("LLB-A008", "", "the archive is too large");
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const entries = readTable(bytes, view);
  checkEntries(entries);
  const contents = new Map();
  for (const entry of entries.filter(({ isFolder }) => !isFolder)) {
    contents.set(entry.path, await readFile(bytes, view, entry));
  }
  return contents;
}

function readTable(bytes, view) {
  try {
    return entriesOf(bytes, view);
  } catch (error) {
    if (error instanceof Fault) throw error;
    return refuse("LLB-A002", "", "the zip archive ends too early");
  }
}

function entriesOf(bytes, view) {
  let end = bytes.length - 22;
  while (end >= 0 && end > bytes.length - 22 - MAX_COMMENT && view.getUint32(end, true) !== END) end -= 1;
  if (end < 0 || view.getUint32(end, true) !== END) {
    refuse("LLB-A002", "", "the zip archive has no table of contents");
  }
  const count = view.getUint16(end + 10, true);
  if (count > MAX_MEMBERS) refuse("LLB-A007", "", "the archive has too many entries");
  const table = view.getUint32(end + 16, true);
  let at = table;
  const entries = Array.from({ length: count }, () => {
    if (view.getUint32(at, true) !== ENTRY) refuse("LLB-A002", "", "the table of contents is damaged");
    const [name, extra, comment] = [28, 30, 32].map((offset) => view.getUint16(at + offset, true));
    const written = bytes.subarray(at + 46, at + 46 + name);
    const path = new TextDecoder().decode(written);
    const entry = {
      path,
      name: written,
      isFolder: path.endsWith("/"),
      isEncrypted: (view.getUint16(at + 8, true) & 1) !== 0,
      method: view.getUint16(at + 10, true),
      checksum: view.getUint32(at + 16, true),
      packed: view.getUint32(at + 20, true),
      size: view.getUint32(at + 24, true),
      type: (view.getUint32(at + 38, true) >>> 16) & UNIX_TYPE,
      start: view.getUint32(at + 42, true),
    };
    at += 46 + name + extra + comment;
    return entry;
  });
  // A file ends before the next one begins, and the last one before the table.
  const starts = [...entries.map(({ start }) => start), table].sort((one, other) => one - other);
  return entries.map((entry) => ({ ...entry, end: starts.find((start) => start > entry.start) ?? table }));
}

function checkEntries(entries) {
  const seen = new Set();
  let total = 0;
  for (const { path, isFolder, isEncrypted, method, packed, size, type } of entries) {
    if (!isAllowed(isFolder ? path.slice(0, -1) : path))
      refuse("LLB-A004", path, "the path is not allowed in a bundle");
    if (![0, isFolder ? UNIX_FOLDER : UNIX_FILE].includes(type)) refuse("LLB-A005", path, "a link or special file");
    if (seen.has(path.toLowerCase())) refuse("LLB-A006", path, "two paths differ in case only");
    seen.add(path.toLowerCase());
    total += size;
    if (size > MAX_FILE || total > MAX_ALL) refuse("LLB-A008", path, "the bundle is too large");
    if (isEncrypted) refuse("LLB-A003", path, "the file is encrypted");
    if (method !== STORED && method !== DEFLATED) refuse("LLB-A011", path, `the file is packed by method ${method}`);
    if (size > RATIO_FLOOR && size > MAX_RATIO * Math.max(packed, 1)) {
      refuse("LLB-A009", path, "the file grows too much when it is unpacked");
    }
  }
}

async function readFile(bytes, view, { path, name, start, end, packed, size, method, checksum }) {
  const first = dataOf(bytes, view, name, start);
  if (first === undefined) refuse("LLB-A002", path, "the file is not where the archive says");
  if (first + packed > end) refuse("LLB-A002", path, "the file overlaps with what follows it");
  const data = bytes.subarray(first, first + packed);
  const content = method === STORED ? data : await inflate(data, size, path);
  if (content.length !== size) refuse("LLB-A002", path, "the file does not have the size that the archive states");
  if (crc32(content) !== checksum) refuse("LLB-A002", path, "the file does not have the checksum of the archive");
  return content;
}

/** Where the data of a file begin: after a header that has its name again. */
function dataOf(bytes, view, name, start) {
  if (start + 30 > bytes.length || view.getUint32(start, true) !== LOCAL) return undefined;
  const [length, extra] = [26, 28].map((offset) => view.getUint16(start + offset, true));
  const again = bytes.subarray(start + 30, start + 30 + length);
  const isSame = length === name.length && again.every((byte, at) => byte === name[at]);
  return isSame ? start + 30 + length + extra : undefined;
}

/** Unpacked bytes, of which no more are taken than were stated. */
async function inflate(data, size, path) {
  const content = new Uint8Array(size);
  let length = 0;
  try {
    const reader = new Blob([data]).stream().pipeThrough(new DecompressionStream("deflate-raw")).getReader();
    for (let part = await reader.read(); !part.done; part = await reader.read()) {
      length += part.value.length;
      if (length > size) {
        await reader.cancel();
        break;
      }
      content.set(part.value, length - part.value.length);
    }
  } catch {
    refuse("LLB-A002", path, "the file cannot be unpacked");
  }
  if (length !== size) refuse("LLB-A002", path, "the file does not have the size that the archive states");
  return content;
}
