"""The derivative of a graph, as more nodes of the same graph: reverse accumulation, operator by operator.

Backpropagation (A. Griewank and A. Walther, Evaluating Derivatives, chapter 3) with one rule for each
operator. Only values that depend on the input have a derivative; comparisons and what comes of them are
constant where they are differentiable, and `Where` keeps what is not selected out.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
from onnx import NodeProto, helper, numpy_helper, shape_inference

from llb_trainer.export.flow.builder import GraphBuilder

__all__ = ["differentiate"]

_CONSTANT = frozenset(
    {"Cast", "Equal", "GreaterOrEqual", "Greater", "Less", "LessOrEqual", "And", "Or", "Not", "Sign"}
)
"""Operators with derivative 0 wherever they have one."""

Shape = tuple[int | str, ...]


def differentiate(graph: GraphBuilder, output: str, by: str) -> str:
    """Add the nodes of the derivative of a column (batch, 1), each row by its own row of an input.

    Args:
        graph: what has computed the output; more nodes are appended.
        output: the column.
        by: name of the input, (batch, n).

    Returns:
        The name of the derivative, (batch, n).

    Raises:
        KeyError: an operator on the way has no rule.
    """
    nodes = list(graph.nodes)
    tape = _Tape(graph, _shapes(graph, output), _dependent(nodes, by))
    # Ones of the batch's length, whatever the output is.
    one = graph.real([[1.0]])
    tape.gradients[output] = graph.add("Where", graph.add("Equal", output, output), one, one)
    for node in reversed(nodes):
        if node.op_type not in _CONSTANT and any(name in tape.gradients for name in node.output):
            tape.walk(node)
    return tape.gradients[by]


def _dependent(nodes: list[NodeProto], by: str) -> set[str]:
    found = {by}
    for node in nodes:
        if node.op_type not in _CONSTANT and found & set(node.input):
            found |= set(node.output)
    return found


def _shapes(graph: GraphBuilder, output: str) -> dict[str, Shape]:
    model = shape_inference.infer_shapes(graph.model("shapes", {output: None}, "", {}), strict_mode=True)
    found: dict[str, Shape] = {}
    for value in [*model.graph.input, *model.graph.value_info, *model.graph.output]:
        dims = value.type.tensor_type.shape.dim
        found[value.name] = tuple(dim.dim_value if dim.HasField("dim_value") else "batch" for dim in dims)
    for tensor in model.graph.initializer:
        found[tensor.name] = tuple(tensor.dims)
    return found


@dataclass
class _Tape:
    """Derivatives of the output by the values of the graph, as far as they are known."""

    graph: GraphBuilder
    shapes: dict[str, Shape]
    dependent: set[str]
    gradients: dict[str, str] = field(default_factory=dict[str, str])

    def walk(self, node: NodeProto) -> None:
        """Hand on the derivative by a node's outputs to its inputs."""
        rule = _RULES[node.op_type]
        rule(self, node)

    def by(self, node: NodeProto) -> str:
        """The derivative by a node's only output."""
        return self.gradients[node.output[0]]

    def give(self, name: str, gradient: Callable[[], str]) -> None:
        """Add to the derivative by a value, if it has one, what one of its uses says."""
        if name not in self.dependent:
            return
        new = gradient()
        self.gradients[name] = (
            self.graph.add("Add", self.gradients[name], new) if name in self.gradients else new
        )

    def narrowed(self, node: NodeProto, name: str, gradient: str) -> str:
        """The derivative by an input that was repeated to the output's shape: the sum over what was."""
        wide, narrow = self.shapes[node.output[0]], self.shapes[name]
        axes = [axis for axis, (a, b) in enumerate(zip(wide, narrow, strict=True)) if a != b]
        if not axes:
            return gradient
        return self.graph.add("ReduceSum", gradient, self.graph.integer(axes), keepdims=1)

    def zero(self) -> str:
        """The constant 0."""
        return self.graph.real(0.0)


def _sum(tape: _Tape, node: NodeProto) -> None:
    for name in node.input:
        tape.give(name, lambda name=name: tape.narrowed(node, name, tape.by(node)))


def _difference(tape: _Tape, node: NodeProto) -> None:
    first, second = node.input
    tape.give(first, lambda: tape.narrowed(node, first, tape.by(node)))
    tape.give(second, lambda: tape.narrowed(node, second, tape.graph.add("Neg", tape.by(node))))


def _product(tape: _Tape, node: NodeProto) -> None:
    first, second = node.input
    if first == second:
        double = tape.graph.add("Mul", first, tape.graph.real(2.0))
        tape.give(first, lambda: tape.graph.add("Mul", tape.by(node), double))
        return
    for name, other in ((first, second), (second, first)):
        tape.give(
            name,
            lambda name=name, other=other: tape.narrowed(
                node, name, tape.graph.add("Mul", tape.by(node), other)
            ),
        )


def _quotient(tape: _Tape, node: NodeProto) -> None:
    above, below = node.input

    def by_below() -> str:
        scaled = tape.graph.add("Div", tape.graph.add("Mul", tape.by(node), node.output[0]), below)
        return tape.narrowed(node, below, tape.graph.add("Neg", scaled))

    tape.give(above, lambda: tape.narrowed(node, above, tape.graph.add("Div", tape.by(node), below)))
    tape.give(below, by_below)


def _exp(tape: _Tape, node: NodeProto) -> None:
    tape.give(node.input[0], lambda: tape.graph.add("Mul", tape.by(node), node.output[0]))


def _log(tape: _Tape, node: NodeProto) -> None:
    tape.give(node.input[0], lambda: tape.graph.add("Div", tape.by(node), node.input[0]))


def _sqrt(tape: _Tape, node: NodeProto) -> None:
    def gradient() -> str:
        half = tape.graph.add("Mul", tape.by(node), tape.graph.real(0.5))
        return tape.graph.add("Div", half, node.output[0])

    tape.give(node.input[0], gradient)


def _tanh(tape: _Tape, node: NodeProto) -> None:
    def gradient() -> str:
        square = tape.graph.add("Mul", node.output[0], node.output[0])
        slope = tape.graph.add("Sub", tape.graph.real(1.0), square)
        return tape.graph.add("Mul", tape.by(node), slope)

    tape.give(node.input[0], gradient)


def _abs(tape: _Tape, node: NodeProto) -> None:
    tape.give(
        node.input[0], lambda: tape.graph.add("Mul", tape.by(node), tape.graph.add("Sign", node.input[0]))
    )


def _neg(tape: _Tape, node: NodeProto) -> None:
    tape.give(node.input[0], lambda: tape.graph.add("Neg", tape.by(node)))


def _limited(tape: _Tape, node: NodeProto) -> None:
    """Clip, and Max or Min with a constant: the slope is 1 where the value went through."""
    through = tape.graph.add("Equal", node.output[0], node.input[0])
    tape.give(node.input[0], lambda: tape.graph.add("Where", through, tape.by(node), tape.zero()))


def _where(tape: _Tape, node: NodeProto) -> None:
    condition, first, second = node.input
    for name, order in ((first, (tape.by(node), tape.zero())), (second, (tape.zero(), tape.by(node)))):
        tape.give(
            name,
            lambda name=name, order=order: tape.narrowed(
                node, name, tape.graph.add("Where", condition, *order)
            ),
        )


def _matrix(tape: _Tape, node: NodeProto) -> None:
    """A product with a constant matrix from the right."""
    matrix = node.input[1]
    if len(tape.shapes[node.output[0]]) == 2:
        tape.give(node.input[0], lambda: tape.graph.add("Gemm", tape.by(node), matrix, transB=1))
        return
    numbers = numpy_helper.to_array(tape.graph.constants[matrix])
    turned = tape.graph.constant(np.ascontiguousarray(numbers.T))
    tape.give(node.input[0], lambda: tape.graph.add("MatMul", tape.by(node), turned))


def _reshape(tape: _Tape, node: NodeProto) -> None:
    before = [int(size) for size in tape.shapes[node.input[0]][1:]]
    tape.give(node.input[0], lambda: tape.graph.reshape(tape.by(node), *before))


def _total(tape: _Tape, node: NodeProto) -> None:
    whole = [int(size) for size in tape.shapes[node.input[0]][1:]]
    ones = tape.graph.real(np.ones((1, *whole)))
    tape.give(node.input[0], lambda: tape.graph.add("Mul", tape.by(node), ones))


def _split(tape: _Tape, node: NodeProto) -> None:
    parts = [tape.gradients[name] for name in node.output]
    tape.give(node.input[0], lambda: tape.graph.add("Concat", *parts, axis=_axis(node)))


def _concat(tape: _Tape, node: NodeProto) -> None:
    axis = _axis(node)
    sizes = [int(tape.shapes[name][axis]) for name in node.input]
    parts = tape.graph.split(tape.by(node), sizes, axis)
    for name, part in zip(node.input, parts, strict=True):
        tape.give(name, lambda part=part: part)


def _softmax(tape: _Tape, node: NodeProto) -> None:
    """Along the last axis."""

    def gradient() -> str:
        mean = tape.graph.total(tape.graph.add("Mul", tape.by(node), node.output[0]))
        return tape.graph.add("Mul", node.output[0], tape.graph.add("Sub", tape.by(node), mean))

    tape.give(node.input[0], gradient)


def _axis(node: NodeProto) -> int:
    return next(helper.get_attribute_value(item) for item in node.attribute if item.name == "axis")


_RULES: dict[str, Callable[[_Tape, NodeProto], None]] = {
    "Abs": _abs,
    "Add": _sum,
    "Clip": _limited,
    "Concat": _concat,
    "Div": _quotient,
    "Exp": _exp,
    "Gemm": _matrix,
    "Log": _log,
    "MatMul": _matrix,
    "Max": _limited,
    "Min": _limited,
    "Mul": _product,
    "Neg": _neg,
    "ReduceSum": _total,
    "Reshape": _reshape,
    "Softmax": _softmax,
    "Split": _split,
    "Sqrt": _sqrt,
    "Sub": _difference,
    "Sum": _sum,
    "Tanh": _tanh,
    "Where": _where,
}
