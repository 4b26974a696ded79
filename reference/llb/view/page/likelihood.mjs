// A profile likelihood: yields of a signal in, Delta NLL by curve out.

import { inBox } from "./domain.mjs";
import { Graph } from "./engine.mjs";

export class Likelihood {
  #graph;

  static async open({ manifest, contents }) {
    const declared = manifest.graphs.find(({ role }) => role === "delta_nll");
    return new Likelihood(manifest, await Graph.open(contents.get(declared.path), declared));
  }

  constructor(manifest, graph) {
    this.manifest = manifest;
    this.bins = [...manifest.inputs].sort((one, other) => one.column - other.column);
    this.domain = manifest.domain;
    this.#graph = graph;
  }

  get dtype() {
    return this.#graph.declared.input.dtype;
  }

  /** The column of a curve, of an alias that of its target; undefined where the bundle has no such curve. */
  column(name) {
    return this.manifest.curves.find((curve) => curve.name === name)?.column;
  }

  /** Delta NLL of several points, by column. */
  async columns(points) {
    return (await this.#graph.run(points))[this.#graph.declared.outputs[0].name];
  }

  /** Delta NLL of one point by column, its stated error if there is one, and whether it lies in the domain. */
  async evaluate(point) {
    const found = await this.#graph.run([point]);
    const [delta] = found[this.#graph.declared.outputs[0].name];
    const sigma = found[this.manifest.uncertainty?.output]?.[0];
    return { delta, sigma, isInside: this.isInside(point, delta) };
  }

  isInside(point, delta) {
    const { truncation } = this.domain;
    return inBox(this.domain, point) && !(truncation && delta.some((value) => !(value <= truncation.delta_nll_max)));
  }

  close() {
    return this.#graph.close();
  }
}
