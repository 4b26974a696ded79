// The curves along mu * signal, sampled in few calls of the graph and splined, as in llb.runtime.profile and
// llb.runtime.refinement.

import { domainEdge } from "./domain.mjs";
import { Splines } from "./splines.mjs";

// Denser towards zero, where limits sit.
const START = Array.from({ length: 33 }, (_, at) => (at / 32) ** 2);
const START_NEGATIVE = Array.from({ length: 12 }, (_, at) => ((12 - at) / 12) ** 2);
const TOLERANCE = { float64: 1e-6, float32: 5e-5 };
const ROUNDS = 8;
const ASIMOV = ["observed_asimov", "apriori_asimov"];

/** Delta NLL of one signal as a function of mu. */
export class Ray {
  /** `isNumber` is false where the graph gives NaN or infinity: all values of the ray are NaN then. */
  constructor(model, { low, edge, scale, splines, isNumber }) {
    Object.assign(this, { model, low, edge, isNumber, scale });
    this.splines = splines;
  }

  static async along(model, signal) {
    const columns = (points) => model.columns(points);
    const opposite = signal.map((value) => -value);
    const edge = await domainEdge(model.domain, signal, columns);
    const low = edge === Infinity ? -Infinity : 0 - (await domainEdge(model.domain, opposite, columns));
    if (!(edge > 0)) return new Ray(model, { low, edge, scale: 1, isNumber: false });
    const scale = edge === Infinity ? 1 : edge;
    const ask = (places) => model.columns(places.map((t) => signal.map((value) => t * scale * value)));
    const sampled = await sample(ask, edge === Infinity ? 0 : low / scale, TOLERANCE[model.dtype]);
    const splines = sampled && new Splines(sampled.nodes, sampled.values, edge !== Infinity);
    return new Ray(model, { low, edge, scale, splines, isNumber: sampled !== undefined });
  }

  /** Delta NLL of a curve at mu, in NLL units; NaN of a curve that the bundle does not have. */
  at(curve, mu) {
    const column = this.model.column(curve);
    return column === undefined || !this.isNumber ? NaN : this.splines.at(column, mu / this.scale);
  }

  /** The best fit over mu >= 0 and Delta NLL there; on Asimov curves it is at mu = 0 by definition. */
  lowest(curve) {
    const column = this.model.column(curve);
    if (column === undefined || !this.isNumber) return { mu: NaN, value: NaN };
    if (ASIMOV.includes(curve)) return { mu: 0, value: this.at(curve, 0) };
    const { t, value } = this.splines.lowest(column);
    return { mu: t * this.scale, value };
  }
}

/** Nodes and values from `low` to 1; undefined where the graph gives NaN or infinity. */
async function sample(ask, low, tolerance) {
  let nodes = low < 0 ? [...START_NEGATIVE.map((share) => low * share), ...START] : START;
  let probes = nodes.slice(1).map((node, at) => (node + nodes[at]) / 2);
  const answers = await ask([...nodes, ...probes]);
  let values = answers.slice(0, nodes.length);
  let checks = probes.map((t, at) => ({ t, value: answers[nodes.length + at] }));
  const isFinite = () => [...values, ...checks.map(({ value }) => value)].flat().every(Number.isFinite);
  for (let round = 0; isFinite(); round += 1) {
    const splines = new Splines(nodes, values, true);
    const bad = checks.filter((check) => miss(splines, check) > tolerance);
    if (bad.length === 0 || round === ROUNDS - 1) return { nodes, values };
    const isBad = new Set(bad.map(({ t }) => t));
    checks = checks.filter(({ t }) => !isBad.has(t));
    const pairs = [...nodes.map((t, at) => ({ t, value: values[at] })), ...bad].sort((one, other) => one.t - other.t);
    nodes = pairs.map(({ t }) => t);
    values = pairs.map(({ value }) => value);
    const known = new Set(checks.map(({ t }) => t));
    const middles = nodes.flatMap((t, at) => (isBad.has(t) ? [(t + nodes[at - 1]) / 2, (t + nodes[at + 1]) / 2] : []));
    probes = [...new Set(middles)].filter((t) => !known.has(t));
    const found = await ask(probes);
    checks = [...checks, ...probes.map((t, at) => ({ t, value: found[at] }))];
  }
  return undefined;
}

/** |spline - graph| / max(1, |graph|) of the worst curve. */
function miss(splines, { t, value }) {
  return Math.max(...value.map((one, curve) => Math.abs(splines.at(curve, t) - one) / Math.max(1, Math.abs(one))));
}
