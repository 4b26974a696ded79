// The test vectors of a bundle, one group for each graph, if their document fits the manifest (VECTORS-2, -3, -7).

import { Fault } from "loader/fault.mjs";

/** The groups of a document; every misfit is told to `say` as code, pointer and message. */
export function groupsOf(model, document, say) {
  return model.manifest.family === "profile_likelihood" ? [curves(model, document, say)] : roles(model, document, say);
}

function curves(model, document, say) {
  const own = model.manifest.curves.filter((curve) => curve.alias_of === undefined);
  const names = own.sort((one, other) => one.column - other.column).map(({ name }) => name);
  const bins = model.bins.map(({ id }) => id);
  checkRepeats(document.cases, "cases", say);
  const rows = document.cases.map(({ name, signal, delta_nll: delta }, row) => ({
    name,
    point: picked(signal, bins, say, "LLB-M022", `cases/${row}/signal`),
    expected: picked(delta, names, say, "LLB-M023", `cases/${row}/delta_nll`),
  }));
  const isZero = ({ point }) => point.every((value) => value === 0);
  const zeros = rows.filter(isZero);
  if (zeros.length === 0) say("LLB-M024", "cases", "the zero signal is not among the cases");
  if (zeros.some(({ expected }) => expected.some((value) => value !== 0))) {
    say("LLB-M024", "cases", "Delta NLL of the zero signal is not 0");
  }
  return {
    place: "cases",
    names,
    rows,
    isZero,
    tolerance: document.tolerance.delta_nll,
    units: names.map(() => 1),
    ask: (some) => model.columns(some.map(({ point }) => point)),
    isInside: ({ point }, delta) => model.isInside(point, delta),
  };
}

/** The absolute part of the tolerance has the unit of VECTORS-8. */
function roles(model, document, say) {
  const names = model.parameters.map(({ name }) => name);
  const conditions = model.conditions.map(({ name }) => name);
  const width = model.domain.upper.map((upper, column) => upper - model.domain.lower[column]);
  const kinds = {
    log_prob: { place: "cases", names: ["log_prob"], units: [1], expected: ({ log_prob: value }) => [value] },
    score: { place: "cases", names, units: width.map((value) => 1 / value), key: "score" },
    sample: { place: "samples", names, units: width, key: "parameters" },
  };
  for (const place of ["cases", "samples"]) checkRepeats(document[place] ?? [], place, say);
  return Object.entries(kinds)
    .filter(([role]) => model.has(role))
    .map(([role, { key, expected, ...kind }]) => ({
      ...kind,
      tolerance: document.tolerance[role],
      rows: document[kind.place].map((row, at) => {
        const named = (what, wanted) => picked(row[what] ?? {}, wanted, say, "LLB-M051", `${kind.place}/${at}/${what}`);
        return {
          name: row.name,
          point: role === "sample" ? row.z : named("parameters", names),
          condition: named("condition", conditions),
          expected: expected?.(row) ?? named(key, names),
        };
      }),
      isZero: () => false,
      ask: async (some) => {
        const found = [];
        for (const { point, condition } of some) found.push(...(await model.rows(role, [point], condition)));
        return found;
      },
      isInside: ({ point, condition }) => role !== "log_prob" || model.isInside(point, condition),
    }));
}

function checkRepeats(rows, place, say) {
  const names = rows.map(({ name }) => name);
  if (new Set(names).size < names.length) say("LLB-M028", place, "two test vectors have one name");
}

/** The values in the order of the names, which have to be all that there are. */
function picked(values, names, say, code, place) {
  const missing = names.find((name) => typeof values[name] !== "number");
  const unknown = Object.keys(values).find((name) => !names.includes(name));
  if (missing !== undefined) say(code, place, `${missing} is missing`);
  if (unknown !== undefined) say(code, place, `${unknown} is unknown`);
  return names.map((name) => values[name]);
}

/** What says something about the document at a path; the faults come together in `faults`. */
export function speaker(faults, source) {
  return (code, place, message, numbers = {}) => {
    faults.push(Object.assign(new Fault("numerics", code, `${source}#/${place}`, message), numbers));
  };
}
