// The tails of the normal distribution in double precision.

const HALF_TERMS = 60;

/** exp(x^2) erfc(x): where erfc underflows it still has all its digits. */
export function erfcx(x) {
  if (x < 0) return x < -26.7 ? Infinity : 2 * Math.exp(x * x) - erfcx(-x);
  if (x < 2) return Math.exp(x * x) - series(x);
  // Laplace's continued fraction: x + (1/2)/(x + 1/(x + (3/2)/(x + ...))).
  let rest = x;
  for (let term = HALF_TERMS; term > 0; term -= 1) rest = x + term / 2 / rest;
  return 1 / (rest * Math.sqrt(Math.PI));
}

/** exp(x^2) erf(x), by a series whose terms are all positive. */
function series(x) {
  let term = (2 * x) / Math.sqrt(Math.PI);
  let sum = term;
  for (let order = 1; term > sum * 1e-17; order += 1) {
    term *= (2 * x * x) / (2 * order + 1);
    sum += term;
  }
  return sum;
}

/** ln Phi(x), the logarithm of the normal distribution function, precise in both tails. */
export function logNdtr(x) {
  if (Number.isNaN(x)) return NaN;
  if (x === -Infinity) return -Infinity;
  const y = Math.abs(x) * Math.SQRT1_2;
  if (x < -1) return Math.log(0.5 * erfcx(y)) - y * y;
  const tail = 0.5 * Math.exp(-y * y) * erfcx(y);
  return x < 0 ? Math.log(tail) : Math.log1p(-tail);
}
