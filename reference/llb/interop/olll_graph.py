"""The graph of an imported bundle: signal yields in, Delta NLL and the file's own sigma out."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from llb.interop.graph_builder import GraphBuilder
from llb.interop.olll_metadata import CURVES
from llb.interop.olll_network import Network
from llb.interop.olll_nodes import apply_nodes, undo_nodes
from llb.interop.olll_pipelines import Transforms
from llb.interop.olll_steps import Step

__all__ = ["CURVE_ORDER", "INPUT", "OUTPUT", "SIGMA", "imported_graph", "output_order"]

INPUT, OUTPUT, SIGMA = "signal", "delta_nll", "olll_sigma"
"""Names of the tensors. The sigma is not calibrated, so `uncertainty` of the manifest does not name it."""

CURVE_ORDER = ("observed", "observed_asimov", "apriori", "apriori_asimov")
"""The columns of the outputs, as in bundles that were trained here."""

_DOUBLE = np.dtype(np.float64)
_LOWEST = -1.0e300


def output_order() -> tuple[int, ...]:
    """Their column for each of ours."""
    theirs = list(CURVES.values())
    return tuple(theirs.index(curve) for curve in CURVE_ORDER)


def imported_graph(
    network: Network,
    transforms: Transforms,
    offset: Sequence[float],
    closure: NDArray[np.float64] | None,
    *,
    floor_asimov: bool = False,
) -> bytes:
    """The graph as the bytes of an ONNX file.

    Delta NLL is the network at offset + signal, less `closure`, and exactly 0 where every yield is 0: there
    the number is not computed but chosen, because two runtimes, or one with two sizes of batches, differ in
    the last digits of a float32 network.

    Args:
        network: what was published.
        transforms: around it.
        offset: (n,) events that are added to the signal, by column.
        closure: (4,) what the network gives at no signal, by `CURVE_ORDER`; None subtracts nothing.
        floor_asimov: whether curves on Asimov data are lifted to 0 where they fall below it.
    """
    graph = GraphBuilder()
    total = graph.add("Add", INPUT, graph.constant(tuple(offset)))
    features = graph.cast(apply_nodes(graph, transforms.features, total), network.dtype)
    names = graph.include(network.graph, {network.input: features}, "network")
    raw = graph.cast(names[network.output], _DOUBLE)
    value, sigma = _decoded(graph, transforms.outputs, raw)
    if closure is not None:
        value = graph.add("Sub", value, graph.constant(closure))
    if floor_asimov:
        floor = [0.0 if curve.endswith("_asimov") else _LOWEST for curve in CURVE_ORDER]
        value = graph.add("Max", value, graph.constant(floor))
    size = graph.add("ReduceSum", graph.add("Abs", INPUT), graph.constant([1], np.int64), keepdims=1)
    nothing = graph.constant(0.0)
    graph.add("Where", graph.add("Equal", size, nothing), nothing, value, name=OUTPUT)
    graph.add("Identity", sigma, name=SIGMA)
    width = len(CURVE_ORDER)
    model = graph.model(
        "imported_from_olll",
        (INPUT, _DOUBLE, network.width),
        [(OUTPUT, _DOUBLE, width), (SIGMA, _DOUBLE, width)],
        network.opset,
    )
    return model.SerializeToString(deterministic=True)


def _decoded(graph: GraphBuilder, outputs: Sequence[tuple[Step, ...]], raw: str) -> tuple[str, str]:
    """Physical values and sigmas by `CURVE_ORDER`, from the eight columns of the network."""
    count = len(outputs)
    values, sigmas = list[str](), list[str]()
    for column in output_order():
        value, slope = undo_nodes(graph, outputs[column], graph.columns(raw, [column]))
        values.append(value)
        sigmas.append(graph.add("Mul", slope, graph.columns(raw, [count + column])))
    return graph.add("Concat", *values, axis=1), graph.add("Concat", *sigmas, axis=1)
