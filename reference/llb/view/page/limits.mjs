// CLs at a signal strength and upper limits on it, observed and expected, as in llb.runtime.exclusion.

import { N_SIGMA, logClsExpected, logClsObserved, qTilde } from "./asymptotics.mjs";
import { Bracket } from "./roots.mjs";

const PRECISION = 1e-10;

/** Where limits are looked for, in units of the edge of the domain: CLs falls from 1 towards 0 along the ray. */
const GRID = [
  ...spaced(25, (share) => 10 ** (-15 + 12 * share)),
  ...spaced(97, (share) => (0.04 + 0.96 * share) ** 2),
  ...spaced(33, (share) => 10 ** (8 * share)).slice(1),
];

function spaced(count, place) {
  return Array.from({ length: count }, (_, at) => place(at / (count - 1)));
}

/** The curve that an expected band is made of. */
export const BANDS = { expected: "observed_asimov", apriori: "apriori_asimov" };

/** What can be said of one ray at one confidence level. */
export class Exclusion {
  #ray;
  #target;

  constructor(ray, level = 0.95) {
    this.#ray = ray;
    this.#target = Math.log1p(-level);
    this.best = ray.lowest("observed");
  }

  /** CLs of the observed data at mu > 0. */
  observed(mu) {
    return Math.exp(this.#observed(mu));
  }

  /** The five CLs of a band, smallest first. */
  band(name, mu) {
    return N_SIGMA.map((sigmas) => Math.exp(this.#expected(name, sigmas, mu)));
  }

  /** The observed upper limit: infinity where no mu is excluded, NaN where there is no number. */
  get upperLimit() {
    return this.#limit((mu) => this.#observed(mu));
  }

  /** The five upper limits of a band, smallest first. */
  upperLimits(name) {
    return N_SIGMA.map((sigmas) => this.#limit((mu) => this.#expected(name, sigmas, mu)));
  }

  #observed(mu) {
    const q = qTilde(this.#ray.at("observed", mu), this.best.value, mu, this.best.mu);
    return logClsObserved(q, this.#asimov("expected", mu));
  }

  #expected(name, sigmas, mu) {
    return logClsExpected(this.#asimov(name, mu), sigmas);
  }

  #asimov(name, mu) {
    return qTilde(this.#ray.at(BANDS[name], mu), 0, mu, 0);
  }

  #limit(logCls) {
    const places = GRID.map((share) => this.#ray.scale * share);
    const values = places.map(logCls);
    if (values.some(Number.isNaN)) return NaN;
    // The last crossing: if a rippled curve crosses more than once, only what lies above all is excluded.
    const last = values.findLastIndex((value) => value > this.#target);
    if (last < 0) return 0;
    if (last === places.length - 1) return Infinity;
    const end = (at) => [Math.log(places[at]), logCls(Math.exp(Math.log(places[at]))) - this.#target];
    const bracket = new Bracket(end(last), end(last + 1), { absolute: PRECISION });
    while (!bracket.isDone) bracket.take(logCls(Math.exp(bracket.next)) - this.#target);
    return Math.exp(bracket.best.x);
  }
}
