// A bundle that is open: what it says, and its numbers for signals (sections 4 to 8).

import * as ort from "onnxruntime-web";

import { readBundle } from "./bundle.mjs";
import { Fault } from "./fault.mjs";
import { ROWS, auditGraph } from "./graph.mjs";
import { ownCurves } from "./manifest.mjs";

ort.env.wasm.numThreads = 1;
ort.env.logLevel = "fatal";

function refuse(code, message) {
  throw new Fault("input", code, "", message);
}

export class Model {
  #session;
  #graph;
  #columns;

  /** Opens a bundle with all checks. */
  static async open(root) {
    const { manifest, contents } = readBundle(root);
    for (const graph of manifest.graphs) auditGraph(contents.get(graph.path), graph);
    const graph = manifest.graphs.find(({ role }) => role === "delta_nll");
    try {
      const options = { executionProviders: ["wasm"], logSeverityLevel: 4 };
      return new Model(manifest, graph, await ort.InferenceSession.create(contents.get(graph.path), options));
    } catch (error) {
      const code = /inference|type error/i.test(error.message) ? "LLB-G002" : "LLB-G012";
      throw new Fault("graph", code, graph.path, `the engine does not take the graph: ${error.message}`);
    }
  }

  constructor(manifest, graph, session) {
    this.manifest = manifest;
    this.inputs = [...manifest.inputs].sort((one, other) => one.column - other.column);
    this.#graph = graph;
    this.#session = session;
    this.#columns = columnsByName(manifest);
  }

  close() {
    return this.#session.release();
  }

  /** The column of a curve, an alias having that of its target; undefined where the bundle has no such curve. */
  column(name) {
    return this.manifest.curves.find((curve) => curve.name === name)?.column;
  }

  /** The point of a signal, yields by bin id (INPUT-2). */
  pointOf(signal) {
    const point = this.inputs.map(() => undefined);
    for (const [name, value] of Object.entries(signal)) {
      const column = this.#columns.get(name);
      if (column === undefined) refuse("LLB-Y001", `there is no bin ${name}`);
      if (point[column] !== undefined) refuse("LLB-Y003", `the bin ${this.inputs[column].id} is there twice`);
      point[column] = value;
    }
    this.inputs.forEach(({ id, signal_optional: optional }, column) => {
      if (point[column] !== undefined) return;
      if (!optional) refuse("LLB-Y002", `the bin ${id} is missing`);
      point[column] = 0;
    });
    return this.checked(point);
  }

  /** The same point, if it has a finite number in every column (INPUT-3). */
  checked(point) {
    if (point.length !== this.inputs.length) refuse("LLB-Y005", "not one yield for every bin");
    if (!point.every(Number.isFinite)) refuse("LLB-Y004", "a yield is not a finite number");
    return point;
  }

  /** Delta NLL, its stated error if there is one (otherwise undefined), and whether outside, point by point. */
  async evaluate(points) {
    const found = [];
    for (let row = 0; row < points.length; row += ROWS) {
      found.push(...(await this.#block(points.slice(row, row + ROWS))));
    }
    return found;
  }

  async #block(points) {
    const { name, dtype } = this.#graph.input;
    const numbers = (dtype === "float32" ? Float32Array : Float64Array).from(points.flat());
    const feeds = { [name]: new ort.Tensor(dtype, numbers, [points.length, this.inputs.length]) };
    const results = await this.#session.run(feeds);
    const rows = (tensor) => {
      const width = ownCurves(this.manifest).length;
      if (String(tensor.dims) !== String([points.length, width])) throw new Error("the graph gives another shape");
      return points.map((_, row) => Array.from(tensor.data.subarray(row * width, (row + 1) * width)));
    };
    const delta = rows(results[this.#graph.outputs[0].name]);
    const { output } = this.manifest.uncertainty;
    const sigma = output === undefined ? [] : rows(results[output]);
    return points.map((point, row) => {
      return { delta: delta[row], sigma: sigma[row], outside: !this.#isInside(point, delta[row]) };
    });
  }

  #isInside(point, delta) {
    const { lower, upper, truncation } = this.manifest.domain;
    const inBox = point.every((value, column) => value >= lower[column] && value <= upper[column]);
    return inBox && (truncation === undefined || delta.every((value) => value <= truncation.delta_nll_max));
  }
}

/** Columns by bin id, and by the bare name of a channel with one bin where that is no id itself (INPUT-1). */
function columnsByName({ inputs, teacher }) {
  const single = new Set(teacher.channels.filter(({ bins }) => bins === 1).map(({ name }) => name));
  const bare = inputs.filter(({ channel }) => single.has(channel)).map(({ channel, column }) => [channel, column]);
  return new Map([...bare, ...inputs.map(({ id, column }) => [id, column])]);
}
