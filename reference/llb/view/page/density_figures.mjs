// Figures of a density in one parameter: ln p with the others held, and the histogram of its samples.

import { html } from "./dom.mjs";
import { Plot } from "./plot.mjs";

const BINS = 48;
const FALL = 8;

export class DensityFigures {
  #scan;
  #marginal;

  /** `samples` says whether there are any; `pick` is told where the pointer is dragged. */
  constructor({ samples, pick }) {
    const [scan, marginal] = ["ln p along one parameter, the others held", "Histogram of samples in one parameter"];
    this.#scan = new Plot({ title: "ln p along one parameter", label: scan, pick });
    this.#marginal = new Plot({ title: "marginal density", label: marginal, pick });
    const shown = samples ? [this.#scan, this.#marginal] : [this.#scan];
    this.element = html("div", { class: "figures" }, ...shown.map(({ element }) => element));
  }

  /** `points` of the scan, and the point that is `here`. */
  showScan(x, points, here) {
    const finite = points.map(([, y]) => y).filter(Number.isFinite);
    const top = Math.max(...finite, Number.isFinite(here.y) ? here.y : -Infinity);
    const low = Math.max(Math.min(...finite), top - FALL);
    const room = 0.06 * (top - low) + 1e-9;
    this.#scan.draw({
      x,
      y: { range: Number.isFinite(top) ? [low - room, top + room] : [-1, 1], label: "ln p" },
      layers: [
        { kind: "line", points, style: "observed" },
        { kind: "dot", ...here, style: "observed" },
        { kind: "handle", x: here.x },
      ],
      legend: [{ name: "the other parameters held", style: "observed" }],
    });
  }

  /** `values` of the samples in the parameter. */
  showMarginal(x, values, here) {
    const [low, high] = x.range;
    const width = (high - low) / BINS;
    const counts = new Array(BINS).fill(0);
    for (const value of values) {
      const bin = Math.floor((value - low) / width);
      if (bin >= 0 && bin < BINS) counts[bin] += 1;
    }
    const heights = counts.map((count) => count / values.length / width);
    const bars = heights.map((height, bin) => {
      return { kind: "bar", x: low + (bin + 0.5) * width, low: 0, high: height, width, style: "signal" };
    });
    this.#marginal.draw({
      x,
      y: { range: [0, 1.08 * Math.max(...heights, Number.MIN_VALUE)], label: "density" },
      layers: [...bars, { kind: "handle", x: here.x }],
      legend: [{ name: `${values.length} samples of the bundle`, style: "signal" }],
    });
  }
}
