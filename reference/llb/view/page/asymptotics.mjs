// Asymptotic CLs as in llb.runtime.asymptotics: q-tilde of eq. (16) of arXiv:1007.1727, its distributions of
// eqs. (64) to (66), and CLs = p_{s+b} / p_b, all in logarithms.

import { erfcx, logNdtr } from "./special.mjs";

/** The expected band: N standard deviations that background-only data fluctuate upwards. */
export const N_SIGMA = [-2, -1, 0, 1, 2];
const NO_POWER = 2.2250738585072014e-308;
const HUGE = 1e300;

/** q-tilde at mu, for a minimum over mu >= 0 that lies at `best`. */
export function qTilde(delta, lowest, mu, best) {
  const q = 2 * (delta - lowest);
  if (Number.isNaN(q)) return NaN;
  return mu >= best ? Math.min(Math.max(q, 0), HUGE) : 0;
}

/** ln CLs of observed data. */
export function logClsObserved(q, asimov) {
  if (Number.isNaN(q) || Number.isNaN(asimov)) return NaN;
  if (asimov < NO_POWER) return 0;
  const root = Math.sqrt(asimov);
  if (q <= asimov) return logNdtr(-Math.sqrt(q)) - logNdtr(Math.max(root - Math.sqrt(q), 0));
  const scale = Math.sqrt(8) * root;
  return Math.log(erfcx((q + asimov) / scale)) - Math.log(erfcx(Math.max(q - asimov, 0) / scale)) - 0.5 * q;
}

/** ln CLs of background-only data that fluctuate by N standard deviations. */
export function logClsExpected(asimov, sigmas) {
  const root = Math.sqrt(Math.max(asimov, 0));
  return logNdtr(sigmas - root) - logNdtr(sigmas);
}
