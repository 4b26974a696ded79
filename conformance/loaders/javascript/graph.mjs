// Audits an ONNX file before any engine sees it: GRAPH-2 to GRAPH-6 and SECURITY-3.

import { Fault } from "./fault.mjs";
import { readModel } from "./onnx_file.mjs";
import { MAX_INTEGERS, SizeError, boundSizes, elements } from "./shapes.mjs";

/** As many rows are evaluated at once: the bounds of SECURITY-3 are for such a block. */
export const ROWS = 512;
const MAX_BYTES = 256 * 2 ** 20;
const MAX_NODES = 20_000;
const MAX_EDGES = 200_000;
const OPERATORS = new Set(
  `Abs Add And Cast Clip Concat Constant Div Equal Exp Flatten Gather Gemm Greater GreaterOrEqual Identity Less
  LessOrEqual Log MatMul Max Min Mul Neg Not Or Pow Reciprocal ReduceMax ReduceMean ReduceMin ReduceSum
  ReduceSumSquare Relu Reshape Shape Sigmoid Sign Slice Softmax Split Sqrt Squeeze Sub Sum Tanh Transpose Unsqueeze
  Where`.split(/\s+/),
);
const DOMAINS = ["", "ai.onnx"];
const DTYPES = { float32: 1, float64: 11 };
const [INT32, INT64] = [6, 7];
const STORES = ["float_data", "int32_data", "string_data", "int64_data", "double_data", "uint64_data"];
/** By type of elements: bytes of one, where they are if not in `raw_data`, and whether a number of bits is NaN. */
const TYPES = {
  1: { size: 4, store: "float_data", array: Float32Array, isNaN: Number.isNaN },
  2: { size: 1, store: "int32_data" },
  3: { size: 1, store: "int32_data" },
  4: { size: 2, store: "int32_data" },
  5: { size: 2, store: "int32_data" },
  [INT32]: { size: 4, store: "int32_data", array: Int32Array },
  [INT64]: { size: 8, store: "int64_data", array: BigInt64Array },
  9: { size: 1, store: "int32_data" },
  10: { size: 2, store: "int32_data", array: Uint16Array, isNaN: (bits) => (bits & 0x7fff) > 0x7c00 },
  11: { size: 8, store: "double_data", array: Float64Array, isNaN: Number.isNaN },
  12: { size: 4, store: "uint64_data" },
  13: { size: 8, store: "uint64_data" },
  16: { size: 2, store: "int32_data", array: Uint16Array, isNaN: (bits) => (bits & 0x7fff) > 0x7f80 },
};

/** Refuses a file that is not the graph that the manifest declares, or more than a graph of the format may be. */
export function auditGraph(bytes, declared) {
  const refuse = (code, message) => {
    throw new Fault("graph", code, declared.path, message);
  };
  if (bytes.length > MAX_BYTES) refuse("LLB-G008", "the file is too large");
  const model = parse(bytes, refuse);
  checkModel(model, declared, refuse);
  const { graph } = model;
  const attributes = graph.node.flatMap(({ attribute }) => attribute);
  const constants = attributes.flatMap(({ t, tensors }) => (t === undefined ? tensors : [t, ...tensors]));
  const ends = graph.node.reduce((sum, { input, output }) => sum + input.length + output.length, 0);
  const edges = ends + graph.initializer.length + constants.length;
  if (graph.node.length > MAX_NODES || edges > MAX_EDGES) refuse("LLB-G008", "the graph has too many parts");
  graph.node.forEach((node) => checkNode(node, refuse));
  try {
    [...graph.initializer, ...constants].forEach((tensor) => checkTensor(tensor, refuse));
    checkNames(graph, refuse);
    checkSignature(graph, declared, refuse);
    const known = new Map(graph.initializer.map((tensor) => [tensor.name, tensor]));
    for (const { name, shape } of inputsOf(declared)) known.set(name, { dims: [ROWS, shape[1]] });
    boundSizes(graph.node, known);
  } catch (error) {
    if (error instanceof Fault) throw error;
    if (error instanceof SizeError) refuse("LLB-G008", error.message);
    refuse("LLB-G002", `a node does not have the inputs of its operator: ${error.message}`);
  }
}

/** A conditional density has a second input. */
function inputsOf({ input, condition }) {
  return condition === undefined ? [input] : [input, condition];
}

function parse(bytes, refuse) {
  let model;
  try {
    model = readModel(bytes);
  } catch (error) {
    refuse("LLB-G001", `the file is not an ONNX model: ${error.message}`);
  }
  if (model.graph === undefined) refuse("LLB-G001", "the model has no graph");
  return model;
}

function checkModel(model, { opset }, refuse) {
  if (!(model.ir_version >= 8 && model.ir_version <= 10)) refuse("LLB-G013", "the IR version is not 8 to 10");
  for (const { domain = "", version } of model.opset_import) {
    if (!DOMAINS.includes(domain)) refuse("LLB-G005", "the model imports another domain than ai.onnx");
    if (version !== opset) refuse("LLB-G004", `the opset ${version} is not the declared one`);
  }
  // The schema keeps the declared one within 17 to 21.
  if (model.opset_import.length === 0) refuse("LLB-G004", "the model imports no opset");
  const { functions, training_info: training, graph } = model;
  if (functions.length + training.length + graph.sparse_initializer.length > 0) {
    refuse("LLB-G007", "the model has functions, training information or sparse tensors");
  }
}

function checkNode({ op_type: operator, domain = "", attribute }, refuse) {
  if (!DOMAINS.includes(domain)) refuse("LLB-G005", "a node is of another domain than ai.onnx");
  if (!OPERATORS.has(operator)) refuse("LLB-G003", `the operator ${operator} is not one of those of the format`);
  for (const { g, graphs, sparse_tensor: sparse, sparse_tensors: more, f, floats, ref_attr_name: ref } of attribute) {
    if (g || sparse || graphs.length + more.length > 0) refuse("LLB-G007", "a node has a subgraph or sparse tensor");
    if (ref) refuse("LLB-G002", "an attribute refers to a function");
    if ([f ?? 0, ...floats].some(Number.isNaN)) refuse("LLB-G014", "a constant is NaN");
  }
}

/** Checks the numbers of a tensor; short lists of integers are added as `integers`, by which shapes are made. */
function checkTensor(tensor, refuse) {
  const { dims, data_type: kind, raw_data: raw } = tensor;
  if (tensor.data_location || tensor.external_data.length > 0) refuse("LLB-G006", "a tensor is in another file");
  const count = elements(dims);
  const type = TYPES[kind];
  if (type === undefined) refuse("LLB-G012", `no constants of the type ${kind} are taken`);
  const stored = STORES.reduce((sum, store) => sum + tensor[store].length, 0);
  const complete = raw === undefined ? tensor[type.store].length === count : raw.length === count * type.size;
  if (!complete || stored !== (raw === undefined ? count : 0)) {
    refuse("LLB-G002", "a tensor has not as many numbers as its shape says");
  }
  if (type.array === undefined) return;
  const numbers = raw === undefined ? tensor[type.store] : new type.array(new Uint8Array(raw).buffer);
  if (type.isNaN !== undefined && numbers.some(type.isNaN)) refuse("LLB-G014", "a weight is NaN");
  if (type.isNaN === undefined && count <= MAX_INTEGERS) tensor.integers = Array.from(numbers, Number);
}

/** Every tensor is written once and before it is read, so that the nodes have one order and one meaning. */
function checkNames({ input, initializer, node, output }, refuse) {
  const write = (names, into) => {
    for (const name of names.filter((item) => item !== "")) {
      if (into.has(name)) refuse("LLB-G002", `the tensor ${name} is written twice`);
      into.add(name);
    }
    return into;
  };
  const named = (items) => write(items.map(({ name = "" }) => name), new Set());
  const written = new Set([...named(input), ...named(initializer)]);
  const read = (names) => {
    const missing = names.find((name) => name !== "" && !written.has(name));
    if (missing !== undefined) refuse("LLB-G002", `the tensor ${missing} is read before it is written`);
  };
  for (const one of node) {
    read(one.input);
    write(one.output, written);
  }
  read(output.map(({ name = "" }) => name));
}

function checkSignature({ input, initializer, output }, declared, refuse) {
  const pairs = [[input, inputsOf(declared)], [output, declared.outputs]];
  for (const [found, wanted] of pairs) {
    if (found.length !== wanted.length || wanted.some(({ name }, row) => name !== found[row].name)) {
      refuse("LLB-G009", "the names of the inputs or outputs are not the declared ones");
    }
    wanted.forEach(({ name, dtype, shape }, row) => {
      const { elem_type: kind, shape: { dim = [] } = {} } = found[row].type?.tensor_type ?? {};
      if (kind !== DTYPES[dtype]) refuse("LLB-G010", `the type of ${name} is not ${dtype}`);
      const [rows, columns] = dim;
      const isBatch = dim.length === 2 && rows.dim_value === undefined && columns.dim_value === shape[1];
      if (!isBatch) refuse("LLB-G011", `the shape of ${name} is not [batch, ${shape[1]}]`);
    });
  }
  const wanted = inputsOf(declared).map(({ name }) => name);
  if (initializer.some(({ name }) => wanted.includes(name))) refuse("LLB-G009", "an input is a constant");
}
