// Cubic splines in t (not-a-knot) of all curves of a ray, with their quadratic continuations, as in
// llb.runtime.splines.

const LEAST_BEND = 1e-3;
const TINY = 2.2250738585072014e-308 * 1e10;
const FAR = 1e80;

/** The slopes at the nodes of the not-a-knot cubic through (x, y). */
function slopesOf(x, y) {
  const last = x.length - 1;
  const width = (at) => x[at + 1] - x[at];
  const rise = (at) => (y[at + 1] - y[at]) / width(at);
  const rows = x.map((_, at) => {
    if (at === 0) {
      const both = x[2] - x[0];
      const right = ((width(0) + 2 * both) * width(1) * rise(0) + width(0) ** 2 * rise(1)) / both;
      return { low: 0, middle: width(1), high: both, right };
    }
    if (at === last) {
      const both = x[last] - x[last - 2];
      const [outer, inner] = [width(last - 1), width(last - 2)];
      const right = (outer ** 2 * rise(last - 2) + (2 * both + outer) * inner * rise(last - 1)) / both;
      return { low: both, middle: inner, high: 0, right };
    }
    const [before, after] = [width(at - 1), width(at)];
    const right = 3 * (after * rise(at - 1) + before * rise(at));
    return { low: after, middle: 2 * (before + after), high: before, right };
  });
  for (let at = 1; at <= last; at += 1) {
    const share = rows[at].low / rows[at - 1].middle;
    rows[at].middle -= share * rows[at - 1].high;
    rows[at].right -= share * rows[at - 1].right;
  }
  const slopes = new Float64Array(x.length);
  for (let at = last; at >= 0; at -= 1) {
    slopes[at] = (rows[at].right - (at < last ? rows[at].high * slopes[at + 1] : 0)) / rows[at].middle;
  }
  return slopes;
}

/** The curves of one ray over t. */
export class Splines {
  #nodes;
  #curves;

  /** `rows` are the values of all curves, node by node; the zero signal is not bounded, and stays flat. */
  constructor(nodes, rows, isBounded) {
    this.#nodes = nodes;
    const pieces = rows[0].map((_, curve) =>
      piecesOf(
        nodes,
        rows.map((row) => row[curve]),
      ),
    );
    const tails = [0, nodes.length - 1].map((at) => {
      const largest = Math.max(...rows[at].map(Math.abs));
      const least = LEAST_BEND * Math.max(largest / (nodes.at(-1) - nodes[0]) ** 2, TINY);
      return pieces.map((one) => (isBounded ? tail(one, nodes, at > 0, least) : [0, 0, 0]));
    });
    this.#curves = pieces.map((one, curve) => ({ pieces: one, tails: tails.map((side) => side[curve]) }));
  }

  /** The value of a curve; beyond the nodes it goes on quadratically, convex and rising. */
  at(curve, given) {
    const t = Math.min(Math.max(given, -FAR), FAR);
    const { pieces, tails } = this.#curves[curve];
    const last = this.#nodes.length - 1;
    if (t < this.#nodes[0]) return cubic([0, ...tails[0]], t - this.#nodes[0]);
    if (t > this.#nodes[last]) return cubic([0, ...tails[1]], t - this.#nodes[last]);
    let [low, high] = [0, last];
    while (high - low > 1) {
      const middle = (low + high) >> 1;
      if (this.#nodes[middle] <= t) low = middle;
      else high = middle;
    }
    return cubic(pieces[low], t - this.#nodes[low]);
  }

  /** Where a curve is lowest over t >= 0, and its value there; the continuation is never lower. */
  lowest(curve) {
    let best = { t: NaN, value: Infinity };
    this.#curves[curve].pieces.forEach((piece, at) => {
      const start = this.#nodes[at];
      if (start < 0) return;
      const width = this.#nodes[at + 1] - start;
      for (const x of [0, dip(piece, width), width]) {
        const value = cubic(piece, x);
        if (value < best.value) best = { t: start + x, value };
      }
    });
    return best;
  }
}

function cubic([a, b, c, d], x) {
  return ((a * x + b) * x + c) * x + d;
}

/** Coefficients of (t - node)^3 to (t - node)^0, interval by interval. */
function piecesOf(nodes, values) {
  const slopes = slopesOf(nodes, values);
  return Array.from({ length: nodes.length - 1 }, (_, at) => {
    const width = nodes[at + 1] - nodes[at];
    const rise = (values[at + 1] - values[at]) / width;
    const bend = (slopes[at] + slopes[at + 1] - 2 * rise) / width;
    return [bend / width, (rise - slopes[at]) / width - bend, slopes[at], values[at]];
  });
}

/** Half the curvature, slope and value at an end, of which the slope never points down. */
function tail(pieces, nodes, isHigh, least) {
  const [a, b, c, d] = pieces.at(isHigh ? -1 : 0);
  const x = isHigh ? nodes.at(-1) - nodes.at(-2) : 0;
  const slope = (3 * a * x + 2 * b) * x + c;
  return [Math.max(3 * a * x + b, least), isHigh ? Math.max(slope, 0) : Math.min(slope, 0), cubic([a, b, c, d], x)];
}

/** The local minimum of a piece within its width, or 0. */
function dip([a, b, c], width) {
  const square = b * b - 3 * a * c;
  if (!(square > 0)) return 0;
  const root = Math.sqrt(square);
  const x = b >= 0 ? -c / (b + root) : (root - b) / (3 * a);
  return x > 0 && x < width ? x : 0;
}
