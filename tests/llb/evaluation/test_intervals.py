"""Credible intervals, with one mode and several, and how far two of them are apart."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy import stats

from llb.evaluation import (
    CREDIBILITIES,
    base_space_test,
    central_intervals,
    edge_error,
    effective_fraction,
    hpd_regions,
    interval_error,
    log_prob_error,
    shortest_intervals,
    width_errors,
)


@pytest.mark.requirement("CLAIM-4")
def test_intervals_of_known_distributions() -> None:
    generator = np.random.default_rng(0)
    points = np.column_stack([generator.standard_normal(200_000), generator.exponential(size=200_000)])
    for part, sigma in zip(CREDIBILITIES, (1.0, 2.0, 3.0), strict=True):
        low, high = shortest_intervals(points, part)
        assert (low[0], high[0]) == pytest.approx((-sigma, sigma), abs=0.15)
        # The density of an exponential falls from its edge.
        assert (low[1], high[1]) == pytest.approx((0.0, -math.log(1.0 - part)), abs=0.15)
        central = central_intervals(points, part)
        assert central[:, 0] == pytest.approx((-sigma, sigma), abs=0.05)
        assert central[0, 1] == pytest.approx(-math.log(0.5 * (1.0 + part)), abs=0.05)


def test_the_shortest_interval_holds_what_it_should_and_no_shorter_one_does() -> None:
    points = np.random.default_rng(3).gamma(2.0, size=(40, 1))
    low, high = shortest_intervals(points, 0.6)
    ordered = np.sort(points[:, 0])
    assert np.sum((ordered >= low) & (ordered <= high)) == math.ceil(0.6 * 40)
    widths = [ordered[k + 23] - ordered[k] for k in range(17)]
    assert high[0] - low[0] == min(widths)
    assert shortest_intervals(points, 1.0)[:, 0].tolist() == [ordered[0], ordered[-1]]


def test_errors_by_width_do_not_depend_on_where_zero_is() -> None:
    truth, found = np.array([[0.0, 10.0], [2.0, 12.0]]), np.array([[0.1, 10.1], [2.3, 12.3]])
    assert width_errors(found, truth) == pytest.approx([0.1, 0.1])
    assert width_errors(truth, truth).tolist() == [0.0, 0.0]
    # Divided by its end, the same error is infinite, or small.
    error = edge_error(found, truth)
    assert error[0] == math.inf
    assert error[1] == pytest.approx(0.5 * (0.1 / 10 + 0.3 / 12))
    assert width_errors(np.array([[0.0], [1.0]]), np.array([[2.0], [2.0]]))[0] == math.inf


def test_modes_are_found_apart() -> None:
    generator = np.random.default_rng(1)
    two = np.concatenate([generator.normal(-4.0, 0.5, 30_000), generator.normal(3.0, 1.0, 30_000)])
    regions = hpd_regions(two, CREDIBILITIES[0])
    assert len(regions) == 2
    assert regions.mean(axis=1) == pytest.approx([-4.0, 3.0], abs=0.2)
    held = sum(np.mean((two >= low) & (two <= high)) for low, high in regions)
    assert held == pytest.approx(CREDIBILITIES[0], abs=0.02)
    one = hpd_regions(generator.standard_normal(60_000), CREDIBILITIES[1])
    assert one[0] == pytest.approx((-2.0, 2.0), abs=0.15)
    # A density that is cut off is not taken to fall towards the edge.
    flat = hpd_regions(generator.uniform(0.0, 1.0, 60_000), 0.99)
    assert flat[0, 0] < 0.02
    assert flat[-1, 1] > 0.98
    assert hpd_regions(np.full(5, 2.0), 0.68).tolist() == [[2.0, 2.0]]


def test_lists_of_intervals_are_matched_by_what_they_share() -> None:
    assert interval_error([[0.1, 2.3]], [[0.0, 2.0]]) == pytest.approx(0.1)
    two = [[0.0, 1.0], [5.0, 6.0]]
    assert interval_error(two, two) == 0.0
    # A mode too many costs its own length, and the others keep their partners.
    assert interval_error([[0.0, 1.0], [3.0, 3.5], [5.0, 6.0]], two) == pytest.approx(0.5 * 0.5 / 2.0)
    assert interval_error([[0.0, 1.0]], two) == pytest.approx(0.25)
    assert interval_error([[0.0, 1.0]], [[2.0, 2.0]]) == math.inf


def test_errors_of_a_known_density() -> None:
    found, truth = np.array([1.0, 2.0, 3.5]), np.array([0.5, 1.5, 2.0])
    assert log_prob_error(found, truth).tolist() == [0.5, 0.5, 1.5]
    assert log_prob_error(found, truth - 206.3, is_normalized=False) == pytest.approx([0.0, 0.0, 1.0])


@pytest.mark.parametrize("width", [1.0, 1.2, 1.5])
def test_the_effective_fraction_is_that_of_importance_sampling(width: float) -> None:
    points = np.random.default_rng(2).standard_normal(400_000)
    error = stats.norm(0.0, width).logpdf(points) - stats.norm(0.0, 1.0).logpdf(points)
    # E_q[w]^2 / E_q[w^2] of a normal distribution by a wider one.
    exact = math.sqrt(2.0 * width**2 - 1.0) / width**2
    assert effective_fraction(error) == pytest.approx(exact, rel=0.01)
    assert effective_fraction(error + 206.0) == pytest.approx(effective_fraction(error), rel=1e-9)
    assert effective_fraction(np.array([0.0, -math.inf])) == 0.0


def test_base_noise_is_tested_as_a_whole() -> None:
    generator = np.random.default_rng(5)
    noise = generator.standard_normal((20_000, 12))
    good = base_space_test(noise)
    assert min(good.ks_pvalue, good.binned_pvalue) > 1e-3
    bad = base_space_test(1.02 * noise)
    assert max(bad.ks_pvalue, bad.binned_pvalue) < 1e-4
