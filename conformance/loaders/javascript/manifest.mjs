// The meaning of a manifest that follows its schema: whether its parts fit together (sections 1 and 4 to 12).

import { checkDocument } from "./document.mjs";
import { Fault } from "./fault.mjs";
import { isAllowed } from "./paths.mjs";
import { parseStrictly } from "./strict_json.mjs";

export const MANIFEST = "manifest.json";
const MAX_BYTES = 4 * 2 ** 20;

/** The manifest, checked by itself. */
export function readManifest(bytes) {
  const manifest = parseStrictly(bytes, { path: MANIFEST, stage: "archive", maxBytes: MAX_BYTES });
  checkDocument(manifest, { kind: "manifest", format: "llb", stage: "manifest" });
  for (const check of [checkInputs, checkCurves, checkDomain, checkGraphs, checkUncertainty, checkPaths]) {
    check(manifest, (code, pointer, message) => {
      throw new Fault("manifest", code, pointer, message);
    });
  }
  return manifest;
}

/** The curves that have a column of their own, by column. */
export function ownCurves({ curves }) {
  return curves.filter((curve) => curve.alias_of === undefined).sort((one, other) => one.column - other.column);
}

function isNumbered(columns) {
  return new Set(columns).size === columns.length && columns.every((column) => column < columns.length);
}

function hasRepeats(items) {
  return new Set(items).size < items.length;
}

function checkInputs({ inputs, teacher }, refuse) {
  const channels = new Map(teacher.channels.map(({ name, bins }) => [name, bins]));
  if (channels.size < teacher.channels.length) {
    refuse("LLB-M043", "/teacher/channels", "two channels of the teacher have one name");
  }
  if (hasRepeats(inputs.map(({ id }) => id))) refuse("LLB-M002", "/inputs", "two inputs have one id");
  const counts = new Map();
  inputs.forEach(({ id, channel, index, observed }, row) => {
    const place = `/inputs/${row}`;
    if (id !== `${channel}[${index}]`) refuse("LLB-M001", `${place}/id`, `${id} is not <channel>[<index>]`);
    if (!channels.has(channel)) refuse("LLB-M020", `${place}/channel`, `the teacher has no channel ${channel}`);
    if (index >= channels.get(channel)) refuse("LLB-M020", `${place}/index`, `the teacher has no bin ${id}`);
    if (!Number.isInteger(observed)) refuse("LLB-M031", `${place}/observed`, "a count is not an integer");
    counts.set(channel, (counts.get(channel) ?? 0) + 1);
  });
  if (!isNumbered(inputs.map(({ column }) => column))) {
    refuse("LLB-M003", "/inputs", "the columns of the inputs are not 0 to n-1, each once");
  }
  // No id is there twice, so that a gap shows as an index that the count does not reach.
  const gap = inputs.find(({ channel, index }) => index >= counts.get(channel));
  if (gap !== undefined) refuse("LLB-M004", "/inputs", `a bin before ${gap.id} is missing`);
}

function checkCurves({ inputs, curves, validation }, refuse) {
  const names = curves.map(({ name }) => name);
  if (hasRepeats(names)) refuse("LLB-M005", "/curves", "two curves have one name");
  if (!names.includes("observed")) refuse("LLB-M012", "/curves", "there is no curve of the observed data");
  const own = ownCurves({ curves });
  if (!isNumbered(own.map(({ column }) => column))) {
    refuse("LLB-M006", "/curves", "the columns of the curves are not 0 to n-1, each once");
  }
  const parts = ({ data }) => JSON.stringify(data.auxiliary.map(({ name, values }) => [name, values.length]));
  curves.forEach((curve, row) => {
    const place = `/curves/${row}`;
    if (curve.alias_of !== undefined) {
      const target = own.find(({ name }) => name === curve.alias_of);
      if (target === undefined) refuse("LLB-M007", `${place}/alias_of`, "an alias of no curve of its own");
      if (target.column !== curve.column) refuse("LLB-M007", `${place}/column`, "not the column of its target");
    }
    const { main } = curve.data;
    if (main.length !== inputs.length) refuse("LLB-M010", `${place}/data/main`, "not one number per input");
    const other = inputs.find(({ column, observed }) => main[column] !== observed);
    if (curve.name === "observed" && other !== undefined) {
      refuse("LLB-M011", `${place}/data/main/${other.column}`, `not the observed count of ${other.id}`);
    }
    if (parts(curve) !== parts(curves[0])) {
      refuse("LLB-M029", `${place}/data/auxiliary`, "not the parts of the other curves");
    }
  });
  const metric = validation.metrics.findIndex(({ curve }) => !names.includes(curve));
  if (metric >= 0) refuse("LLB-M019", `/validation/metrics/${metric}/curve`, "there is no such curve");
}

function checkDomain({ inputs, domain }, refuse) {
  for (const side of ["lower", "upper"]) {
    if (domain[side].length !== inputs.length) refuse("LLB-M008", `/domain/${side}`, "not one per input");
  }
  domain.lower.forEach((lower, column) => {
    const upper = domain.upper[column];
    if (lower > 0) refuse("LLB-M009", `/domain/lower/${column}`, "the zero signal is outside");
    if (upper < 0 || lower === upper) refuse("LLB-M009", `/domain/upper/${column}`, "not above the lower edge");
  });
}

function checkGraphs({ inputs, curves, graphs }, refuse) {
  const roles = graphs.map(({ role }) => role);
  if (!roles.includes("delta_nll") || hasRepeats(roles)) {
    refuse("LLB-M017", "/graphs", "not exactly one graph of role delta_nll, and at most one of the other");
  }
  const width = ownCurves({ curves }).length;
  graphs.forEach(({ input, outputs }, row) => {
    const place = `/graphs/${row}`;
    if (input.shape[1] !== inputs.length) refuse("LLB-M018", `${place}/input/shape`, "not one column per input");
    const wrong = outputs.findIndex(({ shape }) => shape[1] !== width);
    if (wrong >= 0) refuse("LLB-M018", `${place}/outputs/${wrong}/shape`, "not one column per curve");
  });
}

function checkUncertainty({ curves, graphs, uncertainty }, refuse) {
  const { kind, output, coverage } = uncertainty;
  if (kind === "none") {
    if (Object.keys(uncertainty).length > 1) refuse("LLB-M021", "/uncertainty", "no error, and yet other keys");
    return;
  }
  const [first, ...further] = graphs.find(({ role }) => role === "delta_nll").outputs;
  const stated = further.find(({ name }) => name === output);
  if (stated === undefined) refuse("LLB-M021", "/uncertainty/output", "no further output of the graph");
  if (stated.dtype !== first.dtype) refuse("LLB-M041", "/uncertainty/output", "not the type of the first output");
  const own = ownCurves({ curves }).map(({ name }) => name);
  const covered = coverage.map(({ curve }) => curve);
  const wrong = covered.findIndex((curve, row) => !own.includes(curve) || covered.indexOf(curve) < row);
  if (wrong >= 0) refuse("LLB-M042", `/uncertainty/coverage/${wrong}/curve`, "an alias, or there twice");
}

function checkPaths({ files, graphs, validation, provenance }, refuse) {
  const seen = new Set([MANIFEST]);
  files.forEach(({ path }, row) => {
    const place = `/files/${row}/path`;
    if (path === MANIFEST) refuse("LLB-I005", place, "the manifest lists itself");
    if (!isAllowed(path)) refuse("LLB-M016", place, "the path is not allowed in a bundle");
    if (seen.has(path.toLowerCase())) refuse("LLB-M016", place, "the path is listed twice");
    seen.add(path.toLowerCase());
  });
  const used = [
    ...graphs.map(({ path }, row) => [`/graphs/${row}/path`, path, "graph"]),
    ["/validation/vectors", validation.vectors, "vectors"],
    ["/validation/heldout", validation.heldout, "heldout"],
    ["/validation/benchmarks", validation.benchmarks, "benchmarks"],
    ["/provenance/labels", provenance.labels, "provenance"],
    ["/provenance/training", provenance.training, "provenance"],
  ];
  for (const [place, path, role] of used.filter(([, path]) => path !== undefined)) {
    const entry = files.find((file) => file.path === path);
    if (entry === undefined) refuse("LLB-M014", place, `${path} is not in the list of files`);
    if (entry.role !== role) refuse("LLB-M015", place, `${path} is listed under another role`);
  }
}
