from __future__ import annotations

from dataclasses import replace
from typing import Any, Literal

import numpy as np
import onnx
import onnxruntime
import pytest
from numpy.typing import NDArray
from random_flows import noise, plain_units, random_flow

from llb.bundle import GraphSpec, TensorSpec
from llb.runtime import audit_graph
from llb_schema import FindingError
from llb_trainer.export.flow import log_prob_graph, sample_graph, score_graph
from llb_trainer.flows import Flow

Floats = NDArray[np.float64]
Dtype = Literal["float64", "float32"]

FLOWS = {
    "affine": random_flow(9),
    "one column": random_flow(1, bins=3),
    "spline": random_flow(9, bins=5, bijectors=3),
    "plain": random_flow(4, units=plain_units(4), widths=(8,), bijectors=1),
    "conditional": random_flow(6, bins=4, conditions=2),
    "conditional, affine, narrow": random_flow(7, conditions=1, widths=(3, 5)),
    "narrow": random_flow(8, bins=2, widths=(3, 3)),
    "one column with a condition": random_flow(1, conditions=3),
}


def run(
    data: bytes, first: NDArray[Any], condition: NDArray[Any] | None, dtype: Dtype = "float64"
) -> NDArray[Any]:
    session = onnxruntime.InferenceSession(data, providers=["CPUExecutionProvider"])
    names = [item.name for item in session.get_inputs()]
    feed = dict(zip(names, [first, condition], strict=False))
    assert len(names) == 1 + (condition is not None)
    (found,) = session.run(
        None, {name: rows.astype(dtype) for name, rows in feed.items() if rows is not None}
    )
    assert found.dtype == dtype
    return found


def draws(flow: Flow, dtype: Dtype = "float64", n: int = 200) -> tuple[Floats, Floats | None]:
    """Points that the density may have drawn, and conditions, as the element type has them."""
    z, condition = noise(flow, n)
    theta = flow.sample(z, condition).astype(dtype).astype(np.float64)
    return theta, None if condition is None else condition.astype(dtype).astype(np.float64)


def middle(flow: Flow, theta: Floats) -> NDArray[np.bool_]:
    """Rows that are nowhere near a wall, where differences and single precision have no digits."""
    return np.abs(flow.units.standard(theta)[0]).max(axis=1) < 2.5


@pytest.mark.parametrize("name", FLOWS)
def test_double_precision_agrees_to_rounding(name: str) -> None:
    flow = FLOWS[name]
    theta, condition = draws(flow)
    z, _ = noise(flow)
    found = run(log_prob_graph(flow), theta, condition)
    assert found.shape == (200, 1)
    np.testing.assert_allclose(found[:, 0], flow.log_prob(theta, condition), rtol=1e-12, atol=1e-12)
    sampled = run(sample_graph(flow), z, condition)
    np.testing.assert_allclose(sampled, flow.sample(z, condition), rtol=1e-12, atol=1e-12)
    assert np.ptp(found) > 1.0


@pytest.mark.parametrize("name", FLOWS)
def test_single_precision_agrees_to_its_rounding(name: str) -> None:
    flow = FLOWS[name]
    theta, condition = draws(flow, "float32")
    z = noise(flow)[0].astype(np.float32).astype(np.float64)
    rows = middle(flow, theta)
    assert rows.sum() > 10
    given = None if condition is None else condition[rows]
    found = run(log_prob_graph(flow, "float32"), theta[rows], given, "float32")
    np.testing.assert_allclose(found[:, 0], flow.log_prob(theta[rows], given), rtol=1e-5, atol=5e-5)
    sampled = run(sample_graph(flow, "float32"), z[rows], given, "float32")
    np.testing.assert_allclose(sampled, flow.sample(z[rows], given), rtol=2e-5, atol=2e-5)


@pytest.mark.parametrize("name", FLOWS)
def test_the_score_is_the_derivative(name: str) -> None:
    flow = FLOWS[name]
    theta, condition = draws(flow)
    rows = middle(flow, theta)
    theta, given = theta[rows], None if condition is None else condition[rows]
    found = run(score_graph(flow), theta, given)
    step = 1e-4

    def at(column: int, steps: float) -> Floats:
        moved = theta.copy()
        moved[:, column] += steps * step
        return flow.log_prob(moved, given)

    for column in range(theta.shape[1]):
        # Fourth order; where a knot lies between the points, it is not.
        slope = (8 * (at(column, 1) - at(column, -1)) - at(column, 2) + at(column, -2)) / (12 * step)
        off = np.abs(found[:, column] - slope) / (1.0 + np.abs(slope))
        assert np.quantile(off, 0.9) < 1e-7
        assert off.max() < 0.1
    single = run(score_graph(flow, "float32"), theta, given, "float32")
    np.testing.assert_allclose(single, found, rtol=2e-3, atol=2e-3)


@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.parametrize("name", ["affine", "spline", "conditional"])
def test_the_audit_has_nothing_to_say(name: str, dtype: Dtype) -> None:
    flow = FLOWS[name]
    n = flow.layout.columns
    roles = {
        "log_prob": (log_prob_graph, ("theta", n), ("log_prob", 1)),
        "sample": (sample_graph, ("z", n), ("theta", n)),
        "score": (score_graph, ("theta", n), ("score", n)),
    }
    for graph, *ends in roles.values():
        data = graph(flow, dtype, parameters=[f"p{i}" for i in range(n)])
        assert audit_graph(data) == ()
        if not flow.layout.conditions:
            tensors = [TensorSpec(end, dtype, ("batch", width)) for end, width in ends]
            assert audit_graph(data, GraphSpec("log_prob", "g.onnx", 17, tensors[0], (tensors[1],))) == ()
        model = onnx.load_from_string(data)
        assert (model.ir_version, [item.version for item in model.opset_import]) == (8, [17])
        assert model.metadata_props[0].value.startswith("p0,")


@pytest.mark.parametrize(
    ("columns", "bins", "width", "depth"), [(95, 0, 64, 1), (95, 8, 128, 2), (89, 8, 256, 3)]
)
def test_the_published_sizes_pass_the_limits(columns: int, bins: int, width: int, depth: int) -> None:
    flow = random_flow(columns, bins=bins, widths=(width,) * depth, units=plain_units(columns))
    for graph in (log_prob_graph, sample_graph, score_graph):
        assert audit_graph(graph(flow)) == ()


def test_walls_are_finite_and_what_is_beyond_is_nothing() -> None:
    flow = FLOWS["affine"]
    theta, _ = draws(flow)
    theta = theta[:8]
    theta[0, 3], theta[1, 3], theta[2, 1], theta[3, 2] = -2.0, 3.0, -2.0, 3.0
    theta[4, 3], theta[5, 1], theta[6, 0], theta[7, 0] = 3.0001, -2.1, np.inf, np.nan
    for dtype, size in (("float64", 1e-11), ("float32", 1e-3)):
        found = run(log_prob_graph(flow, dtype), theta, None, dtype)[:, 0]
        exact = flow.log_prob(theta.astype(dtype).astype(np.float64))
        np.testing.assert_allclose(found[:4], exact[:4], rtol=size, atol=size)
        assert np.isfinite(found[:4]).all()
        assert np.isneginf(found[4:7]).all()
        assert np.isneginf(exact[4:7]).all()
        assert np.isnan(found[7])
        assert np.isnan(exact[7])
        score = run(score_graph(flow, dtype), theta, None, dtype)
        assert np.isfinite(score[:7]).all()
        assert not score[4:7].any()
        assert np.isnan(score[7]).all()


@pytest.mark.parametrize("name", ["spline", "conditional"])
def test_nan_goes_through_and_large_numbers_do_not_make_any(name: str) -> None:
    flow = FLOWS[name]
    z, condition = noise(flow, 6)
    theta = flow.sample(z, condition)
    z[1, 2] = theta[1, 2] = np.nan
    lost = {1}
    if condition is not None:
        condition[3, 1] = np.nan
        lost.add(3)
    theta[4, 0], theta[5, 4] = 1e30, -1e18
    z[4], z[5] = 30.0, -30.0
    for dtype in ("float64", "float32"):
        for graph, rows in ((log_prob_graph, theta), (score_graph, theta), (sample_graph, z)):
            found = run(graph(flow, dtype), rows, condition, dtype)
            assert set(np.flatnonzero(np.isnan(found).any(axis=1))) == lost
            assert set(np.flatnonzero(np.isnan(found).all(axis=1))) == lost
        assert run(log_prob_graph(flow, dtype), theta, condition, dtype)[4:].max() < -100.0


def test_rows_do_not_know_each_other() -> None:
    flow = FLOWS["spline"]
    theta, _ = draws(flow)
    whole = run(log_prob_graph(flow), theta, None)
    for row in (0, 7, 199):
        alone = run(log_prob_graph(flow), theta[row : row + 1], None)
        np.testing.assert_allclose(alone, whole[row : row + 1], rtol=1e-13)
    assert run(log_prob_graph(flow), theta[:0], None).shape == (0, 1)


def test_samples_of_the_graph_have_the_density_of_the_graph() -> None:
    """Weights that the two graphs must not need: the mean of q(theta) / p(theta) over draws of p is 1."""
    flow = FLOWS["plain"]
    rng = np.random.default_rng(4)
    theta = run(sample_graph(flow), rng.standard_normal((20_000, 4)), None)
    narrow = 0.5 * (theta - theta.mean(axis=0)) / theta.std(axis=0)
    log_q = -0.5 * np.sum((2.0 * narrow / 0.6) ** 2, axis=1) - np.log(theta.std(axis=0) * 0.6).sum()
    log_q -= 2.0 * np.log(2.0 * np.pi)
    ratio = np.exp(log_q - run(log_prob_graph(flow), theta, None)[:, 0])
    assert ratio.mean() == pytest.approx(1.0, abs=5 * ratio.std() / np.sqrt(len(ratio)) + 1e-3)


def test_the_same_flow_gives_the_same_bytes() -> None:
    for graph in (log_prob_graph, sample_graph, score_graph):
        assert graph(random_flow(5, bins=3)) == graph(random_flow(5, bins=3))
        assert graph(random_flow(5, bins=3, seed=1)) != graph(random_flow(5, bins=3))


def test_a_weight_that_is_no_number_is_refused() -> None:
    flow = FLOWS["plain"]
    for dtype, value in (("float64", np.nan), ("float32", 1e300)):
        broken = replace(flow, whitening=flow.whitening * value)
        with pytest.raises(FindingError) as caught:
            log_prob_graph(broken, dtype)
        assert caught.value.findings[0].code == "LLB-T020"
