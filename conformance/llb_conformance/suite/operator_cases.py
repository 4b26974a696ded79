"""A graph for every operator of the list (GRAPH-5): quadratic forms with one more term, in which it works.

Every term is 0 at the zero signal, exactly and in any arithmetic, and never negative.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import helper, numpy_helper

from llb_conformance.quadratic import QuadraticCurve, QuadraticModel, counting_model
from llb_conformance.suite.bundles import with_graph
from llb_conformance.suite.case import Case
from llb_conformance.suite.elementwise import ELEMENTWISE
from llb_conformance.suite.requests import evaluating, inside, one_bundle
from llb_conformance.suite.tensors import TENSORS
from llb_conformance.suite.term import Term

__all__ = ["operator_cases"]

Array = NDArray[np.float64]


def operator_cases() -> Iterator[Case]:
    """Cases of class `core`: one for each operator, network and opset."""
    for term in (*ELEMENTWISE, *TENSORS):
        model = _with_term(counting_model(), term)
        bundle = with_graph(model, "graph", lambda graph, term=term: _insert(graph, term))
        yield one_bundle(
            f"graph-{term.name}",
            f"runs a graph with {term.what}",
            model,
            evaluating(model, np.concatenate([np.zeros((1, 4)), inside(model, 6, 110)])),
            requirements=("GRAPH-5", "GRAPH-7"),
            bundle=bundle,
        )
    for opset, version in ((18, 8), (19, 9), (20, 9), (21, 10)):
        model = replace(counting_model(), id=f"counting-opset-{opset}")
        bundle = with_graph(model, "graph", lambda graph, o=opset, v=version: _of_version(graph, o, v))
        yield one_bundle(
            f"graph-opset-{opset}",
            f"runs a graph of opset {opset} and IR version {version}",
            model,
            evaluating(model, inside(model, 4, 111)),
            requirements=("GRAPH-4",),
            bundle=bundle,
        )


@dataclass(frozen=True)
class _TermCurve(QuadraticCurve):
    """A quadratic curve with one more term."""

    term: Callable[[Array], Array] = np.zeros_like

    def delta(self, signals: Any) -> Array:
        """Delta NLL of signals of shape (..., n_bins)."""
        signals = np.asarray(signals, dtype=np.float64)
        return super().delta(signals) + self.term(signals)


def _with_term(model: QuadraticModel, term: Term) -> QuadraticModel:
    curves = tuple(_TermCurve(**vars(curve), term=term.function) for curve in model.curves)
    return replace(model, id=f"{model.id}-{term.name}", curves=curves)


def _insert(graph: onnx.ModelProto, term: Term) -> None:
    """Adds the term to every column of the output."""
    if term.opset:
        _of_version(graph, term.opset, 8)
    for node in graph.graph.node:
        node.output[:] = ["form" if name == "delta_nll" else name for name in node.output]
    nodes: Sequence[onnx.NodeProto] = [
        *term.nodes(),
        helper.make_node("Add", ["form", "term"], ["delta_nll"]),
    ]
    graph.graph.node.extend(nodes)
    for name, value in term.constants.items():
        graph.graph.initializer.append(numpy_helper.from_array(np.array(value), name))


def _of_version(graph: onnx.ModelProto, opset: int, version: int) -> None:
    graph.opset_import[0].version = opset
    graph.ir_version = version
