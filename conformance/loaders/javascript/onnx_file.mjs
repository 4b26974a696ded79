// Reads the parts of an ONNX file that the format speaks of, straight from protobuf's wire format. Graphs inside
// of nodes and other parts that must not be there stay bytes: what counts is that they are there.

const one = (type) => ({ wires: [2], type });
const many = (type) => ({ wires: [2], type, repeated: true });
const list = (wire) => ({ wires: [wire, 2], repeated: true, packed: true });
const INT = { wires: [0] };
const FLOAT = { wires: [5] };
const BYTES = { wires: [2] };
const TEXT = { wires: [2], text: true };
const PARTS = { wires: [2], repeated: true };
const TEXTS = { ...PARTS, text: true };
const [VARINT, FIXED64, FIXED32] = [0, 1, 5];

const TENSOR = {
  1: ["dims", list(VARINT)],
  2: ["data_type", INT],
  4: ["float_data", list(FIXED32)],
  5: ["int32_data", list(VARINT)],
  6: ["string_data", PARTS],
  7: ["int64_data", list(VARINT)],
  8: ["name", TEXT],
  9: ["raw_data", BYTES],
  10: ["double_data", list(FIXED64)],
  11: ["uint64_data", list(VARINT)],
  13: ["external_data", PARTS],
  14: ["data_location", INT],
};
const ATTRIBUTE = {
  1: ["name", TEXT],
  2: ["f", FLOAT],
  3: ["i", INT],
  5: ["t", one(TENSOR)],
  6: ["g", BYTES],
  7: ["floats", list(FIXED32)],
  8: ["ints", list(VARINT)],
  10: ["tensors", many(TENSOR)],
  11: ["graphs", PARTS],
  20: ["type", INT],
  21: ["ref_attr_name", TEXT],
  22: ["sparse_tensor", BYTES],
  23: ["sparse_tensors", PARTS],
};
const NODE = {
  1: ["input", TEXTS],
  2: ["output", TEXTS],
  4: ["op_type", TEXT],
  5: ["attribute", many(ATTRIBUTE)],
  7: ["domain", TEXT],
};
const DIMENSION = { 1: ["dim_value", INT], 2: ["dim_param", TEXT] };
const TENSOR_TYPE = { 1: ["elem_type", INT], 2: ["shape", one({ 1: ["dim", many(DIMENSION)] })] };
const VALUE = { 1: ["name", TEXT], 2: ["type", one({ 1: ["tensor_type", one(TENSOR_TYPE)] })] };
const GRAPH = {
  1: ["node", many(NODE)],
  5: ["initializer", many(TENSOR)],
  11: ["input", many(VALUE)],
  12: ["output", many(VALUE)],
  15: ["sparse_initializer", PARTS],
};
const MODEL = {
  1: ["ir_version", INT],
  7: ["graph", one(GRAPH)],
  8: ["opset_import", many({ 1: ["domain", TEXT], 2: ["version", INT] })],
  20: ["training_info", PARTS],
  25: ["functions", PARTS],
};

/** The model of an ONNX file, with the names of onnx.proto; a part that is not there is undefined or []. */
export function readModel(bytes) {
  return decode(bytes, MODEL);
}

function decode(bytes, type) {
  const message = {};
  for (const [name, { repeated }] of Object.values(type)) message[name] = repeated ? [] : undefined;
  const pieces = new Map();
  for (const { number, wire, value } of fields(bytes)) {
    if (!Object.hasOwn(type, number)) continue;
    const [name, kind] = type[number];
    if (!kind.wires.includes(wire)) throw new RangeError(`the field ${name} has another type`);
    if (kind.packed) {
      for (const item of wire === 2 ? unpack(value, kind.wires[0]) : [value]) message[name].push(item);
    } else if (kind.repeated) {
      message[name].push(kind.type ? decode(value, kind.type) : kind.text ? text(value) : value);
    } else if (kind.type) {
      pieces.set(name, [...(pieces.get(name) ?? []), value]);
      // A message that comes in pieces is the one that all of them make together.
      message[name] = decode(joined(pieces.get(name)), kind.type);
    } else {
      message[name] = kind.text ? text(value) : value;
    }
  }
  return message;
}

/** One character per byte: names that differ stay different, whatever their encoding. */
function text(bytes) {
  return Array.from(bytes, (byte) => String.fromCharCode(byte)).join("");
}

function joined(pieces) {
  if (pieces.length === 1) return pieces[0];
  const bytes = new Uint8Array(pieces.reduce((sum, { length }) => sum + length, 0));
  pieces.reduce((at, piece) => (bytes.set(piece, at), at + piece.length), 0);
  return bytes;
}

function* fields(bytes) {
  const reader = new Reader(bytes);
  while (!reader.done) {
    const tag = reader.varint();
    const number = Math.floor(tag / 8);
    if (number < 1 || number >= 2 ** 29) throw new RangeError("a field has no number");
    yield { number, wire: tag % 8, value: reader.value(tag % 8) };
  }
}

function* unpack(bytes, wire) {
  const reader = new Reader(bytes);
  while (!reader.done) yield reader.value(wire);
}

function viewOf({ buffer, byteOffset }) {
  return new DataView(buffer, byteOffset);
}

class Reader {
  #bytes;
  #at = 0;

  constructor(bytes) {
    this.#bytes = bytes;
  }

  get done() {
    return this.#at === this.#bytes.length;
  }

  value(wire) {
    if (wire === VARINT) return this.varint();
    if (wire === FIXED64) return viewOf(this.#take(8)).getFloat64(0, true);
    if (wire === FIXED32) return viewOf(this.#take(4)).getFloat32(0, true);
    if (wire === 2) return this.#take(this.varint());
    throw new RangeError(`there is no wire type ${wire}`);
  }

  varint() {
    let value = 0;
    for (let length = 0, scale = 1; length < 10; length += 1, scale *= 128) {
      const [byte] = this.#take(1);
      value += (byte & 127) * scale;
      if (byte < 128) return length < 7 ? value : this.#wide(length + 1);
    }
    throw new RangeError("a number has more than ten bytes");
  }

  /** The signed value of a varint that a double cannot add up. */
  #wide(length) {
    const bytes = this.#bytes.subarray(this.#at - length, this.#at);
    const value = bytes.reduceRight((sum, byte) => (sum << 7n) | BigInt(byte & 127), 0n);
    return Number(BigInt.asIntN(64, value));
  }

  #take(length) {
    if (length < 0 || length > this.#bytes.length - this.#at) throw new RangeError("the file ends too early");
    this.#at += length;
    return this.#bytes.subarray(this.#at - length, this.#at);
  }
}
