"""Rational-quadratic splines as nodes, both ways: `llb_trainer.flows.spline`.

Points are (batch, n, 1, 1), raw numbers (batch, n, 1, 3 K - 1), for n columns at once. The bin is found by
comparisons and picked by a sum over a mask: look-ups by computed indices are not on the allow-list, and
neither are running sums, which are products with a triangle of ones here.
"""

from __future__ import annotations

import numpy as np

from llb_trainer.export.flow.builder import GraphBuilder
from llb_trainer.flows.spline import MIN_SIZE, MIN_SLOPE

__all__ = ["spline", "spline_inverse"]


def spline(
    graph: GraphBuilder, x: str, sizes: str, slopes: str, columns: int, bins: int, box: float
) -> tuple[str, str]:
    """The spline of x and ln of its derivative, (batch, columns, 1, 1).

    Args:
        graph: what the nodes are added to.
        x: (batch, columns, 1, 1).
        sizes, slopes: raw numbers, (batch, columns, 1, 2 bins) and (batch, columns, 1, bins - 1).
        columns, bins, box: shapes, and B.
    """
    within, (width, height, x0, y0, left, right) = _bin(graph, x, sizes, slopes, (columns, bins, box), 0)
    across = graph.add("Div", height, width)
    bend = _bend(graph, across, left, right)
    one = graph.real(1.0)
    xi = graph.add("Div", graph.add("Sub", within, x0), width)
    xi = graph.add("Clip", xi, graph.real(0.0), one)
    rest = graph.add("Sub", one, xi)
    product, square = graph.add("Mul", xi, rest), graph.add("Mul", xi, xi)
    below = graph.add("Add", across, graph.add("Mul", bend, product))
    first = graph.add("Add", graph.add("Mul", across, square), graph.add("Mul", left, product))
    y = graph.add("Add", y0, graph.add("Div", graph.add("Mul", height, first), below))
    slope = graph.add(
        "Sum",
        graph.add("Mul", right, square),
        graph.add("Mul", graph.add("Add", across, across), product),
        graph.add("Mul", left, graph.add("Mul", rest, rest)),
    )
    ratio = graph.add("Div", across, below)
    log_slope = graph.add("Add", graph.add("Log", slope), graph.add("Log", graph.add("Mul", ratio, ratio)))
    inside = graph.add("Equal", within, x)
    return graph.add("Where", inside, y, x), graph.add("Where", inside, log_slope, graph.real(0.0))


def spline_inverse(
    graph: GraphBuilder, y: str, sizes: str, slopes: str, columns: int, bins: int, box: float
) -> str:
    """The x of which `spline` makes y; arguments as there."""
    within, (width, height, x0, y0, left, right) = _bin(graph, y, sizes, slopes, (columns, bins, box), 1)
    across = graph.add("Div", height, width)
    rise = graph.add("Sub", within, y0)
    bent = graph.add("Mul", rise, _bend(graph, across, left, right))
    a = graph.add("Add", graph.add("Mul", height, graph.add("Sub", across, left)), bent)
    b = graph.add("Sub", graph.add("Mul", height, left), bent)
    product = graph.add("Mul", across, rise)
    twice = graph.add("Add", product, product)
    four = graph.add("Mul", graph.add("Add", twice, twice), a)
    square = graph.add("Max", graph.add("Add", graph.add("Mul", b, b), four), graph.real(0.0))
    xi = graph.add("Div", twice, graph.add("Add", b, graph.add("Sqrt", square)))
    x = graph.add("Add", graph.add("Mul", xi, width), x0)
    return graph.add("Where", graph.add("Equal", within, y), x, y)


def _bin(
    graph: GraphBuilder, at: str, sizes: str, slopes: str, shape: tuple[int, int, float], axis: int
) -> tuple[str, list[str]]:
    """The point within the box; width, height, x, y, left and right slope of its bin."""
    columns, bins, box = shape
    size, edge, slope = _knots(graph, sizes, slopes, columns, bins, box)
    within = graph.add("Clip", at, graph.real(-box), graph.real(box))
    edges = graph.split(edge, (1, 1), 2)[axis]
    reached = graph.add("GreaterOrEqual", within, edges)
    kind = 11 if graph.dtype == np.float64 else 1
    # Reached, and the next one not: differences of ones and zeros. The first counts as reached always.
    difference = np.eye(bins) - np.eye(bins, k=-1)
    always = np.eye(1, bins)
    difference[0] = 0.0
    mask = graph.add("MatMul", graph.add("Cast", reached, to=kind), graph.real(difference))
    mask = graph.add("Add", mask, graph.real(always[None, None]))
    stack = graph.add("Concat", size, edge, slope, axis=2)
    picked = graph.total(graph.add("Mul", stack, mask))
    return within, graph.split(picked, (1,) * 6, 2)


def _knots(
    graph: GraphBuilder, sizes: str, slopes: str, columns: int, bins: int, box: float
) -> tuple[str, str, str]:
    """Sizes, lower edges and slopes at both ends of all bins, each (batch, columns, 2, bins)."""
    share = graph.add("Softmax", graph.reshape(sizes, columns, 2, bins), axis=-1)
    size = graph.add("Mul", share, graph.real(2.0 * box * (1.0 - MIN_SIZE * bins)))
    size = graph.add("Add", size, graph.real(2.0 * box * MIN_SIZE))
    # Everything before a bin, its own size not counted.
    before = graph.add("MatMul", size, graph.real(np.triu(np.ones((bins, bins)), 1)))
    edge = graph.add("Sub", before, graph.real(box))
    root = graph.add("Sqrt", graph.add("Add", graph.add("Mul", slopes, slopes), graph.real(4.0)))
    rising = graph.add("Add", slopes, root)
    inner = 0.5 * (1.0 - MIN_SLOPE) * np.eye(bins - 1)
    nothing = np.zeros((bins - 1, 1))
    ends = np.concatenate([nothing, inner, inner, nothing], axis=1)
    floor = np.full(2 * bins, MIN_SLOPE)
    floor[[0, -1]] = 1.0
    slope = graph.add(
        "Add", graph.add("MatMul", rising, graph.real(ends)), graph.real(floor[None, None, None])
    )
    return size, edge, graph.reshape(slope, columns, 2, bins)


def _bend(graph: GraphBuilder, across: str, left: str, right: str) -> str:
    return graph.add("Sub", graph.add("Add", left, right), graph.add("Add", across, across))
