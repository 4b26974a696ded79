"""Distances between samples: definitions by hand and by scipy, and what each of them sees."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import linalg, stats

from llb.evaluation import (
    QUANTITIES,
    Sample,
    Scale,
    compare_with_null,
    correlation_distance,
    frechet_distance,
    ks_distances,
    paper_metrics,
    polynomial_mmd,
    random_directions,
    wasserstein_distances,
)

values = st.lists(st.integers(-5, 5), min_size=1, max_size=30)


@given(one=values, two=values)
@settings(max_examples=200)
def test_each_column_by_definition_with_ties_and_other_sizes(one: list[int], two: list[int]) -> None:
    first, second = (np.array(item, dtype=np.float64) for item in (one, two))
    ks = ks_distances(first[:, np.newaxis], second[:, np.newaxis])[0]
    steps = [abs(np.mean(first <= value) - np.mean(second <= value)) for value in (*one, *two)]
    assert ks == pytest.approx(max(steps), abs=1e-12)
    found = wasserstein_distances(first[:, np.newaxis], second[:, np.newaxis])[0]
    assert found == pytest.approx(stats.wasserstein_distance(first, second), abs=1e-12)


def normal(count: int, columns: int, seed: int) -> np.ndarray:
    return np.random.default_rng(seed).standard_normal((count, columns))


def test_the_frechet_distance_is_its_formula() -> None:
    one, two = normal(50, 4, 1) @ np.diag([1.0, 2.0, 0.5, 1.0]), normal(60, 4, 2) + 0.3
    first, second = np.cov(one.T), np.cov(two.T)
    root = np.real(np.asarray(linalg.sqrtm(first @ second)))
    mean = one.mean(axis=0) - two.mean(axis=0)
    expected = mean @ mean + np.trace(first + second - 2.0 * root)
    assert frechet_distance(one, two) == pytest.approx(expected, rel=1e-9)
    assert frechet_distance(one, one) == pytest.approx(0.0, abs=1e-9)


def test_the_correlation_distance_is_of_matrices_and_constant_columns_have_none() -> None:
    one, two = normal(100, 3, 1) @ np.array([[1, 0, 0], [0.5, 1, 0], [0, 0, 1.0]]), normal(80, 3, 2)
    expected = np.linalg.norm(np.corrcoef(one.T) - np.corrcoef(two.T))
    assert correlation_distance(one, two) == pytest.approx(expected, rel=1e-12)
    constant = np.column_stack([one, np.ones(100)])
    assert np.isfinite(correlation_distance(constant, constant))


def test_the_discrepancy_is_unbiased() -> None:
    one, two = normal(7, 2, 1), normal(5, 2, 2)

    def mean(first: np.ndarray, second: np.ndarray, same: bool) -> float:
        kernel = (first @ second.T / 2 + 1.0) ** 4
        weights = 1.0 - np.eye(len(first)) if same else np.ones(kernel.shape)
        return float((kernel * weights).sum() / weights.sum())

    expected = mean(one, one, True) + mean(two, two, True) - 2.0 * mean(one, two, False)
    assert polynomial_mmd(one, two) == pytest.approx(expected, rel=1e-10)


def test_directions_are_unit_vectors_of_every_direction() -> None:
    directions = random_directions(5000, 3, np.random.default_rng(0))
    np.testing.assert_allclose(np.linalg.norm(directions, axis=0), 1.0)
    np.testing.assert_allclose(directions @ directions.T / 5000, np.eye(3) / 3, atol=0.02)


COUNT, COLUMNS = 1500, 5
MIXING = np.eye(COLUMNS) + 0.6 * np.tril(np.ones((COLUMNS, COLUMNS)), -1)


def truth(count: int, seed: int) -> np.ndarray:
    return normal(count, COLUMNS, seed) @ MIXING.T


def log_prob(points: np.ndarray) -> np.ndarray:
    """Of the truth, up to a constant."""
    return -0.5 * np.sum(np.linalg.solve(MIXING, points.T) ** 2, axis=0)


def sample(points: np.ndarray, scale: Scale) -> Sample:
    return Sample(scale.apply(points), log_prob(points))


def excess(drawn: np.ndarray, *, seed: int = 3) -> dict[str, float]:
    """By how many standard deviations of the null each distance is above it."""
    known = truth(2 * COUNT, 1)
    scale = Scale.of(known)
    found = compare_with_null(sample(drawn, scale), sample(known, scale), seed=seed, repetitions=40)
    assert [item.quantity for item in found] == list(QUANTITIES)
    return {item.quantity: (item.value - item.null) / item.null_std for item in found}


@pytest.mark.requirement("CLAIM-4")
@pytest.mark.parametrize("seed", range(4))
def test_samples_of_the_truth_are_as_far_apart_as_the_null(seed: int) -> None:
    assert all(abs(off) < 5.0 for off in excess(truth(COUNT, 100 + seed)).values())


# What is done to the truth, and which distances have to see it.
MARGINAL = {"mean_ks", "mean_wasserstein", "sliced_ks", "sliced_wasserstein"}
CHANGES = {
    "shifted": (lambda points: points + 0.2 * points.std(axis=0), MARGINAL | {"frechet"}),
    "widened": (lambda points: 1.25 * points, {*QUANTITIES} - {"correlation", "hpd_68"}),
    "decorrelated": (
        lambda points: np.column_stack([np.roll(column, 7 * k) for k, column in enumerate(points.T)]),
        {"sliced_ks", "sliced_wasserstein", "correlation", "frechet", "log_prob_ks"},
    ),
}


@pytest.mark.requirement("CLAIM-4")
@pytest.mark.parametrize("name", CHANGES)
def test_each_distance_sees_what_it_should(name: str) -> None:
    change, seen = CHANGES[name]
    found = excess(change(truth(COUNT, 50)))
    assert {quantity for quantity, off in found.items() if off > 6.0} >= seen
    if name == "decorrelated":
        assert all(abs(found[quantity]) < 5.0 for quantity in ("mean_ks", "mean_wasserstein", "hpd_68"))


def test_distances_grow_with_the_change() -> None:
    points = truth(COUNT, 50)
    for quantity in ("mean_ks", "sliced_wasserstein", "frechet"):
        sizes = [excess(points + shift)[quantity] for shift in (0.1, 0.3, 0.9)]
        assert sizes == sorted(sizes)


def test_the_same_seed_gives_the_same_numbers_and_too_little_truth_none() -> None:
    drawn = truth(COUNT, 7)
    assert excess(drawn) == excess(drawn)
    scale = Scale.of(drawn)
    with pytest.raises(ValueError, match="two samples of 1500"):
        compare_with_null(sample(drawn, scale), sample(drawn, scale))


def test_a_constant_column_keeps_its_unit() -> None:
    points = np.column_stack([np.ones(5), np.arange(5.0)])
    assert Scale.of(points).width.tolist() == [1.0, pytest.approx(np.std(np.arange(5.0)))]


def test_the_papers_metrics_of_equal_samples() -> None:
    found = paper_metrics(truth(4000, 1), truth(4000, 2), batches=20)
    assert found.mean_ks == pytest.approx(0.5, abs=0.1)
    assert 0.0 < found.mean_ks_std < 0.4
    assert found.swd > 0.0
    assert len(found.hpdi_errors) == 3
    worse = paper_metrics(1.2 * truth(4000, 1), truth(4000, 2), batches=20)
    assert worse.mean_ks < found.mean_ks
    assert worse.swd > 1.3 * found.swd
