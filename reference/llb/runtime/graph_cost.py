"""How large a graph's tensors get and how much it computes, from shapes alone, before anything runs it.

A few nodes are enough to fill any memory: a tensor beside itself doubles, a column times a row grows with the
square of the batch. ONNX infers shapes without computing values; here it does so for the batch that a reader
sends.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

from llb_schema import Finding, finding

if TYPE_CHECKING:
    from onnx import GraphProto, ModelProto, NodeProto, ValueInfoProto

__all__ = ["BLOCK_ROWS", "MAX_ELEMENTS", "check_cost"]

BLOCK_ROWS = 512
"""Rows that a graph gets at once: a call costs nothing then, and hidden layers stay in the cache."""

MAX_ELEMENTS = 2**26
"""Elements of one tensor, for a block of rows."""

_MAX_ALL_ELEMENTS = 2**30
_MAX_OPERATIONS = 2**36
# Elements of a computed tensor of integers that is still taken for a shape.
_MAX_SHAPE = 64

Shape = tuple[int, ...]


def check_cost(model: ModelProto, source: str) -> Iterator[Finding]:
    """`LLB-G008` if the size of a tensor does not follow from the input's, or there is too much of anything.

    Args:
        model: one that the ONNX checker accepts; its declared shapes are replaced.
        source: path of the file.

    Raises:
        InferenceError: of onnx, the shapes contradict each other for a block of rows.
    """
    shapes = _shapes(model)
    elements = operations = 0
    for node in model.graph.node:
        for name in filter(None, node.output):
            shape = shapes.get(name)
            if shape is None:
                message = f"the size of {name[:80]!r} does not follow from the shape of the input"
                yield finding("LLB-G008", message, pointer=source)
                return
            size = math.prod(shape)
            if size > MAX_ELEMENTS:
                message = f"the tensor {name[:80]!r} is too large"
                expected = f"at most {MAX_ELEMENTS} elements for {BLOCK_ROWS} rows"
                yield finding("LLB-G008", message, pointer=source, expected=expected, actual=_shown(size))
                return
            elements += size
        operations += _operations(node, shapes)
    for what, count, most in (
        ("elements of all tensors", elements, _MAX_ALL_ELEMENTS),
        ("operations", operations, _MAX_OPERATIONS),
    ):
        if count > most:
            expected = f"at most {most} {what} for {BLOCK_ROWS} rows"
            yield finding("LLB-G008", pointer=source, expected=expected, actual=_shown(count))


def _shapes(model: ModelProto) -> Mapping[str, Shape]:
    """The shapes of all tensors for a block of rows, by name; those that ONNX cannot tell are not there."""
    from onnx.shape_inference import infer_shapes

    graph = model.graph
    # What the file says of its own shapes would be believed where nothing is inferred.
    del graph.value_info[:]
    for value in graph.output:
        value.type.tensor_type.ClearField("shape")
    constants = {item.name: tuple(item.dims) for item in graph.initializer}
    for value in graph.input:
        dims = value.type.tensor_type.shape.dim
        if value.name not in constants and dims and not dims[0].HasField("dim_value"):
            dims[0].dim_value = BLOCK_ROWS
    inferred = infer_shapes(model, strict_mode=True).graph
    shapes = _known(inferred)
    if any(name and name not in shapes for node in graph.node for name in node.output):
        if not _computed_shapes_are_small(inferred, shapes):
            return {}
        # Shapes that the graph computes itself. Following them copies all their numbers, hence not before.
        shapes = _known(infer_shapes(model, strict_mode=True, data_prop=True).graph)
    return {**shapes, **constants}


def _values(graph: GraphProto) -> Iterator[ValueInfoProto]:
    """All tensors but the constants."""
    yield from graph.input
    yield from graph.value_info
    yield from graph.output


def _known(graph: GraphProto) -> dict[str, Shape]:
    shapes: dict[str, Shape] = {}
    for value in _values(graph):
        tensor = value.type.tensor_type
        if tensor.HasField("shape") and all(dim.HasField("dim_value") for dim in tensor.shape.dim):
            shapes[value.name] = tuple(dim.dim_value for dim in tensor.shape.dim)
    return shapes


def _computed_shapes_are_small(graph: GraphProto, shapes: Mapping[str, Shape]) -> bool:
    """Whether no tensor of integers can hold more than a shape does."""
    from onnx import TensorProto as Kinds

    integers = {Kinds.INT64, Kinds.INT32}
    return all(
        value.name in shapes and math.prod(shapes[value.name]) <= _MAX_SHAPE
        for value in _values(graph)
        if value.type.tensor_type.elem_type in integers
    )


def _operations(node: NodeProto, shapes: Mapping[str, Shape]) -> int:
    """Multiplications, or elements that are read or written, whichever are more."""
    given = [shapes[name] for name in node.input if name in shapes]
    written = sum(math.prod(shapes[name]) for name in node.output if name)
    read = sum(math.prod(shape) for shape in given)
    if node.op_type in {"MatMul", "Gemm"} and given and given[0]:
        transposed = any(item.name == "transA" and item.i for item in node.attribute)
        return max(read, written * given[0][0 if transposed else -1])
    return max(read, written)


def _shown(count: int) -> str:
    """A number that a stranger has chosen may have thousands of digits."""
    return str(count) if count < 2**63 else "2^63 or more"
