// Graphs, run by onnxruntime-web in this thread: no worker, no shared memory, nothing fetched.

import * as ort from "onnxruntime-web/wasm";
import { Fault } from "loader/fault.mjs";
import { ROWS, auditGraph } from "loader/graph.mjs";

/** Hands the engine its WebAssembly; it looks for none elsewhere. */
export function startEngine(binary) {
  Object.assign(ort.env.wasm, { wasmBinary: binary, numThreads: 1, proxy: false });
  ort.env.logLevel = "fatal";
}

export class Graph {
  #session;

  /** A graph of a bundle, audited before the engine sees it. */
  static async open(bytes, declared) {
    auditGraph(bytes, declared);
    try {
      const session = await ort.InferenceSession.create(bytes, { executionProviders: ["wasm"], logSeverityLevel: 4 });
      return new Graph(session, declared);
    } catch (error) {
      // What contradicts itself shows when types and shapes are inferred.
      const code = /inference|type error/i.test(error.message) ? "LLB-G002" : "LLB-G012";
      throw new Fault("graph", code, declared.path, `the engine does not take the graph: ${error.message}`);
    }
  }

  constructor(session, declared) {
    this.#session = session;
    this.declared = declared;
  }

  close() {
    return this.#session.release();
  }

  /** The outputs by name, each row by row, for points and, of a conditional density, one row of conditions. */
  async run(points, condition) {
    const outputs = Object.fromEntries(this.declared.outputs.map(({ name }) => [name, []]));
    for (let row = 0; row < points.length; row += ROWS) {
      const block = points.slice(row, row + ROWS);
      const feeds = { [this.declared.input.name]: tensor(this.declared.input, block) };
      if (this.declared.condition !== undefined) {
        feeds[this.declared.condition.name] = tensor(
          this.declared.condition,
          block.map(() => condition),
        );
      }
      const found = await this.#asked(feeds);
      for (const { name, shape } of this.declared.outputs) {
        const { data, dims } = found[name];
        if (String(dims) !== String([block.length, shape[1]])) {
          throw new Fault("numerics", "LLB-N006", this.declared.path, "the graph gives another shape than it declares");
        }
        block.forEach((_, at) => outputs[name].push(Array.from(data.subarray(at * shape[1], (at + 1) * shape[1]))));
      }
    }
    return outputs;
  }

  async #asked(feeds) {
    try {
      return await this.#session.run(feeds);
    } catch (error) {
      throw new Fault("numerics", "LLB-G015", this.declared.path, `the graph fails: ${error.message}`);
    }
  }
}

function tensor({ dtype, shape }, rows) {
  const numbers = (dtype === "float32" ? Float32Array : Float64Array).from(rows.flat());
  return new ort.Tensor(dtype, numbers, [rows.length, shape[1]]);
}
