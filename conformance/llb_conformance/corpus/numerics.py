"""Faults of the numbers: a graph of the right form whose answers are not what the bundle promises."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import TensorProto, helper

from llb_conformance.corpus.case import Case, case
from llb_conformance.corpus.draft import GRAPH, VECTORS, Draft, faulty, good_model
from llb_conformance.corpus.surgery import behind, graph_fault, rewrite, with_constants
from llb_conformance.quadratic import QuadraticModel

__all__ = ["numerics_cases"]

Floats = NDArray[np.float64]

_EVERY_VECTOR = "Every test vector shows it."
_EVERY_POINT = "Every point of the domain shows it."
_FIRST = f"{VECTORS}#/cases/1"


def numerics_cases() -> tuple[Case, ...]:
    """Cases of stage `numerics`."""
    return (*_vectors(), *_exactness(), *_domain(), *_stated_error(), *_runs())


def _graph(
    name: str, code: str, pointer: str, fault: Callable[[onnx.ModelProto], Any], note: str = ""
) -> Case:
    return case(name, "numerics", code, pointer, graph_fault(fault), note=note)


def _vector(name: str, code: str, pointer: str, change: Callable[[Any], Any], note: str = "") -> Case:
    build = faulty(lambda draft: draft.change_json(VECTORS, change))
    return case(name, "numerics", code, pointer, build, note=note)


def _vectors() -> tuple[Case, ...]:
    fourth = f"{VECTORS}#/cases/3"
    return (
        _vector("vector-not-reproduced", "LLB-N001", fourth, _one_value),
        _vector(
            "vectors-of-minus-two-log-l", "LLB-N001", _FIRST, lambda raw: _scale(raw, 2.0), _EVERY_VECTOR
        ),
        _vector("vectors-of-log-l", "LLB-N001", _FIRST, lambda raw: _scale(raw, -1.0), _EVERY_VECTOR),
        _vector(
            "vectors-of-log10-l", "LLB-N001", _FIRST, lambda raw: _scale(raw, np.log10(np.e)), _EVERY_VECTOR
        ),
        _vector("vectors-in-thousands-of-events", "LLB-N001", _FIRST, _thousands, _EVERY_VECTOR),
        _graph("graph-bins-in-another-order", "LLB-N001", _FIRST, _turn_bins, _EVERY_VECTOR),
        _graph("graph-curves-in-another-order", "LLB-N001", _FIRST, _turn_curves, _EVERY_VECTOR),
        _graph("graph-rounded-to-single-precision", "LLB-N001", _FIRST, _round, _EVERY_VECTOR),
        case("vector-outside-the-box", "numerics", "LLB-M025", fourth, faulty(_far_vector)),
        case("vector-beyond-the-truncation", "numerics", "LLB-M025", fourth, faulty(_truncate)),
    )


def _exactness() -> tuple[Case, ...]:
    note = "The zero signal is a test vector, and every curve shows it."
    return (
        case(
            "zero-not-exact",
            "numerics",
            "LLB-N001",
            f"{VECTORS}#/cases/0",
            graph_fault(_shift),
            requirement="NUMERICS-2",
            note=note,
        ),
        _graph(
            "zero-not-exact-alone",
            "LLB-N002",
            "/graphs",
            lambda model: _alone(model, "delta_nll", shift=1e-12),
        ),
        _graph(
            "batch-other-than-single",
            "LLB-N003",
            _FIRST,
            lambda model: _alone(model, "delta_nll", scale=1e-6),
            _EVERY_VECTOR,
        ),
    )


def _domain() -> tuple[Case, ...]:
    dipping = faulty(lambda _: None, model=_dipping)
    return (
        _graph(
            "domain-edge-not-finite",
            "LLB-N004",
            "/domain",
            _pole,
            "Several points lie on that edge of the domain.",
        ),
        case("asimov-curve-negative", "numerics", "LLB-N005", "/curves", dipping),
    )


def _stated_error() -> tuple[Case, ...]:
    place = "/uncertainty/output"
    negative = helper.make_node("Neg", ["inner"], ["sigma"])
    infinite = helper.make_node("Reciprocal", ["inner"], ["sigma"])
    note = "The zero signal shows it alone and in a batch, in every curve."
    return (
        _graph(
            "error-negative", "LLB-N010", place, lambda model: behind(model, "sigma", negative), _EVERY_POINT
        ),
        _graph("error-infinite", "LLB-N010", place, lambda model: behind(model, "sigma", infinite), note),
        _graph("error-at-zero-not-zero", "LLB-N011", place, _floor, note),
        _graph(
            "error-in-a-batch-other-than-single",
            "LLB-N012",
            _FIRST,
            lambda model: _alone(model, "sigma", scale=1e-3),
            _EVERY_VECTOR,
        ),
    )


def _runs() -> tuple[Case, ...]:
    return (
        _graph("graph-fails-when-it-runs", "LLB-G015", GRAPH, _reshape),
        _graph("graph-loses-rows", "LLB-N006", GRAPH, _largest),
    )


def _one_value(raw: Any) -> None:
    raw["cases"][3]["delta_nll"]["observed"] += 1e-6


def _scale(raw: Any, factor: float) -> None:
    for item in raw["cases"]:
        item["delta_nll"] = {name: factor * value for name, value in item["delta_nll"].items()}


def _thousands(raw: Any) -> None:
    for item in raw["cases"]:
        item["signal"] = {name: value / 1e3 for name, value in item["signal"].items()}


def _put_vector(draft: Draft, signal: Floats) -> None:
    """Gives the fourth vector another signal, with the right values."""

    def change(raw: Any) -> None:
        raw["cases"][3]["signal"] = dict(zip(draft.model.bin_ids, signal.tolist(), strict=True))
        raw["cases"][3]["delta_nll"] = {
            curve.name: float(curve.delta(signal)) for curve in draft.model.own_curves
        }

    draft.change_json(VECTORS, change)


def _far_vector(draft: Draft) -> None:
    # Inside the truncation: only the box is left.
    _put_vector(draft, np.array([-0.5, 0.0, 0.0]))


def _truncate(draft: Draft) -> None:
    # Inside the box: only the truncation is left.
    _put_vector(draft, np.array(draft.model.upper))


def _turn_bins(model: onnx.ModelProto) -> None:
    """The last two columns of the input in each other's place."""
    for name in ("slopes", "roots"):
        rewrite(model, name, lambda value: value[[0, 2, 1]])


def _turn_curves(model: onnx.ModelProto) -> None:
    for name in ("slopes", "halves"):
        rewrite(model, name, lambda value: value[:, ::-1])


def _round(model: onnx.ModelProto) -> None:
    nodes = (
        helper.make_node("Cast", ["inner"], ["single"], to=TensorProto.FLOAT),
        helper.make_node("Cast", ["single"], ["delta_nll"], to=TensorProto.DOUBLE),
    )
    behind(model, "delta_nll", *nodes)


def _shift(model: onnx.ModelProto) -> None:
    with_constants(model, shift=1e-12)
    behind(model, "delta_nll", helper.make_node("Add", ["inner", "shift"], ["delta_nll"]))


def _alone(model: onnx.ModelProto, output: str, **by: float) -> None:
    """Makes a point that comes alone another one: its first curve is scaled by a little or shifted."""
    ((how, amount),) = by.items()
    with_constants(model, first=[0], one=[1], amount=[[amount, 0.0, 0.0]], unit=1.0)
    nodes = [
        helper.make_node("Shape", ["signal"], ["shape"]),
        helper.make_node("Gather", ["shape", "first"], ["rows"]),
        helper.make_node("Equal", ["rows", "one"], ["single"]),
        helper.make_node("Cast", ["single"], ["switch"], to=TensorProto.DOUBLE),
        helper.make_node("Mul", ["switch", "amount"], ["change"]),
    ]
    if how == "shift":
        nodes.append(helper.make_node("Add", ["inner", "change"], [output]))
    else:
        nodes.append(helper.make_node("Add", ["change", "unit"], ["factor"]))
        nodes.append(helper.make_node("Mul", ["inner", "factor"], [output]))
    behind(model, output, *nodes)


def _pole(model: onnx.ModelProto) -> None:
    """Adds 0 / (upper - s) of the first bin: no number on the edge, nothing elsewhere."""
    with_constants(model, edge=good_model().upper[0], nothing=0.0, pick=[[1.0], [0.0], [0.0]])
    nodes = (
        helper.make_node("MatMul", ["signal", "pick"], ["yield"]),
        helper.make_node("Sub", ["edge", "yield"], ["distance"]),
        helper.make_node("Div", ["nothing", "distance"], ["term"]),
        helper.make_node("Add", ["inner", "term"], ["delta_nll"]),
    )
    behind(model, "delta_nll", *nodes)


def _dipping() -> QuadraticModel:
    """A model whose Asimov data prefer a signal, and which says so everywhere."""
    model = good_model()
    curves = tuple(
        replace(curve, slope=np.full(3, -0.1)) if curve.name == "observed_asimov" else curve
        for curve in model.curves
    )
    return replace(model, curves=curves)


def _floor(model: onnx.ModelProto) -> None:
    with_constants(model, least=1e-9)
    behind(model, "sigma", helper.make_node("Max", ["inner", "least"], ["sigma"]))


def _reshape(model: onnx.ModelProto) -> None:
    with_constants(model, fixed=[7, 3])
    behind(model, "delta_nll", helper.make_node("Reshape", ["inner", "fixed"], ["delta_nll"]))


def _largest(model: onnx.ModelProto) -> None:
    behind(model, "delta_nll", helper.make_node("ReduceMax", ["inner"], ["delta_nll"], axes=[0], keepdims=1))
