// A bundle as a directory: which files it has, and whether they are those of its manifest (CONTAINER, INTEGRITY).

import { createHash } from "node:crypto";
import { closeSync, constants, fstatSync, lstatSync, openSync } from "node:fs";
import { readdirSync, readFileSync, readSync, statSync } from "node:fs";
import { join } from "node:path";

import { Fault } from "./fault.mjs";
import { MANIFEST, readManifest } from "./manifest.mjs";
import { isAllowed } from "./paths.mjs";

const MAX_ENTRIES = 10_000;
const MAX_FILE = 512 * 2 ** 20;
const MAX_ALL = 2 ** 30;

/** The directory is not one, but an archive, which this loader does not open. */
export class ArchiveError extends Error {}

/** The manifest of a bundle, and the contents of the graphs and test vectors by path. */
export function readBundle(root) {
  checkRoot(root);
  const found = walk(root);
  if (!found.includes(MANIFEST)) refuse("archive", "LLB-A010", "", `there is no ${MANIFEST} at the root`);
  const manifest = readManifest(read(root, MANIFEST));
  const missing = manifest.files.find(({ path }) => !found.includes(path));
  if (missing !== undefined) refuse("integrity", "LLB-I003", missing.path, "a listed file is missing");
  const listed = new Set([MANIFEST, ...manifest.files.map(({ path }) => path)]);
  const stray = found.find((path) => !listed.has(path));
  if (stray !== undefined) refuse("integrity", "LLB-I004", stray, "the file is not listed");
  const contents = new Map();
  for (const { path, bytes, sha256, role } of manifest.files) {
    const data = read(root, path);
    if (data.length !== bytes) refuse("integrity", "LLB-I002", path, "the size differs from the manifest");
    const digest = createHash("sha256").update(data).digest("hex");
    if (digest !== sha256) refuse("integrity", "LLB-I001", path, "the digest differs from the manifest");
    // The bytes that were checked are those that are used: nothing is read twice.
    if (role === "graph" || role === "vectors") contents.set(path, data);
  }
  return { manifest, contents };
}

function refuse(stage, code, pointer, message) {
  throw new Fault(stage, code, pointer, message);
}

function checkRoot(root) {
  const status = statSync(root, { throwIfNoEntry: false });
  if (status?.isDirectory()) return;
  if (status?.isFile()) {
    const start = Buffer.alloc(2);
    const file = openSync(root, "r");
    readSync(file, start);
    closeSync(file);
    if (["504b", "1f8b"].includes(start.toString("hex"))) throw new ArchiveError();
  }
  refuse("archive", "LLB-A001", "", "the path is not a bundle");
}

/** The paths of all files, in no order; links are not followed but refused. */
function walk(root) {
  const files = [];
  let entries = 0;
  let total = 0;
  const folders = [""];
  while (folders.length > 0) {
    const folder = folders.pop();
    for (const entry of readdirSync(join(root, folder), { withFileTypes: true })) {
      const path = folder + entry.name;
      entries += 1;
      if (entries > MAX_ENTRIES) refuse("archive", "LLB-A007", "", "the directory has too many entries");
      if (!isAllowed(path)) refuse("archive", "LLB-A004", path, "the path is not allowed in a bundle");
      if (entry.isDirectory()) {
        folders.push(`${path}/`);
      } else if (entry.isFile()) {
        files.push(path);
        const { size } = lstatSync(join(root, path));
        total += size;
        if (size > MAX_FILE || total > MAX_ALL) refuse("archive", "LLB-A008", path, "the bundle is too large");
      } else {
        refuse("archive", "LLB-A005", path, "a link or special file");
      }
    }
  }
  const seen = new Set();
  for (const path of files) {
    if (seen.has(path.toLowerCase())) refuse("archive", "LLB-A006", path, "two paths differ in case only");
    seen.add(path.toLowerCase());
  }
  return files;
}

function read(root, path) {
  // Not through a link that came after the walk, nor waiting for a pipe.
  const flags = constants.O_RDONLY | (constants.O_NOFOLLOW ?? 0) | (constants.O_NONBLOCK ?? 0);
  const file = openSync(join(root, path), flags);
  try {
    const status = fstatSync(file);
    if (!status.isFile()) refuse("archive", "LLB-A005", path, "a link or special file");
    if (status.size > MAX_FILE) refuse("archive", "LLB-A008", path, "the file is too large");
    return readFileSync(file);
  } finally {
    closeSync(file);
  }
}
