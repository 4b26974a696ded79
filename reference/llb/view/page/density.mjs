// A density: parameters in, the logarithm of the density out; noise in, samples out.

import { inBox } from "./domain.mjs";
import { Graph } from "./engine.mjs";

export class Density {
  #graphs;

  static async open({ manifest, contents }) {
    const graphs = new Map();
    for (const declared of manifest.graphs) {
      const bytes = contents.get(declared.path);
      if (bytes !== undefined) graphs.set(declared.role, await Graph.open(bytes, declared));
    }
    return new Density(manifest, graphs);
  }

  constructor(manifest, graphs) {
    const byColumn = (items = []) => [...items].sort((one, other) => one.column - other.column);
    this.manifest = manifest;
    this.parameters = byColumn(manifest.parameters);
    this.conditions = byColumn(manifest.conditions);
    this.domain = manifest.domain;
    this.offset = manifest.density.offset ?? 0;
    this.#graphs = graphs;
  }

  has(role) {
    return this.#graphs.has(role);
  }

  /** The ends of a condition, where a bundle leaves them open -1 and 1. */
  conditionRange(column) {
    const { lower = -1, upper = 1 } = this.conditions[column].bounds;
    return [lower, upper];
  }

  /** The first output of a graph, row by row. */
  async rows(role, points, condition) {
    const graph = this.#graphs.get(role);
    return (await graph.run(points, condition))[graph.declared.outputs[0].name];
  }

  /** ln p of several points: -infinity beyond the bounds of a parameter, whatever the graph says there. */
  async logProb(points, condition) {
    const inside = points.filter((point) => this.isPossible(point));
    const found = (await this.rows("log_prob", inside, condition)).map(([value]) => value)[Symbol.iterator]();
    return points.map((point) => (this.isPossible(point) ? found.next().value : -Infinity));
  }

  isPossible(point) {
    return isWithin(this.parameters, point);
  }

  /** Whether the density was trained at a point and its conditions. */
  isInside(point, condition) {
    return inBox(this.domain, point) && isWithin(this.conditions, condition);
  }

  async close() {
    for (const graph of this.#graphs.values()) await graph.close();
  }
}

function isWithin(columns, values) {
  return columns.every(({ bounds: { lower = -Infinity, upper = Infinity } }, column) => {
    return values[column] >= lower && values[column] <= upper;
  });
}
