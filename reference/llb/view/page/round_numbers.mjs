// Round numbers: steps of sliders, ticks and ends of axes.

/** The smallest number of 1, 2 or 5 times a power of ten that is not below `value`. */
export function roundStep(value) {
  return next(value, [1, 2, 5, 10]);
}

/** The same of more numbers, for the end of an axis. */
export function roundedUp(value) {
  return next(value, [1, 1.5, 2, 3, 4, 5, 6, 8, 10]);
}

function next(value, factors) {
  const unit = 10 ** Math.floor(Math.log10(value));
  return factors.map((factor) => factor * unit).find((size) => size >= value * 0.999) ?? value;
}

/** Places of ticks, about `count` of them. */
export function ticks([low, high], count) {
  const step = roundStep((high - low) / count);
  const first = Math.ceil(low / step - 1e-9);
  const last = Math.floor(high / step + 1e-9);
  const place = (_, at) => Number(((first + at) * step).toPrecision(12));
  return Array.from({ length: Math.max(0, last - first + 1) }, place);
}
