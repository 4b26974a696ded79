"""The graph of an exported OLLL file: total yields in, four Delta NLL and four sigmas out."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from onnx import ModelProto

from llb.bundle import Manifest
from llb.interop.graph_builder import GraphBuilder
from llb.interop.olll_manifest import EXTENSION
from llb.interop.olll_metadata import CURVES

__all__ = ["FEATURES", "RESULT", "SMALLEST_SIGMA", "exported_model", "sigma_output"]

FEATURES, RESULT = "features", "nLLs"
"""Names of the tensors, which the incumbent's adapter expects."""

SMALLEST_SIGMA = 1e-15
"""Where no error is stated: the floor of the incumbent's own networks."""

_DOUBLE, _SINGLE = np.dtype(np.float64), np.dtype(np.float32)


def sigma_output(manifest: Manifest) -> str | None:
    """The graph's output that holds an error of Delta NLL: the stated one, or that of an imported file."""
    if manifest.uncertainty.output is not None:
        return manifest.uncertainty.output
    said = manifest.extensions.get(EXTENSION)
    name = said.get("sigma_output") if isinstance(said, dict) else None
    graph = manifest.graph("delta_nll")
    known = [] if graph is None else [item.name for item in graph.outputs[1:]]
    return name if name in known else None


def exported_model(model: ModelProto, manifest: Manifest, offset: Sequence[float]) -> ModelProto:
    """The bundle's graph as an OLLL network.

    The incumbent feeds total yields in single precision. The offset is subtracted as single precision has it,
    so that a total of exactly the offset is exactly no signal; the result stays in double precision.

    Args:
        model: the graph of role `delta_nll`.
        manifest: of its bundle.
        offset: (n,) events that the incumbent adds to a signal, by column.
    """
    spec = manifest.graph("delta_nll")
    if spec is None:
        raise ValueError("the bundle has no graph delta_nll")
    graph = GraphBuilder()
    base = graph.constant(np.asarray(offset, np.float32).astype(np.float64))
    signal = graph.add("Sub", graph.cast(FEATURES, _DOUBLE), base)
    names = graph.include(
        model.graph, {spec.input.name: graph.cast(signal, np.dtype(spec.input.dtype))}, "bundle"
    )
    columns = [manifest.curve(curve).column for curve in CURVES.values()]
    delta = graph.columns(graph.cast(names[spec.outputs[0].name], _DOUBLE), columns)
    stated = sigma_output(manifest)
    if stated is None:
        # Of the right shape, and of no value that matters.
        none = graph.add("Mul", graph.add("Abs", delta), graph.constant(0.0))
    else:
        none = graph.columns(graph.cast(names[stated], _DOUBLE), columns)
    sigma = graph.add("Max", none, graph.constant(SMALLEST_SIGMA))
    graph.add("Concat", delta, sigma, name=RESULT, axis=1)
    return graph.model(
        "exported_by_llb",
        (FEATURES, _SINGLE, len(manifest.bins)),
        [(RESULT, _DOUBLE, 2 * len(CURVES))],
        spec.opset,
    )
