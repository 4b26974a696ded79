// Whether the graphs give the bundle's test vectors (VECTORS, NUMERICS-1), and an exact zero for the zero signal.

import { Fault } from "loader/fault.mjs";
import { parseStrictly } from "loader/strict_json.mjs";

const MAX_DOCUMENT = 256 * 2 ** 20;

/** VECTORS-6: what is not finite, on either side, fails. */
function reproduces(got, expected, { absolute, relative }, unit = 1) {
  return Number.isFinite(expected) && Math.abs(got - expected) <= absolute * unit + relative * Math.abs(expected);
}

/** The faults of a bundle's test vectors, how many there are, and how far the worst number is off. */
export async function checkVectors(model, { manifest, contents }) {
  const source = manifest.validation.vectors;
  const limits = { path: source, stage: "integrity", maxBytes: MAX_DOCUMENT };
  const document = parseStrictly(contents.get(source), limits);
  const groups = manifest.family === "profile_likelihood" ? [curves(model, document)] : roles(model, document);
  const faults = [];
  let worst = 0;
  let count = 0;
  for (const { place, rows, names, tolerance, units, ask, isExact, isInside } of groups) {
    const got = await ask(rows);
    count += rows.length;
    rows.forEach(({ name, expected }, row) => {
      const pointer = `${source}#/${place}/${row}`;
      const say = (code, message, numbers = {}) => {
        faults.push(Object.assign(new Fault("numerics", code, pointer, message), numbers));
      };
      if (!isInside(rows[row], got[row])) say("LLB-M025", `the test vector '${name}' lies outside the domain`);
      expected.forEach((wanted, column) => {
        const value = got[row][column];
        worst = Math.max(worst, Math.abs(value - wanted) / (units?.[column] ?? 1));
        const isGood = isExact(rows[row]) ? value === wanted : reproduces(value, wanted, tolerance, units?.[column]);
        if (isGood) return;
        const message = `${names[column]} of the test vector '${name}' is not reproduced`;
        const within = `within ${tolerance.absolute} + ${tolerance.relative} of it`;
        say("LLB-N001", message, { expected: `${wanted} ${within}`, actual: String(value) });
        if (isExact(rows[row]) && value !== 0) {
          say("LLB-N002", `${names[column]} of the zero signal is not exactly zero`, { actual: String(value) });
        }
      });
    });
  }
  return { faults, count, worst };
}

function curves(model, document) {
  const own = model.manifest.curves.filter((curve) => curve.alias_of === undefined);
  const names = own.sort((one, other) => one.column - other.column).map(({ name }) => name);
  return {
    place: "cases",
    names,
    tolerance: document.tolerance.delta_nll,
    rows: document.cases.map(({ name, signal, delta_nll: delta }) => {
      return {
        name,
        point: picked(
          signal,
          model.bins.map(({ id }) => id),
        ),
        expected: picked(delta, names),
      };
    }),
    ask: (rows) => model.columns(rows.map(({ point }) => point)),
    isExact: ({ point }) => point.every((value) => value === 0),
    isInside: ({ point }, delta) => model.isInside(point, delta),
  };
}

/** One group for each graph of a density; the absolute part of the tolerance has the unit of VECTORS-8. */
function roles(model, document) {
  const names = model.parameters.map(({ name }) => name);
  const width = model.domain.upper.map((upper, column) => upper - model.domain.lower[column]);
  const kinds = {
    log_prob: { place: "cases", names: ["log_prob"], units: [1], given: "parameters" },
    score: { place: "cases", names, units: width.map((value) => 1 / value), given: "parameters" },
    sample: { place: "samples", names, units: width },
  };
  return Object.entries(kinds)
    .filter(([role]) => model.has(role))
    .map(([role, { given, ...kind }]) => {
      const wanted = role === "sample" ? "parameters" : role;
      return {
        ...kind,
        tolerance: document.tolerance[role],
        rows: document[kind.place].map((row) => ({
          name: row.name,
          point: given === undefined ? row.z : picked(row[given], names),
          condition: picked(
            row.condition ?? {},
            model.conditions.map(({ name }) => name),
          ),
          expected: role === "log_prob" ? [row.log_prob] : picked(row[wanted], names),
        })),
        ask: async (rows) => {
          const found = [];
          for (const { point, condition } of rows) found.push(...(await model.rows(role, [point], condition)));
          return found;
        },
        isExact: () => false,
        isInside: ({ point, condition }) => role !== "log_prob" || model.isInside(point, condition),
      };
    });
}

function picked(values, names) {
  return names.map((name) => {
    if (typeof values[name] !== "number") throw new TypeError(`there is no number for ${name}`);
    return values[name];
  });
}
