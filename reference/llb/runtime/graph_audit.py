"""Static audit of an ONNX file, before anything runs it.

onnxruntime executes what it is given: it follows paths to external weights, loads custom operators and
allocates whatever a shape asks for. A graph is therefore read as data first and only then handed over.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from itertools import chain
from typing import TYPE_CHECKING

from llb.bundle import GraphSpec, TensorSpec
from llb.runtime.graph_cost import MAX_ELEMENTS, check_cost
from llb_schema import Finding, finding, has_errors

if TYPE_CHECKING:
    from onnx import GraphProto, ModelProto, NodeProto, TensorProto, ValueInfoProto

__all__ = ["ALLOWED_OPERATORS", "OPSETS", "audit_graph"]

OPSETS = range(17, 22)
_IR_VERSIONS = range(8, 11)
_MAX_FILE_BYTES = 256 * 2**20
_MAX_NODES = 20_000
# Constants, and inputs and outputs of all nodes together.
_MAX_EDGES = 200_000
_MAX_FINDINGS = 50

ALLOWED_OPERATORS = frozenset(
    (  # noqa: SIM905 - fifty quoted strings read worse
        "Abs Add And Cast Clip Concat Constant Div Equal Exp Flatten Gather Gemm Greater GreaterOrEqual "
        "Identity Less LessOrEqual Log MatMul Max Min Mul Neg Not Or Pow Reciprocal ReduceMax ReduceMean "
        "ReduceMin ReduceSum ReduceSumSquare Relu Reshape Shape Sigmoid Sign Slice Softmax Split "
        "Sqrt Squeeze Sub Sum Tanh Transpose Unsqueeze Where"
    ).split()
)


def audit_graph(data: bytes, spec: GraphSpec | None = None, *, source: str = "") -> tuple[Finding, ...]:
    """All findings about an ONNX file, without running it.

    Args:
        data: the bytes of the file.
        spec: signature that the manifest declares; None checks only that the graph is safe and portable.
        source: path of the file, for the findings.

    Returns:
        `LLB-G...` findings sorted by code, the first fifty of them; none for a good graph.
    """
    if len(data) > _MAX_FILE_BYTES:
        expected = f"at most {_MAX_FILE_BYTES} bytes"
        return (finding("LLB-G008", pointer=source, expected=expected, actual=f"{len(data)} bytes"),)
    # Imported here: it takes longer than opening a bundle.
    from google.protobuf.message import DecodeError
    from onnx import ModelProto

    model = ModelProto()
    try:
        model.ParseFromString(data)
    except (DecodeError, RuntimeError) as error:
        return (finding("LLB-G001", f"the file is not an ONNX model: {_first_line(error)}", pointer=source),)
    if not model.HasField("graph") or not model.opset_import:
        return (finding("LLB-G001", pointer=source),)
    # In this order: each trusts its input more than the one before.
    for part in (
        _sizes(model, source),
        chain(_versions(model, spec, source), _containment(model, source), _operators(model.graph, source)),
        _checked(model, source),
        () if spec is None else _signature(model.graph, spec, source),
        _cost(model, source),
    ):
        findings = _first(part, source)
        if has_errors(findings):
            return findings
    return ()


def _first(findings: Iterable[Finding], source: str) -> tuple[Finding, ...]:
    """Some findings, sorted; a file of 256 MiB has room for as many faults as it likes."""
    seen: set[Finding] = set()
    for item in findings:
        if len(seen) == _MAX_FINDINGS:
            seen.add(finding("LLB-S016", "the graph has more faults", pointer=source))
            break
        seen.add(item)
    return tuple(sorted(seen, key=lambda item: (item.code, item.pointer, item.message)))


def _sizes(model: ModelProto, source: str) -> Iterator[Finding]:
    nodes, graph = len(model.graph.node), model.graph
    if nodes > _MAX_NODES:
        yield finding("LLB-G008", pointer=source, expected=f"at most {_MAX_NODES} nodes", actual=nodes)
        return
    edges = len(graph.initializer) + sum(len(node.input) + len(node.output) for node in graph.node)
    if edges > _MAX_EDGES:
        expected = f"at most {_MAX_EDGES} constants, inputs and outputs of nodes"
        yield finding("LLB-G008", pointer=source, expected=expected, actual=edges)


def _versions(model: ModelProto, spec: GraphSpec | None, source: str) -> Iterator[Finding]:
    if model.ir_version not in _IR_VERSIONS:
        expected = f"{_IR_VERSIONS[0]} to {_IR_VERSIONS[-1]}"
        yield finding("LLB-G013", pointer=source, expected=expected, actual=model.ir_version)
    foreign = sorted({_short(item.domain) for item in model.opset_import} - {"", "ai.onnx"})
    for domain in foreign:
        message = f"the operator domain {domain!r} is imported"
        yield finding("LLB-G005", message, pointer=source, actual=domain)
    opsets = [item.version for item in model.opset_import if item.domain in {"", "ai.onnx"}]
    if len(opsets) != 1 or opsets[0] not in OPSETS:
        expected = f"one opset from {OPSETS[0]} to {OPSETS[-1]}"
        yield finding("LLB-G004", pointer=source, expected=expected, actual=opsets)
    elif spec is not None and opsets[0] != spec.opset:
        yield finding("LLB-G004", pointer=source, expected=f"opset {spec.opset}", actual=f"opset {opsets[0]}")


def _containment(model: ModelProto, source: str) -> Iterator[Finding]:
    """Findings about parts that a plain inference graph does not have."""
    graph = model.graph
    for name, parts in (
        ("functions", model.functions),
        ("training information", model.training_info),
        ("sparse initializers", graph.sparse_initializer),
    ):
        if len(parts):
            yield finding("LLB-G007", f"the graph has {name}", pointer=source, actual=f"{len(parts)} {name}")
    for tensor in graph.initializer:
        yield from _tensor(tensor, source)


def _tensor(tensor: TensorProto, source: str) -> Iterator[Finding]:
    from onnx import TensorProto as Kinds

    name = _short(tensor.name)
    if tensor.data_location == Kinds.EXTERNAL or len(tensor.external_data):
        yield finding("LLB-G006", f"the weights of {name!r} lie in another file", pointer=source)
        return
    if any(dim < 0 for dim in tensor.dims) or not _fits(tensor.dims):
        message = f"the tensor {name!r} is too large, or has a negative dimension"
        actual = " x ".join(str(dim) for dim in tensor.dims[:10])
        yield finding(
            "LLB-G008", message, pointer=source, expected=f"at most {MAX_ELEMENTS} elements", actual=actual
        )
    elif tensor.data_type in {Kinds.DOUBLE, Kinds.FLOAT, Kinds.FLOAT16, Kinds.BFLOAT16}:
        yield from _weights(tensor, source)


def _weights(tensor: TensorProto, source: str) -> Iterator[Finding]:
    import numpy as np
    from onnx import numpy_helper

    name = _short(tensor.name)
    try:
        values = numpy_helper.to_array(tensor)
    except MemoryError:
        raise
    # It fails in many ways on numbers that do not fill the shape or do not fit into the type.
    except Exception as error:
        yield finding("LLB-G002", f"the weights {name!r}: {_first_line(error)}", pointer=source)
        return
    if bool(np.isnan(values).any()):
        yield finding("LLB-G014", f"the weights {name!r} hold NaN", pointer=source)


def _operators(graph: GraphProto, source: str) -> Iterator[Finding]:
    for node in graph.node:
        if node.domain not in {"", "ai.onnx"}:
            actual = f"{_short(node.domain)}.{_short(node.op_type)}"
            yield finding(
                "LLB-G005", f"the operator {actual} is not of ai.onnx", pointer=source, actual=actual
            )
        elif node.op_type not in ALLOWED_OPERATORS:
            operator = _short(node.op_type)
            message = f"the operator {operator!r} is not on the allow-list"
            yield finding("LLB-G003", message, pointer=source, actual=operator)
        yield from _attributes(node, source)


def _attributes(node: NodeProto, source: str) -> Iterator[Finding]:
    for attribute in node.attribute:
        if attribute.HasField("g") or len(attribute.graphs):
            yield finding("LLB-G007", f"{node.op_type[:80]} holds a subgraph", pointer=source)
        if attribute.HasField("sparse_tensor") or len(attribute.sparse_tensors):
            yield finding("LLB-G007", f"{node.op_type[:80]} holds a sparse tensor", pointer=source)
        if any(math.isnan(value) for value in (attribute.f, *attribute.floats)):
            yield finding("LLB-G014", f"{node.op_type[:80]} holds the number NaN", pointer=source)
        if attribute.HasField("t"):
            yield from _tensor(attribute.t, source)
        for tensor in attribute.tensors:
            yield from _tensor(tensor, source)


def _checked(model: ModelProto, source: str) -> Iterator[Finding]:
    from onnx import checker

    try:
        checker.check_model(model, full_check=True)
    except MemoryError:
        raise
    # The checker is native code with a type of exception for every kind of fault; any of them means refusal.
    except Exception as error:
        yield finding("LLB-G002", f"the ONNX checker refuses the model: {_first_line(error)}", pointer=source)


def _cost(model: ModelProto, source: str) -> Iterator[Finding]:
    try:
        yield from check_cost(model, source)
    except MemoryError:
        raise
    # As above: shapes that fit each other for one row need not for another number of them.
    except Exception as error:
        yield finding("LLB-G002", f"ONNX cannot infer the shapes: {_first_line(error)}", pointer=source)


def _signature(graph: GraphProto, spec: GraphSpec, source: str) -> Iterator[Finding]:
    constants = {tensor.name for tensor in graph.initializer}
    inputs = [value for value in graph.input if value.name not in constants]
    for what, values, tensors in (
        ("input", inputs, spec.inputs),
        ("output", list(graph.output), spec.outputs),
    ):
        names = [_short(value.name) for value in values]
        expected = [tensor.name for tensor in tensors]
        if names != expected:
            message = f"the graph's {what} names differ from the manifest"
            yield finding(
                "LLB-G009", message, pointer=source, expected=", ".join(expected), actual=", ".join(names)
            )
            continue
        for value, tensor in zip(values, tensors, strict=True):
            yield from _tensor_signature(value, tensor, source)


def _tensor_signature(value: ValueInfoProto, spec: TensorSpec, source: str) -> Iterator[Finding]:
    from onnx import TensorProto as Kinds

    names: dict[int, str] = {Kinds.DOUBLE: "float64", Kinds.FLOAT: "float32"}
    tensor = value.type.tensor_type
    dtype = names.get(tensor.elem_type, f"ONNX type {tensor.elem_type}")
    if dtype != spec.dtype:
        yield finding(
            "LLB-G010", f"the type of {spec.name}", pointer=source, expected=spec.dtype, actual=dtype
        )
    shape = tuple(dim.dim_value if dim.HasField("dim_value") else "batch" for dim in tensor.shape.dim)
    if shape != spec.shape:
        expected, actual = (", ".join(map(str, sizes)) for sizes in (spec.shape, shape))
        yield finding(
            "LLB-G011", f"the shape of {spec.name}", pointer=source, expected=expected, actual=actual
        )


def _fits(dims: Sequence[int]) -> bool:
    """Whether a tensor of these dimensions stays within bounds; their product is never written out."""
    if 0 in dims:
        return True
    size = 1
    for dim in dims:
        size *= dim
        if size > MAX_ELEMENTS:
            return False
    return True


def _short(text: str | bytes) -> str:
    """The start of a name; protobuf gives bytes where it is not UTF-8."""
    return (text.decode("utf-8", "backslashreplace") if isinstance(text, bytes) else text)[:80]


def _first_line(error: Exception) -> str:
    """The part of a native library's message that a person can use, without its paths and stack."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return (lines[0] if lines else type(error).__name__)[:200]
