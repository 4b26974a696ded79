"""Signals where an ensemble disagrees, and not all in the same place."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from llb_schema import FindingError
from llb_trainer.sampling import (
    STRATEGIES,
    ActiveSettings,
    Background,
    MetropolisSettings,
    Sampling,
    active_signals,
    pick_diverse,
    sample_signals,
)

Floats = NDArray[np.float64]

BACKGROUND = Background(np.array([5.0, 40.0, 900.0]), np.diag([1.0, 25.0, 900.0]))
PUBLISHED = np.array([[4.0, 6.0, 10.0], [1.0, 9.0, 0.0]])
FEW = Sampling(
    active=ActiveSettings(candidates=400), metropolis=MetropolisSettings(chains=16, length=25, burn_in=20)
)


def in_the_second_bin(signals: Floats) -> Floats:
    """An ensemble that has never seen more than 20 events in the second bin."""
    return np.maximum(signals[:, 1] - 20.0, 0.0)


@settings(max_examples=20)
@given(st.integers(0, 2**63), st.integers(0, 100), st.integers(0, 100))
def test_fewer_picks_are_the_first_of_more(seed: int, few: int, more: int) -> None:
    sampling = Sampling(seed=seed, active=FEW.active)
    whole = active_signals(BACKGROUND, PUBLISHED, few + more, sampling, in_the_second_bin)
    part = active_signals(BACKGROUND, PUBLISHED, few, sampling, in_the_second_bin)
    np.testing.assert_array_equal(part, whole[:few])


@pytest.mark.parametrize("strategy", sorted(STRATEGIES))
def test_picks_are_candidates_where_the_ensemble_disagrees(strategy: str) -> None:
    sampling = Sampling(strategy=strategy, active=FEW.active, metropolis=FEW.metropolis)
    picks = active_signals(BACKGROUND, PUBLISHED, 5, sampling, in_the_second_bin)
    assert (in_the_second_bin(picks) > 0).all()
    candidates = {row.tobytes() for row in sample_signals(BACKGROUND, PUBLISHED, 400, sampling)}
    assert {row.tobytes() for row in picks} < candidates


def test_labelled_signals_do_not_come_again() -> None:
    labelled = sample_signals(BACKGROUND, PUBLISHED, 300, FEW)
    picks = active_signals(BACKGROUND, PUBLISHED, 400, FEW, in_the_second_bin, first=300)
    assert len(np.unique(np.concatenate([labelled, picks]), axis=0)) == 700


def test_more_disagreement_is_picked_more_often() -> None:
    """Without distances, the first pick falls on each point in proportion to its weight."""
    points, weight = np.zeros((4, 1)), np.array([0.0, 1.0, 2.0, 5.0])
    firsts = [pick_diverse(points, weight, 1, ActiveSettings(diversity=0.0), seed)[0] for seed in range(4000)]
    np.testing.assert_allclose(np.bincount(firsts, minlength=4) / 4000, weight / 8.0, atol=0.025)
    sharp = ActiveSettings(diversity=0.0, sharpness=200.0)
    assert {pick_diverse(points, weight, 1, sharp, seed)[0] for seed in range(100)} == {3}


def test_picks_keep_apart() -> None:
    """A thousand near copies of one point, and nine more points far away, all with the same disagreement."""
    rng = np.random.default_rng(1)
    crowd = 1e-3 * rng.normal(size=(1000, 2))
    far = np.array([[10.0 * a, 10.0 * b] for a in range(1, 4) for b in range(1, 4)])
    points = np.concatenate([crowd, far])
    picks = pick_diverse(points, np.ones(len(points)), 10, ActiveSettings(), seed=3)
    assert set(range(1000, 1009)) < set(picks.tolist())
    careless = pick_diverse(points, np.ones(len(points)), 10, ActiveSettings(diversity=0.0), seed=3)
    assert np.sum(careless >= 1000) <= 2


@given(st.integers(1, 40), st.integers(0, 2**32), st.sampled_from([0.0, 1.0]))
def test_no_point_is_picked_twice_even_when_all_are_the_same(n: int, seed: int, weight: float) -> None:
    picks = pick_diverse(np.zeros((n, 2)), np.full(n, weight), n, ActiveSettings(), seed)
    assert sorted(picks.tolist()) == list(range(n))


@pytest.mark.parametrize(
    "disagreement",
    [
        lambda signals: np.full(len(signals), np.nan),
        lambda signals: -np.ones(len(signals)),
        lambda signals: signals,
    ],
)
def test_a_disagreement_that_ranks_nothing_is_one_finding(disagreement: object) -> None:
    with pytest.raises(FindingError) as caught:
        active_signals(BACKGROUND, PUBLISHED, 5, FEW, disagreement)  # pyright: ignore[reportArgumentType]
    assert [found.code for found in caught.value.findings] == ["LLB-T032"]


def test_more_signals_than_candidates_are_one_finding() -> None:
    with pytest.raises(FindingError) as caught:
        active_signals(BACKGROUND, PUBLISHED, 401, FEW, in_the_second_bin)
    assert [found.code for found in caught.value.findings] == ["LLB-T031"]


@pytest.mark.parametrize(("name", "value"), [("candidates", 0), ("sharpness", -1.0), ("diversity", np.inf)])
def test_a_setting_out_of_range_is_one_finding_that_names_it(name: str, value: float) -> None:
    with pytest.raises(FindingError) as caught:
        ActiveSettings(**{name: value})
    assert [found.code for found in caught.value.findings] == ["LLB-T031"]
    assert f"active.{name}" in caught.value.findings[0].message
