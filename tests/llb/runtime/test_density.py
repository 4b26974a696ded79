"""A density as a function: exact numbers, names, bounds, conditions, and faults of what is asked."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from gaussians import write_changed

import llb
from llb.runtime import Density, density_score, difference_score, load_density
from llb_conformance.gaussian import GaussianModel, conditional_model, mixed_model, regression_model
from llb_conformance.gaussian_bundle import write_gaussian
from llb_schema import FindingError

MODELS = {
    "mixed": mixed_model(),
    "single precision": mixed_model("float32"),
    "conditional": conditional_model(),
    "regression": regression_model(),
}
# More than a block of rows.
COUNT = 1200


def asked(model: GaussianModel) -> tuple[Any, Any, Any]:
    """Noise, conditions and points."""
    generator = np.random.default_rng(8)
    noise = generator.standard_normal((COUNT, len(model.names)))
    conditions = generator.uniform(-1, 1, (COUNT, len(model.conditions))) if model.conditions else None
    return noise, conditions, model.sample(noise, conditions)


@pytest.fixture(params=MODELS, scope="module")
def opened(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Any:
    model = MODELS[request.param]
    path = write_gaussian(model, tmp_path_factory.mktemp("density") / "density.llb")
    return model, load_density(path)


@pytest.mark.requirement("DENSITY-3", "DENSITY-4", "DENSITY-5")
def test_all_numbers_are_exact(opened: tuple[GaussianModel, Density]) -> None:
    model, density = opened
    noise, conditions, points = asked(model)
    tolerance = 1e-11 if density.dtype == np.float64 else 2e-3
    found = density.log_density(points, conditions)
    np.testing.assert_allclose(found, model.log_prob(points, conditions), rtol=0, atol=tolerance)
    np.testing.assert_allclose(density.log_prob(points, conditions) + model.offset, found, atol=1e-12)
    score = model.score(points, conditions)
    np.testing.assert_allclose(density.score(points, conditions), score, rtol=tolerance, atol=tolerance)
    assert density_score(density, points, conditions) == pytest.approx(
        density.score(points, conditions), abs=0
    )
    if density.can_sample:
        drawn = density.sample_from(noise, conditions)
        np.testing.assert_allclose(drawn, points, rtol=max(tolerance, 1e-12), atol=tolerance)
    else:
        with pytest.raises(FindingError, match="LLB-Y106"):
            density.sample(3, 0)


def test_differences_are_the_score(opened: tuple[GaussianModel, Density]) -> None:
    model, density = opened
    _, conditions, points = asked(model)
    width = np.array(density.manifest.domain.upper) - np.array(density.manifest.domain.lower)
    rows = slice(0, 50)
    given = None if conditions is None else conditions[rows]
    found = difference_score(density, points[rows], given) * width
    scale = np.abs(model.score(points[rows], given) * width).max(axis=1, keepdims=True)
    off = np.abs(found - model.score(points[rows], given) * width) / (1.0 + scale)
    assert off.max() < (1e-4 if density.dtype == np.float64 else 0.1)


@pytest.fixture(scope="module")
def mixed(tmp_path_factory: pytest.TempPathFactory) -> Density:
    return load_density(write_gaussian(mixed_model(), tmp_path_factory.mktemp("density") / "mixed.llb"))


@pytest.fixture(scope="module")
def conditional(tmp_path_factory: pytest.TempPathFactory) -> Density:
    return load_density(write_gaussian(conditional_model(), tmp_path_factory.mktemp("density") / "c.llb"))


POINT = {"mu": 1.0, "rate": 7.0, "alpha": 0.25, "mass": 125.0}


@pytest.mark.requirement("DENSITY-6")
def test_points_are_taken_by_name_or_in_the_order_of_the_columns(mixed: Density) -> None:
    exact = mixed_model().log_prob(list(POINT.values()))
    for theta in (POINT, dict(reversed(POINT.items())), list(POINT.values()), [list(POINT.values())]):
        assert mixed.log_prob(theta) == pytest.approx([exact], rel=1e-13)
    several = {**POINT, "mu": np.array([0.0, 1.0, 2.0])}
    found = mixed.log_prob(several)
    assert found.shape == (3,)
    assert found[1] == pytest.approx(exact, rel=1e-13)


@pytest.mark.requirement("DENSITY-2", "DENSITY-6")
def test_the_density_is_nothing_outside_of_the_bounds(mixed: Density) -> None:
    outside = {**POINT, "mu": np.array([-1.5, 5.5, 1.0]), "rate": np.array([7.0, 7.0, -1.0])}
    assert mixed.log_prob(outside).tolist() == [-math.inf] * 3
    assert np.isnan(mixed.score(outside)).all()
    assert not mixed.in_bounds(outside).any()
    assert not mixed.in_domain(outside).any()
    # Beyond the domain and within the bounds it is the graph's own number.
    far = {**POINT, "mass": 140.0}
    assert mixed.in_domain(far).tolist() == [False]
    assert np.isfinite(mixed.log_prob(far)).all()
    assert mixed.in_domain(POINT).tolist() == [True]


FAULTS: dict[str, tuple[Any, str]] = {
    "unknown": ({**POINT, "mu_sig": 1.0}, "LLB-Y101"),
    "missing": ({"mu": 1.0, "rate": 7.0, "mass": 125.0}, "LLB-Y102"),
    "not a number": ([1.0, math.nan, 0.0, 125.0], "LLB-Y103"),
    "infinite": ({**POINT, "alpha": math.inf}, "LLB-Y103"),
    "text": ({**POINT, "alpha": "much"}, "LLB-Y103"),
    "too short": ([1.0, 2.0], "LLB-Y104"),
    "three dimensions": (np.zeros((2, 2, 4)), "LLB-Y104"),
    "arrays of two lengths": ({**POINT, "mu": np.zeros(2), "rate": np.ones(3)}, "LLB-Y104"),
}


@pytest.mark.requirement("DENSITY-6")
@pytest.mark.parametrize("name", FAULTS)
def test_wrong_points_are_findings(mixed: Density, name: str) -> None:
    theta, code = FAULTS[name]
    with pytest.raises(FindingError, match=code) as caught:
        mixed.log_prob(theta)
    assert {item.code for item in caught.value.findings} == {code}


@pytest.mark.requirement("DENSITY-7")
def test_conditions_belong_to_conditional_densities(mixed: Density, conditional: Density) -> None:
    for density, condition in (
        (mixed, [0.0, 0.0]),
        (conditional, None),
        (conditional, np.zeros((3, 2))),
    ):
        with pytest.raises(FindingError, match="LLB-Y105"):
            density.log_prob([list(POINT.values())] * 2, condition)
    with pytest.raises(FindingError, match="LLB-Y101"):
        conditional.log_prob(POINT, {"x0": 0.0, "x1": 0.0, "x7": 1.0})


@pytest.mark.requirement("DENSITY-5", "DENSITY-7")
def test_one_row_of_conditions_serves_all_points(conditional: Density) -> None:
    points = np.array([list(POINT.values())] * 3)
    once = conditional.log_prob(points, {"x0": 0.5, "x1": -0.25})
    each = conditional.log_prob(points, np.tile([0.5, -0.25], (3, 1)))
    assert once.tolist() == each.tolist()
    assert conditional.in_domain(points, [0.5, -0.25]).all()
    assert not conditional.in_domain(points, [0.5, -1.25]).any()


@pytest.mark.requirement("DENSITY-4")
def test_the_same_seed_gives_the_same_draws(mixed: Density) -> None:
    assert mixed.sample(5, 3).tolist() == mixed.sample(5, 3).tolist()
    assert mixed.sample(5, 3).tolist() != mixed.sample(5, 4).tolist()
    noise = np.random.Generator(np.random.PCG64(3)).standard_normal((5, 4))
    assert mixed.sample(5, 3) == pytest.approx(mixed_model().sample(noise), rel=1e-12)
    with pytest.raises(FindingError, match="LLB-Y104"):
        mixed.sample_from(np.zeros((2, 3)))
    with pytest.raises(FindingError, match="LLB-Y103"):
        mixed.sample_from([[math.nan, 0.0, 0.0, 0.0]])


def test_no_points_are_no_numbers(mixed: Density) -> None:
    assert mixed.log_prob(np.zeros((0, 4))).shape == (0,)
    assert mixed.sample_from(np.zeros((0, 4))).shape == (0, 4)


def test_a_density_without_a_score_has_differences(tmp_path: Path) -> None:
    def without(document: Any) -> None:
        document["graphs"] = [graph for graph in document["graphs"] if graph["role"] != "score"]
        document["files"] = [entry for entry in document["files"] if "score" not in entry["path"]]

    path = write_changed(tmp_path / "x.llb", manifest=without)
    (path / "graphs" / "score.onnx").unlink()
    density = load_density(path)
    assert not density.has_score
    with pytest.raises(FindingError, match="LLB-Y106"):
        density.score(POINT)
    exact = mixed_model().score([list(POINT.values())])
    assert density_score(density, POINT) == pytest.approx(exact, rel=1e-4, abs=1e-4)


def test_each_family_is_refused_where_the_other_is_needed(tmp_path: Path) -> None:
    from llb_conformance import counting_model, write_quadratic

    density = write_gaussian(mixed_model(), tmp_path / "density.llb")
    profile = write_quadratic(counting_model(), tmp_path / "profile.llb")
    for load, path in ((llb.load, density), (llb.read_bundle, density), (load_density, profile)):
        with pytest.raises(FindingError) as caught:
            load(path)
        (item,) = caught.value.findings
        assert (item.code, item.pointer) == ("LLB-X004", "/family")
