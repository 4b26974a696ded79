"""The transforms of OLLL v0.1 as nodes of a graph, in double precision and GRAPH-5's operators."""

from __future__ import annotations

from collections.abc import Sequence

from llb.interop.graph_builder import GraphBuilder
from llb.interop.olll_steps import Asinh, Log, LogitBounded, SignedLog, Standardize, Step

__all__ = ["apply_nodes", "undo_nodes"]


def apply_nodes(graph: GraphBuilder, steps: Sequence[Step], x: str) -> str:
    """A pipeline forwards: the tensor that the network takes from a (batch, columns) tensor of yields.

    Raises:
        NotImplementedError: a step that no feature pipeline has.
    """
    for step in steps:
        match step:
            case Standardize(mean, std):
                x = graph.add("Div", graph.add("Sub", x, graph.constant(mean)), graph.constant(std))
            case SignedLog():
                size = graph.add("Add", graph.add("Abs", x), graph.constant(1.0))
                x = graph.add("Mul", graph.add("Sign", x), graph.add("Log", size))
            case Log():
                x = graph.add("Log", x)
            case _:
                raise NotImplementedError(f"{type(step).__name__} of features")
    return x


def undo_nodes(graph: GraphBuilder, steps: Sequence[Step], y: str) -> tuple[str, str]:
    """A pipeline backwards: the physical numbers, and |d physical / d y|, both (batch, columns)."""
    slope = graph.add("Add", graph.add("Mul", y, graph.constant(0.0)), graph.constant(1.0))
    for step in reversed(steps):
        y, factor = _undone(graph, step, y)
        slope = graph.add("Mul", slope, factor)
    return y, slope


def _undone(graph: GraphBuilder, step: Step, y: str) -> tuple[str, str]:
    match step:
        case Standardize(mean, std):
            scaled = graph.add("Mul", y, graph.constant(std))
            return graph.add("Add", scaled, graph.constant(mean)), graph.constant(std)
        case SignedLog():
            grown = graph.add("Exp", graph.add("Abs", y))
            size = graph.add("Sub", grown, graph.constant(1.0))
            return graph.add("Mul", graph.add("Sign", y), size), grown
        case Log():
            grown = graph.add("Exp", y)
            return grown, grown
        case Asinh(scale):
            rising, falling = graph.add("Exp", y), graph.add("Exp", graph.add("Neg", y))
            half = graph.constant(0.5 * scale)
            value = graph.add("Mul", graph.add("Sub", rising, falling), half)
            factor = graph.add("Mul", graph.add("Add", rising, falling), graph.constant(0.5 * abs(scale)))
            return value, factor
        case LogitBounded(lo, hi):
            width = graph.constant([high - low for low, high in zip(lo, hi, strict=True)])
            one = graph.constant(1.0)
            # Not Sigmoid, which not every runtime has in double precision.
            below = graph.add("Exp", graph.add("Neg", y))
            p = graph.add("Reciprocal", graph.add("Add", below, one))
            value = graph.add("Add", graph.add("Mul", p, width), graph.constant(lo))
            spread = graph.add("Mul", graph.add("Mul", p, graph.add("Sub", one, p)), graph.add("Abs", width))
            return value, spread
        case _:
            raise NotImplementedError(type(step).__name__)
