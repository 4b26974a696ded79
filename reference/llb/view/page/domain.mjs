// Where a graph may be trusted, and how far along a ray that is, as in llb.runtime.domain.

import { Bracket } from "./roots.mjs";

const PROBES = Array.from({ length: 16 }, (_, at) => ((at + 1) / 16) ** 3);
const EDGE_PRECISION = 1e-4;

/** Which coordinates of a point are outside of the box of the domain; NaN is outside. */
export function outsideOf({ lower, upper }, point) {
  return point.map((value, column) => !(value >= lower[column] && value <= upper[column]));
}

/** Whether a point is in the box of the domain. */
export function inBox(domain, point) {
  return !outsideOf(domain, point).includes(true);
}

/**
 * The largest mu >= 0 up to which mu * direction stays in the domain: infinity for the zero signal, 0 where the first
 * step leaves the box. `columns` gives Delta NLL by column of several points.
 */
export async function domainEdge(domain, direction, columns) {
  const edge = boxEdge(domain, direction);
  if (domain.truncation === undefined || !(edge > 0 && edge < Infinity)) return edge;
  const excess = async (strengths) => {
    const found = await columns(strengths.map((mu) => direction.map((value) => mu * value)));
    return found.map((row) => Math.max(...row) - domain.truncation.delta_nll_max);
  };
  const probes = PROBES.map((share) => edge * share);
  const first = (await excess(probes)).findIndex((value) => value > 0);
  if (first < 0) return edge;
  const ends = [first === 0 ? 0 : probes[first - 1], probes[first]];
  const [low, high] = await excess(ends);
  const bracket = new Bracket([ends[0], low], [ends[1], high], { relative: EDGE_PRECISION / 4 });
  while (!bracket.isDone) bracket.take((await excess([bracket.next]))[0]);
  return bracket.lower;
}

function boxEdge({ lower, upper }, direction) {
  const steps = direction.map((value, column) => {
    if (value > 0) return upper[column] / value;
    return value < 0 ? lower[column] / value : Infinity;
  });
  return Math.max(Math.min(...steps), 0);
}
