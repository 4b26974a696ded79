// How large the tensors of a graph become for a block of rows, before it is run (SECURITY-3). Whether shapes fit
// together at all is for the engine to say; here they only must not be larger than what is found.

const MAX_TENSOR = 2 ** 26;
const MAX_ALL = 2 ** 30;
const MAX_WORK = 2 ** 36;
const MAX_RANK = 64;
/** Longer lists of integers are no shapes. */
export const MAX_INTEGERS = 1024;

/** A graph is too large, or its sizes do not follow from the shape of the input. */
export class SizeError extends Error {}

/** The number of elements of a shape, if a tensor may have as many. */
export function elements(dims) {
  if (!dims.every((size) => size >= 0)) throw new SizeError("a dimension is negative, or is not known");
  if (dims.length > MAX_RANK) throw new SizeError("a tensor has too many dimensions");
  if (dims.includes(0)) return 0;
  const product = dims.reduce((sum, size) => Math.min(sum * size, 2 * MAX_TENSOR), 1);
  if (product > MAX_TENSOR) throw new SizeError("a tensor is too large");
  return product;
}

/** Refuses a graph that grows too large. `known` has `dims` and, of short lists of integers, `integers` by name. */
export function boundSizes(nodes, known) {
  let all = 0;
  let work = 0;
  for (const node of nodes) {
    const inputs = node.input.map((name) => known.get(name));
    const options = Object.fromEntries(node.attribute.map((attribute) => [attribute.name, attribute]));
    const found = (RULES[node.op_type] ?? broadcast)(inputs, options, node);
    const outputs = found.parts ?? [found];
    const sizes = outputs.map(({ dims }) => elements(dims));
    all += sizes.reduce((sum, size) => sum + size, 0);
    work += found.work ?? largest([...sizes, ...inputs.map((input) => elements(input?.dims ?? []))]);
    if (all > MAX_ALL || work > MAX_WORK) throw new SizeError("the whole graph is too large");
    node.output.forEach((name, row) => known.set(name, outputs[row] ?? { dims: [NaN] }));
    // The name of what an operator is not given.
    known.delete("");
  }
}

function largest(numbers) {
  return numbers.reduce((most, number) => Math.max(most, number), 0);
}

function integersOf(input) {
  const { integers } = input;
  if (integers === undefined || integers.length > MAX_INTEGERS) {
    throw new SizeError("a size does not follow from the shape of the input");
  }
  return integers;
}

function from(axis, rank) {
  return axis < 0 ? axis + rank : axis;
}

function broadcast(inputs) {
  const shapes = inputs.filter((input) => input !== undefined).map(({ dims }) => dims);
  const rank = largest(shapes.map((dims) => dims.length));
  const sizes = (at) => shapes.map((dims) => dims[at - rank + dims.length] ?? 1);
  return { dims: Array.from({ length: rank }, (_, at) => (sizes(at).includes(0) ? 0 : largest(sizes(at)))) };
}

function matmul([{ dims: one }, { dims: other }]) {
  const { dims: outer } = broadcast([{ dims: one.slice(0, -2) }, { dims: other.slice(0, -2) }]);
  const rows = one.length > 1 ? [one.at(-2)] : [];
  const columns = other.length > 1 ? [other.at(-1)] : [];
  const dims = [...outer, ...rows, ...columns];
  return { dims, work: elements(dims) * Math.max(1, one.at(-1) ?? 1) };
}

function gemm([one, other], { transA, transB }) {
  const turned = ({ dims }, turn) => ({ dims: turn?.i ? dims.toReversed() : dims });
  return matmul([turned(one, transA), turned(other, transB)]);
}

function reduce([{ dims }, second], { axes: attribute, keepdims, noop_with_empty_axes: noop }) {
  const axes = (second ? integersOf(second) : attribute?.ints ?? []).map((axis) => from(axis, dims.length));
  if (axes.length === 0 && noop?.i) return { dims };
  const isGone = (at) => axes.length === 0 || axes.includes(at);
  if (keepdims?.i === 0) return { dims: dims.filter((_, at) => !isGone(at)) };
  return { dims: dims.map((size, at) => (isGone(at) ? 1 : size)) };
}

function reshape([{ dims, integers }, wanted], { allowzero }) {
  const sizes = integersOf(wanted).map((size, at) => (size === 0 && !allowzero?.i ? dims[at] : size));
  const rest = elements(sizes.filter((size) => size !== -1));
  const free = rest === 0 ? 0 : elements(dims) / rest;
  return { dims: sizes.map((size) => (size === -1 ? free : size)), integers };
}

function concat(inputs, { axis }) {
  const at = from(axis?.i, inputs[0].dims.length);
  const dims = inputs[0].dims.map((size, place) => {
    return place === at ? inputs.reduce((sum, one) => sum + one.dims[at], 0) : size;
  });
  const isKnown = dims[0] <= MAX_INTEGERS && inputs.every(({ integers }) => integers !== undefined);
  return { dims, integers: isKnown ? inputs.flatMap(({ integers }) => integers) : undefined };
}

function gather([{ dims, integers }, indices], { axis }) {
  const found = dims.toSpliced(from(axis?.i ?? 0, dims.length), 1, ...indices.dims);
  return { dims: found, integers: integers && indices.integers?.map((index) => integers.at(index)) };
}

function slice([{ dims, integers }, ...bounds]) {
  const [starts, ends, axes, steps] = bounds.map((input) => input && integersOf(input));
  const found = { dims: [...dims], integers };
  starts.forEach((start, row) => {
    const at = from(axes?.[row] ?? row, dims.length);
    const step = steps?.[row] ?? 1;
    const [low, high] = step > 0 ? [0, dims[at]] : [-1, dims[at] - 1];
    const clamp = (value) => Math.min(Math.max(from(value, dims[at]), low), high);
    const first = Math.max(clamp(start), 0);
    found.dims[at] = Math.max(0, Math.ceil((clamp(ends[row]) - first) / step));
    if (integers === undefined) return;
    found.integers = Array.from({ length: found.dims[at] }, (_, place) => integers[first + place * step]);
  });
  return found;
}

function split([{ dims }, given], { axis, num_outputs: count }, node) {
  const at = from(axis?.i ?? 0, dims.length);
  const each = Math.ceil(dims[at] / (count?.i ?? node.output.length));
  const sizes = given ? integersOf(given) : node.output.map((_, row) => Math.min(each, dims[at] - row * each));
  return { parts: sizes.map((size) => ({ dims: dims.toSpliced(at, 1, size) })) };
}

function squeeze([{ dims, integers }, given]) {
  const axes = given && integersOf(given).map((axis) => from(axis, dims.length));
  return { dims: dims.filter((size, at) => !(axes?.includes(at) ?? size === 1)), integers };
}

function unsqueeze([{ dims, integers }, given]) {
  const rank = dims.length + integersOf(given).length;
  const axes = integersOf(given).map((axis) => from(axis, rank));
  const rest = dims[Symbol.iterator]();
  return { dims: Array.from({ length: rank }, (_, at) => (axes.includes(at) ? 1 : rest.next().value)), integers };
}

function shape([{ dims }], { start, end }) {
  const integers = dims.slice(start?.i, end?.i);
  return { dims: [integers.length], integers };
}

function flatten([{ dims }], { axis }) {
  const at = from(axis?.i ?? 1, dims.length);
  return { dims: [elements(dims.slice(0, at)), elements(dims.slice(at))] };
}

function transpose([{ dims }], { perm }) {
  return { dims: perm?.ints.map((at) => dims[at]) ?? dims.toReversed() };
}

function constant(_, { value, value_int: one, value_ints: several, value_floats: floats }) {
  const integers = several?.ints ?? (one && [one.i]);
  return value?.t ?? { dims: several || floats ? [(several?.ints ?? floats.floats).length] : [], integers };
}

const same = ([input]) => input;

/** Operators that are not here give what their inputs broadcast to. */
const RULES = {
  Cast: same,
  Clip: same,
  Concat: concat,
  Constant: constant,
  Flatten: flatten,
  Gather: gather,
  Gemm: gemm,
  Identity: same,
  MatMul: matmul,
  ReduceMax: reduce,
  ReduceMean: reduce,
  ReduceMin: reduce,
  ReduceSum: reduce,
  ReduceSumSquare: reduce,
  Reshape: reshape,
  Shape: shape,
  Slice: slice,
  Split: split,
  Squeeze: squeeze,
  Transpose: transpose,
  Unsqueeze: unsqueeze,
};
