"""Profiles of densities whose profile is a formula."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from llb.runtime import check_prior, load_density, log_prior, profile_density
from llb.runtime.prior import log_prior_score
from llb_conformance.gaussian import GaussianModel, GaussianParameter, mixed_model, regression_model
from llb_conformance.gaussian_bundle import gaussian_files, write_gaussian
from llb_schema import FindingError

NORMAL = GaussianModel(
    "normal-density",
    (GaussianParameter("a", role="poi"), GaussianParameter("b"), GaussianParameter("c")),
    np.array([1.0, -2.0, 30.0]),
    np.array([[0.5, 0.0, 0.0], [0.4, 0.3, 0.0], [-2.0, 1.0, 1.5]]),
)


def test_the_profile_of_a_gaussian_is_a_parabola(tmp_path: Path) -> None:
    density = load_density(write_gaussian(NORMAL, tmp_path / "x.llb"))
    covariance = NORMAL.root @ NORMAL.root.T
    for column, name in enumerate(NORMAL.names):
        centre, width = NORMAL.mean[column], np.sqrt(covariance[column, column])
        # One value is the maximum itself.
        found = profile_density(density, name, centre + width * np.linspace(-2.5, 2.5, 11))
        expected = 0.5 * ((found.values - centre) / width) ** 2
        np.testing.assert_allclose(found.drop, expected, atol=1e-6)
        # The others follow along the line of regression.
        line = NORMAL.mean + np.outer(found.values - centre, covariance[column] / width**2)
        np.testing.assert_allclose(found.points, line, atol=1e-3)
        # Straight lines between values half a width apart.
        (interval,) = found.intervals(0.5)
        assert interval == pytest.approx((centre - width, centre + width), abs=0.1 * width)


@pytest.mark.requirement("DENSITY-1")
def test_a_prior_that_is_divided_out_leaves_the_likelihood(tmp_path: Path) -> None:
    density = load_density(write_gaussian(NORMAL, tmp_path / "x.llb"))
    values = np.linspace(-0.4, 2.4, 8)
    with_prior = profile_density(density, "a", values)
    without = profile_density(density, "a", values, divide_prior=True)
    assert (with_prior.prior_divided, without.prior_divided) == (False, True)
    # The prior is a normal distribution of width 200 in all parameters.
    precision = np.linalg.inv(NORMAL.root @ NORMAL.root.T) - np.eye(3) / 200.0**2
    variance = np.linalg.inv(precision)[0, 0]
    curvature = np.polyfit(values, without.log_density, 2)[0]
    assert curvature == pytest.approx(-0.5 / variance, rel=1e-6)
    assert curvature > np.polyfit(values, with_prior.log_density, 2)[0]


def test_profiles_by_differences_and_beside_walls(tmp_path: Path) -> None:
    from dataclasses import replace

    exact = load_density(write_gaussian(mixed_model(), tmp_path / "a.llb"))
    graphs = {role: spec for role, spec in exact.graphs.items() if role != "score"}
    by_differences = replace(exact, graphs=graphs)
    values = np.linspace(-0.7, 3.5, 5)
    first, second = (profile_density(item, "mu", values) for item in (exact, by_differences))
    np.testing.assert_allclose(first.log_density, second.log_density, atol=1e-6)
    # No random point is above the profile.
    drawn = exact.sample(20_000, 4)
    drawn[:, 0] = values[2]
    inside = exact.in_domain(drawn)
    assert exact.log_prob(drawn[inside]).max() <= first.log_density[2] + 1e-9


def test_the_prior_is_what_the_manifest_says(tmp_path: Path) -> None:
    density = load_density(write_gaussian(mixed_model(), tmp_path / "a.llb"))
    points = density.sample(200, 1)
    from scipy import stats

    expected = (
        stats.uniform(-1.0, 6.0).logpdf(points[:, 0])
        + stats.lognorm(1.5, scale=np.exp(2.0)).logpdf(points[:, 1])
        + stats.norm(0.0, 200.0).logpdf(points[:, 2])
        + stats.norm(0.0, 200.0).logpdf(points[:, 3])
    )
    np.testing.assert_allclose(log_prior(density.manifest, points), expected, rtol=1e-12)
    step = 1e-6
    shifted = [log_prior(density.manifest, points + side * step * np.eye(4)[1]) for side in (1, -1)]
    slope = (shifted[0] - shifted[1]) / (2 * step)
    np.testing.assert_allclose(log_prior_score(density.manifest, points)[:, 1], slope, rtol=1e-5, atol=1e-7)


@pytest.mark.requirement("DENSITY-1")
def test_a_prior_without_a_formula_cannot_be_divided_out(tmp_path: Path) -> None:
    from gaussians import write_changed

    def words(document: object) -> None:
        assert isinstance(document, dict)
        document["density"]["prior"][0] = {"parameter": "mu", "kind": "other", "text": "by hand"}

    density = load_density(write_changed(tmp_path / "a.llb", manifest=words))
    regression = load_density(write_gaussian(regression_model(), tmp_path / "b.llb"))
    for item in (density, regression):
        with pytest.raises(FindingError, match="LLB-Y108"):
            profile_density(item, "mu", [0.0, 1.0], divide_prior=True)
        with pytest.raises(FindingError, match="LLB-Y108"):
            check_prior(item.manifest)
    with pytest.raises(FindingError, match="LLB-Y101"):
        profile_density(density, "nu", [0.0])


@pytest.mark.requirement("DENSITY-1")
def test_a_constraint_term_stays_in_the_likelihood(tmp_path: Path) -> None:
    from gaussians import write_changed

    def words(document: object) -> None:
        assert isinstance(document, dict)
        document["density"]["prior"][2] = {"parameter": "alpha", "kind": "constraint"}

    plain = load_density(write_gaussian(mixed_model(), tmp_path / "a.llb"))
    constrained = load_density(write_changed(tmp_path / "b.llb", manifest=words))
    points = plain.sample(50, 1)
    gone = log_prior(plain.manifest, points) - log_prior(constrained.manifest, points)
    from scipy import stats

    np.testing.assert_allclose(gone, stats.norm(0.0, 200.0).logpdf(points[:, 2]), rtol=1e-10)
    assert not log_prior_score(constrained.manifest, points)[:, 2].any()


def test_a_top_that_no_draw_comes_near_is_doubted(tmp_path: Path) -> None:
    """Draws of one density beside the heights of another, as where a flow extrapolates."""
    from dataclasses import replace

    wide = load_density(write_gaussian(NORMAL, tmp_path / "wide.llb"))
    peaked = GaussianModel("peaked", NORMAL.parameters, NORMAL.mean, 1e-3 * NORMAL.root)
    narrow = load_density(write_gaussian(peaked, tmp_path / "narrow.llb"))
    assert profile_density(wide, "a", [1.0, 1.2]).findings == ()
    assert profile_density(narrow, "a", [1.0]).findings == ()
    mixed = replace(narrow, bundle=wide.bundle, graphs={**narrow.graphs, "sample": wide.graphs["sample"]})
    (found,) = profile_density(mixed, "a", [1.0]).findings
    assert (found.code, found.severity) == ("LLB-Y109", "warning")
    assert found.expected.startswith("about 2")


def test_files_are_the_same_every_time() -> None:
    assert gaussian_files(mixed_model()) == gaussian_files(mixed_model())
