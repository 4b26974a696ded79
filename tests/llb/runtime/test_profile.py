from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
import pytest
from numpy.typing import NDArray
from onnx import helper
from regraph import graph, poisson_graph, replace_graph

from llb.runtime import ProfileLikelihood, load, rays
from llb.runtime.refinement import sample_rays
from llb_conformance import counting_model, parabola_model, write_quadratic

Array = NDArray[np.float64]
OBSERVED, EXPECTED, RATE = 15.0, 10.5, 10.5


@pytest.fixture(scope="module")
def poisson(tmp_path_factory: pytest.TempPathFactory) -> ProfileLikelihood:
    bundle = write_quadratic(parabola_model(), tmp_path_factory.mktemp("rays") / "poisson.llb")
    domain = {"lower": [-9.0], "upper": [60.0]}
    return load(replace_graph(bundle, poisson_graph([OBSERVED, *[EXPECTED] * 3], RATE), domain=domain))


def truth(mu: Array, count: float) -> Array:
    return mu - count * np.log1p(mu / RATE)


def test_splines_follow_the_graph_between_nodes_with_their_derivatives(poisson: ProfileLikelihood) -> None:
    ray = rays(poisson, np.array([[1.0], [2.0]]))
    np.testing.assert_allclose(ray.mu_edge, [60.0, 30.0])
    np.testing.assert_allclose(ray.mu_low, [-9.0, -4.5])
    mu = np.linspace(-8.9, 59.9, 701)
    both = np.stack([mu, mu / 2])
    expected = truth(mu, OBSERVED)
    for row, scale in enumerate((1.0, 2.0)):
        np.testing.assert_allclose(ray.delta("observed", both)[row], expected, atol=3e-6, rtol=3e-6)
        slope = scale * (1.0 - OBSERVED / (RATE + mu))
        np.testing.assert_allclose(ray.derivative("observed", both)[row], slope, atol=2e-3)
    bend = OBSERVED / (RATE + 3.0) ** 2
    np.testing.assert_allclose(ray.second_derivative("observed", [3.0, 1.5]), [bend, 4 * bend], rtol=1e-3)
    assert np.all(ray.spline_error < 2e-6)
    assert ray.findings == ()


def test_the_minimum_is_over_mu_not_below_zero(poisson: ProfileLikelihood) -> None:
    ray = rays(poisson, np.array([[2.0]]))
    mu_hat, lowest = ray.minimum("observed")
    assert mu_hat[0] == pytest.approx((OBSERVED - RATE) / 2.0, rel=1e-5)
    assert lowest[0] == pytest.approx(truth(np.array(OBSERVED - RATE), OBSERVED), rel=1e-5)
    for curve in ("observed_asimov", "apriori_asimov"):
        assert ray.minimum(curve) == (0.0, 0.0)


def test_without_an_excess_the_minimum_is_exactly_zero(tmp_path: Path) -> None:
    bundle = write_quadratic(parabola_model(mu_hat=-0.4), tmp_path / "toy.llb")
    ray = rays(load(bundle), np.array([[1.0]]))
    assert ray.minimum("observed") == (0.0, 0.0)


@pytest.mark.requirement("DOMAIN-3")
def test_beyond_the_edge_curves_go_on_convex_rising_and_finite(poisson: ProfileLikelihood) -> None:
    ray = rays(poisson, np.array([[1.0]]))
    for curve in ray.columns:
        mu = np.concatenate([np.linspace(40.0, 400.0, 2000), np.geomspace(401.0, 1e8, 50)])
        values, slopes = ray.delta(curve, mu[np.newaxis])[0], ray.derivative(curve, mu[np.newaxis])[0]
        assert np.all(np.isfinite(values))
        assert np.all(np.diff(values) > 0)
        assert np.all(np.diff(slopes) >= -1e-9)
    edge = float(ray.mu_edge[0])
    below, above = ray.delta("observed", [[edge - 1e-7, edge + 1e-7]])[0]
    assert above - below == pytest.approx(2e-7 * (1 - OBSERVED / (RATE + edge)), rel=1e-3)


@pytest.mark.requirement("DOMAIN-3")
def test_a_curve_that_still_falls_at_the_edge_rises_beyond_it(tmp_path: Path) -> None:
    bundle = write_quadratic(parabola_model(mu_hat=3.0, upper=1.0), tmp_path / "toy.llb")
    ray = rays(load(bundle), np.array([[1.0]]))
    assert ray.derivative("observed", 1.0)[0] < 0
    assert np.all(np.diff(ray.delta("observed", np.linspace(1.0, 50.0, 200)[np.newaxis])[0]) > 0)
    mu_hat, lowest = ray.minimum("observed")
    assert mu_hat[0] == 1.0
    assert lowest[0] == ray.delta("observed", 1.0)[0]


@pytest.mark.requirement("DOMAIN-1")
def test_the_truncation_ends_a_ray_inside_the_box(tmp_path: Path) -> None:
    exact = counting_model()
    model = load(write_quadratic(exact, tmp_path / "toy.llb"))
    signals = np.random.default_rng(2).uniform(0.0, 5.0, (20, 4))
    edge = rays(model, signals).mu_edge
    at = np.array(
        [max(curve.delta(mu * s) for curve in exact.own_curves) for mu, s in zip(edge, signals, strict=True)]
    )
    box = np.array([min(u / v for u, v in zip(exact.upper, s, strict=True)) for s in signals])
    truncated = edge < box * (1 - 1e-12)
    assert truncated.any()
    assert np.all(at[truncated] <= exact.delta_nll_max)
    assert np.all(at[truncated] > 0.999 * exact.delta_nll_max)
    assert np.all(model.in_domain(edge[:, None] * signals * (1 - 1e-12)))
    assert not np.any(model.in_domain(edge[:, None] * signals * (1 + 1e-3)))


def test_absurdly_weak_signals_are_no_problem(poisson: ProfileLikelihood) -> None:
    ray = rays(poisson, np.array([[1e-9], [1e-320]]))
    assert ray.mu_edge[0] == pytest.approx(6e10)
    assert ray.delta("observed", 1e9)[0] == pytest.approx(truth(np.array(1.0), OBSERVED), rel=1e-4)
    assert ray.delta("observed", 1e5)[1] == 0.0


def test_the_kink_of_two_branches_is_found_and_kept_sharp(tmp_path: Path) -> None:
    # min(parabola, shifted parabola) is what a graph with two basins computes; its kink is at mu = 1.7.
    matrices = {"a": np.full((1, 4), 0.5), "b": np.full((1, 4), 0.1), "c": np.array([[0.4 * 1.7**2]])}
    nodes = [
        helper.make_node("Mul", ["signal", "signal"], ["square"]),
        helper.make_node("MatMul", ["square", "a"], ["steep"]),
        helper.make_node("MatMul", ["square", "b"], ["flat"]),
        helper.make_node("Add", ["flat", "c"], ["second"]),
        helper.make_node("Min", ["steep", "second"], ["delta_nll"]),
    ]
    model: onnx.ModelProto = graph(nodes, matrices, 1, 4)
    ray = rays(
        load(replace_graph(write_quadratic(parabola_model(), tmp_path / "toy.llb"), model)), np.array([[1.0]])
    )
    mu = np.linspace(0.0, 6.0, 4001)
    expected = np.minimum(0.5 * mu**2, 0.1 * mu**2 + 0.4 * 1.7**2)
    assert np.max(np.abs(ray.delta("observed", mu[np.newaxis])[0] - expected)) < 8e-4


def test_nan_between_the_nodes_spoils_the_ray(tmp_path: Path) -> None:
    # The square root of a number that is negative only around the middle of the last two nodes.
    nodes = [
        helper.make_node("Sub", ["signal", "hole"], ["away"]),
        helper.make_node("Mul", ["away", "away"], ["square"]),
        helper.make_node("Sub", ["square", "width"], ["room"]),
        helper.make_node("Sqrt", ["room"], ["root"]),
        helper.make_node("MatMul", ["root", "none"], ["delta_nll"]),
    ]
    middle = 60.0 * (1.0 + (31 / 32) ** 2) / 2
    constants = {
        "hole": np.array([[middle]]),
        "width": np.array([[0.01]]),
        "none": np.zeros((1, 4)),
    }
    bundle = write_quadratic(parabola_model(), tmp_path / "toy.llb")
    domain = {"lower": [0.0], "upper": [60.0]}
    ray = rays(load(replace_graph(bundle, graph(nodes, constants, 1, 4), domain=domain)), np.array([[1.0]]))
    assert [item.code for item in ray.findings] == ["LLB-L002"]
    assert np.isnan(ray.delta("observed", 1.0)).all()


def test_a_rough_ray_is_reported() -> None:
    def graph(row: NDArray[np.intp], t: Array) -> Array:
        return np.where(t > 1 / np.pi, 1.0, 0.0)[:, np.newaxis] + 0.0 * row[:, np.newaxis]

    step, smooth = (
        sample_rays(graph, np.zeros(1))[0],
        sample_rays(lambda _, t: t[:, None] ** 3, np.zeros(1))[0],
    )
    assert step.error > 0.1
    assert smooth.error < 1e-12
    assert len(step.nodes) > len(smooth.nodes)


def test_refinement_asks_only_about_the_ray_that_needs_it() -> None:
    asked: list[NDArray[np.intp]] = []

    def graph(row: NDArray[np.intp], t: Array) -> Array:
        asked.append(row)
        return np.where(row == 1, np.abs(t - 0.3), t**2)[:, np.newaxis]

    calm, kinked = sample_rays(graph, np.zeros(2))
    assert len(calm.nodes) < len(kinked.nodes)
    assert set(asked[0]) == {0, 1}
    assert all(set(rows) == {1} for rows in asked[1:])
