"""The transforms as numbers and as nodes: back is the way there undone, and the slope is its derivative."""

from __future__ import annotations

import numpy as np
import onnx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from onnx.reference import ReferenceEvaluator

from llb.interop.graph_builder import GraphBuilder
from llb.interop.olll_nodes import apply_nodes, undo_nodes
from llb.interop.olll_steps import Asinh, Log, LogitBounded, SignedLog, Standardize, Step, undo

Array = NDArray[np.float64]

STANDARD = Standardize((0.5, -2.0), (1.5, 0.25))
BOUNDED = LogitBounded((-1.0, 0.0), (5.0, 30.0))
STEPS: dict[str, Step] = {
    "standardization": STANDARD,
    "log_w_negatives": SignedLog(),
    "log": Log(),
    "asinh": Asinh(18.36),
    "logit_bounded": BOUNDED,
}
PIPELINES = [[step] for step in STEPS.values()] + [
    [SignedLog(), STANDARD],
    [Asinh(2.0), STANDARD],
    [Log(), STANDARD],
]
numbers = st.floats(0.05, 4.9)
rows = st.lists(st.tuples(numbers, numbers), min_size=1, max_size=5).map(np.array)


@pytest.mark.parametrize("name", STEPS)
@given(x=rows)
def test_back_is_the_way_there_undone(name: str, x: Array) -> None:
    step = STEPS[name]
    np.testing.assert_allclose(step.inverse(step.forward(x)), x, rtol=1e-10, atol=1e-12)


@pytest.mark.parametrize("name", ["standardization", "log_w_negatives", "asinh"])
@given(x=rows)
def test_negative_numbers_come_back_too(name: str, x: Array) -> None:
    step = STEPS[name]
    np.testing.assert_allclose(step.inverse(step.forward(-x)), -x, rtol=1e-10, atol=1e-12)


@pytest.mark.parametrize("pipeline", PIPELINES, ids=str)
@given(y=rows)
def test_the_slope_is_the_derivative(pipeline: list[Step], y: Array) -> None:
    y, eps = y - 2.5, 1e-6
    numeric = np.abs(undo(pipeline, y + eps)[0] - undo(pipeline, y - eps)[0]) / (2.0 * eps)
    np.testing.assert_allclose(undo(pipeline, y)[1], numeric, rtol=1e-6, atol=1e-9)


def test_the_formulae_are_those_of_the_standard() -> None:
    x = np.array([[-3.0, 0.0], [7.0, 2.0]])
    np.testing.assert_array_equal(SignedLog().forward(x), [[-np.log(4.0), 0.0], [np.log(8.0), np.log(3.0)]])
    np.testing.assert_allclose(Asinh(2.0).inverse(x), 2.0 * np.sinh(x))
    np.testing.assert_allclose(STANDARD.forward(x), (x - [0.5, -2.0]) / [1.5, 0.25])
    np.testing.assert_allclose(BOUNDED.inverse(np.zeros((1, 2))), [[2.0, 15.0]])
    # As in the training code, numbers at the ends are kept away from infinity.
    np.testing.assert_allclose(BOUNDED.forward(np.array([[-9.0, 99.0]])), [[-13.8155, 13.8155]], rtol=1e-5)


def nodes_of(pipeline: list[Step], rows: Array, *, forward: bool) -> list[Array]:
    graph = GraphBuilder()
    results = [apply_nodes(graph, pipeline, "x")] if forward else list(undo_nodes(graph, pipeline, "x"))
    names = [graph.add("Identity", item, name=f"out{place}") for place, item in enumerate(results)]
    kind = np.dtype(np.float64)
    model = graph.model("steps", ("x", kind, 2), [(name, kind, 2) for name in names], 17)
    onnx.checker.check_model(model, full_check=True)
    return [np.asarray(item) for item in ReferenceEvaluator(model).run(None, {"x": rows})]


@pytest.mark.parametrize("pipeline", PIPELINES, ids=str)
@settings(max_examples=20, deadline=None)
@given(y=rows)
def test_nodes_give_the_numbers(pipeline: list[Step], y: Array) -> None:
    y = y - 2.5
    value, slope = undo(pipeline, y)
    got, factor = nodes_of(pipeline, y, forward=False)
    np.testing.assert_allclose(got, value, rtol=1e-13, atol=1e-13)
    np.testing.assert_allclose(factor, slope, rtol=1e-13)


@pytest.mark.parametrize("pipeline", [[STANDARD], [SignedLog()], [Log()], [SignedLog(), STANDARD]], ids=str)
@settings(max_examples=20, deadline=None)
@given(x=rows)
def test_nodes_of_features(pipeline: list[Step], x: Array) -> None:
    wanted = x
    for step in pipeline:
        wanted = step.forward(wanted)
    np.testing.assert_allclose(nodes_of(pipeline, x, forward=True)[0], wanted, rtol=1e-13, atol=1e-15)


@pytest.mark.parametrize("step", [Asinh(1.0), BOUNDED])
def test_steps_of_targets_are_none_of_features(step: Step) -> None:
    with pytest.raises(NotImplementedError):
        apply_nodes(GraphBuilder(), [step], "x")
