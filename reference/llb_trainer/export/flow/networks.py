"""The bijectors of a flow as nodes: all columns at once for the density, one after the other for samples."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from llb_trainer.export.flow.builder import GraphBuilder
from llb_trainer.export.flow.spline import spline, spline_inverse
from llb_trainer.flows.flow import MAX_LOG_SCALE, Flow

__all__ = ["backwards", "forwards"]

Floats = NDArray[np.float64]


def forwards(graph: GraphBuilder, flow: Flow, number: int, x: str, condition: str) -> tuple[str, list[str]]:
    """Bijector `number`: u of x, (batch, D), and terms of ln |det|, (batch, D) each.

    Args:
        graph: what the nodes are added to.
        flow: of which.
        number: of the bijector.
        x: (batch, D).
        condition: standardised, (batch, conditions), or "".
    """
    layout, network = flow.layout, flow.networks[number]
    hidden, last = x, len(network.kernels) - 1
    for layer, (kernel, bias) in enumerate(zip(network.kernels, network.biases, strict=True)):
        hidden = graph.add("Gemm", hidden, graph.real(kernel), graph.real(bias))
        if condition:
            given = graph.add("MatMul", condition, graph.real(network.conditioning[layer]))
            hidden = graph.add("Add", hidden, given)
        hidden = hidden if layer == last else _activation(graph, hidden)
    n = layout.columns
    shift, log_scale, *raw = _numbers(graph, flow, graph.reshape(hidden, n, 1, layout.numbers))
    moved = graph.add("Sub", graph.reshape(x, n, 1, 1), shift)
    less = graph.add("Neg", log_scale)
    u = graph.add("Mul", moved, graph.add("Exp", less))
    terms = [graph.reshape(less, n)]
    if layout.bins:
        u, log_slope = spline(graph, u, raw[0], raw[1], n, layout.bins, layout.box)
        terms.append(graph.reshape(log_slope, n))
    return graph.reshape(u, n), terms


def backwards(graph: GraphBuilder, flow: Flow, number: int, u: str, condition: str) -> str:
    """The inverse of bijector `number`: x of u, (batch, D).

    Hidden units are sorted by degree. With i columns known, exactly those of degree i can be computed anew,
    from columns and units that are there already: every weight is used once, as in one pass of the density.
    """
    layout, network = flow.layout, flow.networks[number]
    order = list(layout.orders[number])
    n, last = layout.columns, len(network.kernels) - 1
    columns = graph.split(graph.reshape(u, n, 1, 1), (1,) * n, 1)
    kernels = [network.kernels[0][order], *network.kernels[1:]]
    blocks = _blocks(flow, number)
    offsets = [_offsets(graph, flow, number, layer, blocks[layer], condition) for layer in range(last + 1)]
    found = [""] * n
    # What is known so far of the columns, in order, and of each hidden layer, and how many values these are.
    known, counts = [""] * (last + 1), [0] * (last + 1)
    for step, column in enumerate(order):
        numbers = ""
        for layer in range(last + 1):
            new = blocks[layer][step]
            if new.start == new.stop:
                continue
            numbers = offsets[layer][step]
            if known[layer]:
                kernel = graph.real(kernels[layer][: counts[layer], new])
                numbers = graph.add("Gemm", known[layer], kernel, numbers)
            if layer < last:
                known[layer + 1] = _with(graph, known[layer + 1], _activation(graph, numbers))
                counts[layer + 1] = new.stop
        shift, log_scale, *raw = _numbers(graph, flow, graph.reshape(numbers, 1, 1, layout.numbers))
        v = columns[column]
        if layout.bins:
            v = spline_inverse(graph, v, raw[0], raw[1], 1, layout.bins, layout.box)
        x = graph.add("Add", graph.add("Mul", v, graph.add("Exp", log_scale)), shift)
        found[column] = graph.reshape(x, 1)
        known[0], counts[0] = _with(graph, known[0], found[column]), step + 1
    return graph.add("Concat", *found, axis=1) if n > 1 else found[0]


def _blocks(flow: Flow, number: int) -> list[list[slice]]:
    """Per layer and step, which units come anew; of the last layer the numbers of the step's column."""
    layout = flow.layout
    _, *degrees = layout.degrees(number)
    steps = range(layout.columns)
    hidden = [
        [slice(*np.searchsorted(degree, [step, step + 1]).tolist()) for step in steps] for degree in degrees
    ]
    width = layout.numbers
    return [*hidden, [slice(column * width, (column + 1) * width) for column in layout.orders[number]]]


def _offsets(
    graph: GraphBuilder, flow: Flow, number: int, layer: int, blocks: list[slice], condition: str
) -> list[str]:
    """What is added to the product of each block: (1, width) without a condition, else (batch, width)."""
    network = flow.networks[number]
    bias = network.biases[layer]
    if not condition:
        return [graph.real(bias[None, block]) if block.start != block.stop else "" for block in blocks]
    whole = graph.add("Gemm", condition, graph.real(network.conditioning[layer]), graph.real(bias))
    # Blocks of the last layer come in another order than they lie in.
    lying = sorted(range(len(blocks)), key=lambda step: blocks[step].start)
    filled = [step for step in lying if blocks[step].start != blocks[step].stop]
    parts = graph.split(whole, [blocks[step].stop - blocks[step].start for step in filled], 1)
    found = dict(zip(filled, parts, strict=True))
    return [found.get(step, "") for step in range(len(blocks))]


def _numbers(graph: GraphBuilder, flow: Flow, numbers: str) -> list[str]:
    """Shift, log scale and, of a spline, raw sizes and slopes: (batch, columns, 1, ...)."""
    bins = flow.layout.bins
    sizes = (1, 1, 2 * bins, bins - 1) if bins else (1, 1)
    shift, log_scale, *raw = graph.split(numbers, sizes, 3)
    limits = graph.real(-MAX_LOG_SCALE), graph.real(MAX_LOG_SCALE)
    return [shift, graph.add("Clip", log_scale, *limits), *raw]


def _activation(graph: GraphBuilder, x: str) -> str:
    square = graph.add("Add", graph.add("Mul", x, x), graph.real(1.0))
    return graph.add("Add", x, graph.add("Sqrt", square))


def _with(graph: GraphBuilder, known: str, new: str) -> str:
    return graph.add("Concat", known, new, axis=1) if known else new
