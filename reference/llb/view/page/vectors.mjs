// Whether the graphs give the bundle's test vectors (NUMERICS-1), alone as in a batch (NUMERICS-3), and exactly zero
// for the zero signal (NUMERICS-2).

import { parseStrictly } from "loader/strict_json.mjs";

import { groupsOf, speaker } from "./vector_groups.mjs";

const MAX_DOCUMENT = 256 * 2 ** 20;
const MAX_SINGLE = 64;

/** VECTORS-6: what is not finite, on either side, fails. */
function reproduces(got, expected, { absolute, relative }, unit) {
  return Number.isFinite(expected) && Math.abs(got - expected) <= absolute * unit + relative * Math.abs(expected);
}

/** The faults of a bundle's test vectors, how many there are, and how far the worst number is off. */
export async function checkVectors(model, { manifest, contents }) {
  const source = manifest.validation.vectors;
  const limits = { path: source, stage: "integrity", maxBytes: MAX_DOCUMENT };
  const document = parseStrictly(contents.get(source), limits);
  const faults = [];
  const say = speaker(faults, source);
  const groups = groupsOf(model, document, say);
  if (faults.length > 0) return { faults };
  let worst = 0;
  for (const group of groups) worst = Math.max(worst, await checkGroup(group, say));
  const count = groups.reduce((sum, { rows }) => sum + rows.length, 0);
  return { faults, count, worst };
}

/** Checks one graph; the largest difference, in the unit of the column. */
async function checkGroup({ place, rows, names, tolerance, units, ask, isZero, isInside }, say) {
  const got = await ask(rows);
  let worst = 0;
  for (const [at, row] of rows.entries()) {
    const where = `${place}/${at}`;
    const alone = at < MAX_SINGLE ? (await ask([row]))[0] : got[at];
    if (!isInside(row, got[at])) say("LLB-M025", where, `the test vector '${row.name}' lies outside the domain`);
    row.expected.forEach((expected, column) => {
      const [name, unit, value] = [names[column], units[column], got[at][column]];
      worst = Math.max(worst, Math.abs(value - expected) / unit);
      const isGood = isZero(row) ? value === expected : reproduces(value, expected, tolerance, unit);
      if (!isGood) {
        const within = `within ${tolerance.absolute} + ${tolerance.relative} of it`;
        const numbers = { expected: `${expected} ${within}`, actual: String(value) };
        say("LLB-N001", where, `${name} of the test vector '${row.name}' is not reproduced`, numbers);
      }
      const others = isZero(row) ? [value, alone[column]] : [];
      if (others.some((zero) => zero !== 0)) say("LLB-N002", where, `${name} of the zero signal is not exactly zero`);
      if (Number.isFinite(value) && !reproduces(alone[column], value, tolerance, unit)) {
        say("LLB-N003", where, `${name} of '${row.name}' differs in a batch and alone`);
      }
    });
  }
  return worst;
}
