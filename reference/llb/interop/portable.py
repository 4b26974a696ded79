"""Operators that networks are exported with and bundles do not have (GRAPH-5), in operators that they have.

The arithmetic in between is in double precision, so that what comes out is the operator's value rounded
once to the network's own type: as close as two runtimes' own implementations are to each other.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from functools import cache

import numpy as np
from onnx import GraphProto, NodeProto

from llb.interop.graph_builder import GraphBuilder

__all__ = ["ERF_RANGE", "REWRITTEN", "erf_coefficients", "portable"]

ERF_RANGE = 4.5
"""Beyond, |erf| is 1 within 2e-10."""

_DEGREE = 20
"""Enough for 4e-10, a hundredth of a float32's step, and half the nodes of a double's last digit."""
_DOUBLE = np.dtype(np.float64)


@cache
def erf_coefficients() -> tuple[float, ...]:
    """erf(x)/x for |x| <= 4.5 as a polynomial in v = 2 x^2/4.5^2 - 1, the highest power first, within 1e-9.

    erf(x)/x is an entire function of x^2, so that interpolation at Chebyshev's points converges faster than
    any power; v runs over [-1, 1].
    """

    def ratio(v: np.ndarray) -> np.ndarray:
        x = np.sqrt(np.maximum(0.5 * ERF_RANGE**2 * (v + 1.0), 1e-300))
        return np.array([math.erf(item) / item for item in x])

    series = np.polynomial.chebyshev.Chebyshev.interpolate(ratio, _DEGREE)
    powers = series.convert(kind=np.polynomial.Polynomial).coef
    return tuple(float(value) for value in powers[::-1])


_Body = Callable[[GraphBuilder, NodeProto, str], str]


def _erf(graph: GraphBuilder, _node: NodeProto, x: str) -> str:
    clipped = graph.add("Clip", x, graph.constant(-ERF_RANGE), graph.constant(ERF_RANGE))
    square = graph.add("Mul", clipped, clipped)
    v = graph.add("Sub", graph.add("Mul", square, graph.constant(2.0 / ERF_RANGE**2)), graph.constant(1.0))
    first, *rest = erf_coefficients()
    value = graph.constant(first)
    for coefficient in rest:
        value = graph.add("Add", graph.add("Mul", value, v), graph.constant(coefficient))
    return graph.add("Mul", clipped, value)


def _softplus(graph: GraphBuilder, _node: NodeProto, x: str) -> str:
    # max(x, 0) + ln(1 + e^-|x|) never overflows.
    one = graph.constant(1.0)
    decay = graph.add("Exp", graph.add("Neg", graph.add("Abs", x)))
    grown = graph.add("Add", decay, one)
    # ln(1 + d) is d ln(g) / (g - 1) with the rounded sum g = 1 + d, or d where that is 1: no digit of a tiny
    # sigma is lost.
    ratio = graph.add("Div", graph.add("Log", grown), graph.add("Sub", grown, one))
    rest = graph.add("Where", graph.add("Equal", grown, one), decay, graph.add("Mul", decay, ratio))
    return graph.add("Add", graph.add("Relu", x), rest)


def _elu(graph: GraphBuilder, node: NodeProto, x: str) -> str:
    falling = graph.add("Sub", graph.add("Exp", _negative(graph, x)), graph.constant(1.0))
    scaled = graph.add("Mul", falling, graph.constant(_attribute(node, "alpha", 1.0)))
    return graph.add("Add", graph.add("Relu", x), scaled)


def _leaky_relu(graph: GraphBuilder, node: NodeProto, x: str) -> str:
    slope = graph.constant(_attribute(node, "alpha", 0.01))
    return graph.add("Add", graph.add("Relu", x), graph.add("Mul", _negative(graph, x), slope))


def _gelu(graph: GraphBuilder, node: NodeProto, x: str) -> str:
    half = graph.constant(0.5)
    if any(item.name == "approximate" and item.s == b"tanh" for item in node.attribute):
        cube = graph.add("Mul", graph.add("Mul", x, x), x)
        inner = graph.add("Add", x, graph.add("Mul", cube, graph.constant(0.044715)))
        bent = graph.add("Tanh", graph.add("Mul", inner, graph.constant(math.sqrt(2.0 / math.pi))))
    else:
        bent = _erf(graph, node, graph.add("Mul", x, graph.constant(math.sqrt(0.5))))
    return graph.add("Mul", graph.add("Mul", x, half), graph.add("Add", bent, graph.constant(1.0)))


def _negative(graph: GraphBuilder, x: str) -> str:
    """min(x, 0)."""
    return graph.add("Neg", graph.add("Relu", graph.add("Neg", x)))


def _attribute(node: NodeProto, name: str, default: float) -> float:
    """The value of an attribute, or what the operator's definition takes where it is left out."""
    return next((item.f for item in node.attribute if item.name == name), default)


_BODIES: Mapping[str, _Body] = {
    "Elu": _elu,
    "Erf": _erf,
    "Gelu": _gelu,
    "LeakyRelu": _leaky_relu,
    "Softplus": _softplus,
}

REWRITTEN = frozenset(_BODIES)
"""Names of the operators that `portable` replaces."""


def portable(graph: GraphProto, dtype: np.dtype[np.floating]) -> GraphProto:
    """The same graph with every operator of `REWRITTEN` replaced.

    Args:
        graph: a graph all of whose such operators work on tensors of type `dtype`.
        dtype: float32 or float64.

    Returns:
        A new graph; the other one is left as it is.
    """
    result = GraphProto()
    result.CopyFrom(graph)
    builder = GraphBuilder("portable")
    nodes: list[NodeProto] = []
    for node in graph.node:
        if node.op_type not in _BODIES or node.domain not in {"", "ai.onnx"}:
            nodes.append(node)
            continue
        before = len(builder.nodes)
        value = _BODIES[node.op_type](builder, node, builder.cast(node.input[0], _DOUBLE))
        builder.cast(value, dtype, name=node.output[0])
        nodes.extend(builder.nodes[before:])
    del result.node[:]
    result.node.extend(nodes)
    result.initializer.extend(builder.initializers)
    return result
