"""The map between physical units and the standard scale, both ways, as nodes: `llb_trainer.flows.units`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from llb_trainer.export.flow.builder import GraphBuilder
from llb_trainer.flows.units import FARTHEST, LARGEST_POWER, NEAREST, OUTERMOST, UnitMap

__all__ = ["inside_rows", "physical", "standard"]

Floats = NDArray[np.float64]


def inside_rows(graph: GraphBuilder, units: UnitMap, theta: str) -> str:
    """Whether all columns of a row are finite and within their bounds, (batch, 1)."""
    lower, upper = (graph.real(_row(bound)) for bound in _finite_bounds(graph, units))
    within = graph.add(
        "And", graph.add("GreaterOrEqual", theta, lower), graph.add("LessOrEqual", theta, upper)
    )
    kind = 11 if graph.dtype == np.float64 else 1
    least = graph.add("ReduceMin", graph.add("Cast", within, to=kind), axes=[1], keepdims=1)
    return graph.add("Greater", least, graph.real(0.5))


def standard(graph: GraphBuilder, units: UnitMap, theta: str) -> tuple[str, list[str], float]:
    """theta (batch, n), inside the bounds, on the standard scale.

    Returns:
        The standard values, logarithms of slopes, (batch, n) each, and the sum of those that are constant.
    """
    slopes: list[str] = []
    y, constant = _without_walls(graph, units, theta, slopes)
    if _bent_sides(units):
        v = graph.add("Sub", y, graph.real(_row(units.center)))
        v = _straightened(graph, units, v, slopes)
        y = graph.add("Add", v, graph.real(_row(units.center)))
    x = graph.add("Div", graph.add("Sub", y, graph.real(_row(units.shift))), graph.real(_row(units.scale)))
    x = graph.add("Clip", x, graph.real(-FARTHEST), graph.real(FARTHEST))
    return x, slopes, constant - float(np.sum(np.log(units.scale)))


def physical(graph: GraphBuilder, units: UnitMap, x: str) -> str:
    """Values of the standard scale, (batch, n), in physical units."""
    y = graph.add("Add", graph.add("Mul", x, graph.real(_row(units.scale))), graph.real(_row(units.shift)))
    if _bent_sides(units):
        v = graph.add("Sub", y, graph.real(_row(units.center)))
        y = graph.add("Add", _curved(graph, units, v), graph.real(_row(units.center)))
    theta = _with_walls(graph, units, y)
    if np.isfinite(units.lower).any() or np.isfinite(units.upper).any():
        lower, upper = (graph.real(_row(bound)) for bound in _finite_bounds(graph, units))
        theta = graph.add("Min", graph.add("Max", theta, lower), upper)
    return theta


def _without_walls(graph: GraphBuilder, units: UnitMap, theta: str, slopes: list[str]) -> tuple[str, float]:
    """The scale y; adds to the slopes, and returns the sum of constant ones."""
    both, single, is_lower = (
        _having(units.walls, *names) for names in (("both",), ("lower", "upper"), ("lower",))
    )
    y, constant, zero = theta, 0.0, graph.real(0.0)
    if not both.any() and not single.any():
        return theta, 0.0
    nearest, one = graph.real(NEAREST), graph.real(1.0)
    left = graph.add("Sub", theta, graph.real(_row(_or_zero(units.lower))))
    right = graph.add("Sub", graph.real(_row(_or_zero(units.upper))), theta)
    whole = np.where(both, units.upper - units.lower, 1.0)
    if both.any():
        t, rest = (
            graph.add("Log", graph.add("Max", graph.add("Div", part, graph.real(_row(whole))), nearest))
            for part in (left, right)
        )
        mine = graph.constant(_row(both))
        y = graph.add("Where", mine, graph.add("Sub", t, rest), y)
        slopes.append(graph.add("Where", mine, graph.add("Neg", graph.add("Add", t, rest)), zero))
        constant -= float(np.sum(np.log(whole)))
    if single.any():
        mine, sign = graph.constant(_row(single)), graph.real(_row(np.where(is_lower, 1.0, -1.0)))
        near = graph.add("Where", graph.constant(_row(is_lower)), left, right)
        share = graph.add("Mul", near, graph.real(_row(_inverse_range(units))))
        rest = graph.add("Max", graph.add("Sub", one, share), nearest)
        t = graph.add("Div", graph.add("Div", near, graph.real(_row(units.width))), rest)
        t = graph.add("Max", t, nearest)
        half = graph.add("Tanh", graph.add("Mul", t, graph.real(0.5)))
        gap = graph.add("Log", graph.add("Mul", half, graph.real(2.0)))
        gap = graph.add("Sub", gap, graph.add("Log", graph.add("Add", half, one)))
        y = graph.add("Where", mine, graph.add("Mul", sign, graph.add("Add", t, gap)), y)
        twice = graph.add("Mul", graph.add("Log", rest), graph.real(-2.0))
        slopes.append(graph.add("Where", mine, graph.add("Sub", twice, gap), zero))
        constant -= float(np.sum(np.log(units.width)[single]))
    return y, constant


def _with_walls(graph: GraphBuilder, units: UnitMap, y: str) -> str:
    both, single, is_lower = (
        _having(units.walls, *names) for names in (("both",), ("lower", "upper"), ("lower",))
    )
    theta, one, zero = y, graph.real(1.0), graph.real(0.0)
    lower, upper = (graph.real(_row(_or_zero(bound))) for bound in (units.lower, units.upper))
    if both.any():
        small = graph.add("Exp", graph.add("Neg", graph.add("Abs", y)))
        whole = graph.real(_row(np.where(both, units.upper - units.lower, 1.0)))
        near = graph.add("Div", graph.add("Mul", whole, small), graph.add("Add", small, one))
        side = graph.add("Less", y, zero)
        low, high = graph.add("Add", lower, near), graph.add("Sub", upper, near)
        theta = graph.add("Where", graph.constant(_row(both)), graph.add("Where", side, low, high), theta)
    if single.any():
        turned = graph.add("Mul", y, graph.real(_row(np.where(is_lower, 1.0, -1.0))))
        near = graph.add("Mul", _softplus(graph, turned), graph.real(_row(units.width)))
        share = graph.add("Mul", near, graph.real(_row(_inverse_range(units))))
        near = graph.add("Div", near, graph.add("Add", share, one))
        low, high = graph.add("Add", lower, near), graph.add("Sub", upper, near)
        side = graph.add("Where", graph.constant(_row(is_lower)), low, high)
        theta = graph.add("Where", graph.constant(_row(single)), side, theta)
    return theta


def _softplus(graph: GraphBuilder, y: str) -> str:
    """ln(1 + exp(y)); its operator has no double kernel everywhere, and ln(1 + e) alone would lose a small e.

    W. Kahan: with u = 1 + e rounded, e ln(u) / (u - 1) is ln(1 + e) to the last digits, and e where u is 1.
    """
    one, zero = graph.real(1.0), graph.real(0.0)
    e = graph.add("Exp", graph.add("Neg", graph.add("Abs", y)))
    u = graph.add("Add", e, one)
    apart = graph.add("Sub", u, one)
    lost = graph.add("Equal", apart, zero)
    exact = graph.add("Div", graph.add("Mul", e, graph.add("Log", u)), graph.add("Where", lost, one, apart))
    return graph.add("Add", graph.add("Max", y, zero), graph.add("Where", lost, e, exact))


def _straightened(graph: GraphBuilder, units: UnitMap, v: str, slopes: list[str]) -> str:
    """The tail maps of v = y - center; adds to the slopes."""
    below, distance, on, power = _sides(graph, units, v)
    one, zero = graph.real(1.0), graph.real(0.0)
    cross = graph.add("Where", below, *_crossovers(graph, units))
    w, most = graph.add("Div", distance, cross), graph.real(OUTERMOST)
    on = graph.add("And", on, graph.add("LessOrEqual", w, most))
    w = graph.add("Min", w, most)
    if power:
        root = graph.add("Sqrt", graph.add("Add", graph.add("Mul", w, w), one))
        gone = graph.add("Where", power, graph.add("Neg", graph.add("Log", root)), zero)
        slopes.append(graph.add("Where", on, gone, zero))
        w = graph.add("Where", power, graph.add("Log", graph.add("Add", w, root)), w)
    root = graph.add("Sqrt", graph.add("Add", graph.add("Mul", w, w), one))
    factor = graph.add("Sqrt", graph.add("Div", graph.real(2.0), graph.add("Add", root, one)))
    g = graph.add("Mul", w, factor)
    square = graph.add("Mul", graph.add("Mul", g, g), graph.real(0.25))
    rise = graph.add("Mul", graph.add("Log", graph.add("Add", square, one)), graph.real(0.5))
    fall = graph.add("Log", graph.add("Add", graph.add("Mul", square, graph.real(2.0)), one))
    slopes.append(graph.add("Where", on, graph.add("Sub", rise, fall), zero))
    return _signed(graph, below, on, graph.add("Mul", cross, g), v)


def _curved(graph: GraphBuilder, units: UnitMap, v: str) -> str:
    """The inverse of `_straightened`."""
    below, distance, on, power = _sides(graph, units, v)
    cross = graph.add("Where", below, *_crossovers(graph, units))
    g = graph.add("Div", distance, cross)
    root = graph.add("Add", graph.add("Mul", graph.add("Mul", g, g), graph.real(0.25)), graph.real(1.0))
    w = graph.add("Mul", g, graph.add("Sqrt", root))
    if power:
        limited = graph.add("Min", w, graph.real(LARGEST_POWER))
        ends = graph.add("Exp", limited), graph.add("Exp", graph.add("Neg", limited))
        sinh = graph.add("Mul", graph.add("Sub", *ends), graph.real(0.5))
        w = graph.add("Where", power, sinh, w)
    return _signed(graph, below, on, graph.add("Mul", cross, w), v)


def _sides(graph: GraphBuilder, units: UnitMap, v: str) -> tuple[str, str, str, str]:
    """Below the center or not, the distance, where a tail map works, where as a power ("" for nowhere)."""
    below = graph.add("Less", v, graph.real(0.0))

    def mine(*names: str) -> str:
        low, high = (graph.constant(_row(_having(side, *names))) for side in (units.below, units.above))
        on_low = graph.add("And", below, low)
        return graph.add("Or", on_low, graph.add("And", graph.add("Not", below), high))

    power = mine("power") if "power" in (*units.below, *units.above) else ""
    return below, graph.add("Abs", v), mine("exponential", "power"), power


def _crossovers(graph: GraphBuilder, units: UnitMap) -> tuple[str, str]:
    return graph.real(_row(units.crossover[0])), graph.real(_row(units.crossover[1]))


def _signed(graph: GraphBuilder, below: str, on: str, distance: str, otherwise: str) -> str:
    signed = graph.add("Where", below, graph.add("Neg", distance), distance)
    return graph.add("Where", on, signed, otherwise)


def _bent_sides(units: UnitMap) -> bool:
    return any(tail != "light" for tail in (*units.below, *units.above))


def _finite_bounds(graph: GraphBuilder, units: UnitMap) -> tuple[Floats, Floats]:
    """Bounds, where there is none the largest number of the type: infinity is outside."""
    most = float(np.finfo(graph.dtype).max)
    return np.maximum(units.lower, -most), np.minimum(units.upper, most)


def _inverse_range(units: UnitMap) -> Floats:
    return 1.0 / (units.upper - units.lower)


def _having(values: Sequence[str], *names: str) -> NDArray[np.bool_]:
    return np.array([value in names for value in values])


def _or_zero(bound: Floats) -> Floats:
    return np.where(np.isfinite(bound), bound, 0.0)


def _row(values: NDArray[Any]) -> NDArray[Any]:
    return values[None, :]
