// What is checked of a bundle that somebody hands in: its archive, its files, its graphs and its test vectors.

import { Fault } from "loader/fault.mjs";

import { integrityFaults, readBundle } from "./bundle.mjs";
import { openModel } from "./model.mjs";
import { shown } from "./dom.mjs";
import { checkVectors } from "./vectors.mjs";

/** All faults of a file, with the open model where there is one; `say` is told in words what has passed. */
export async function inspect(file, say) {
  let bytes;
  try {
    bytes = new Uint8Array(await file.arrayBuffer());
  } catch {
    // What a browser says of a folder.
    throw new Fault("archive", "LLB-V004", file.name, "the file cannot be read, or is a folder");
  }
  const bundle = await readBundle(bytes);
  say(`archive: ${bundle.contents.size} files, ${Math.ceil(bytes.length / 1000)} kB`);
  const faults = await integrityFaults(bundle);
  if (faults.length > 0) return { faults };
  say(`integrity: sizes and SHA-256 of ${bundle.manifest.files.length} files agree with the manifest`);
  const model = await openModel(bundle);
  const { faults: wrong, count, worst } = await checkVectors(model, bundle);
  if (wrong.length === 0) {
    say(`numbers: ${count} test vectors reproduced, the worst to ${shown(worst, 2)}`);
    say("schema, tables and claims are for llb validate");
  }
  return { faults: wrong, bundle, model };
}

/** The faults in an error: all but those of our own come from a document that is not as it has to be. */
export function faultsOf(error) {
  if (error instanceof Fault) return [error];
  return [new Fault("manifest", "LLB-V003", "manifest.json", `the page cannot use the manifest: ${error.message}`)];
}
