"""Where signals are drawn."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from llb_trainer.sampling import Background, Sampling, expected_delta, sample_signals, strengths

BACKGROUND = Background(np.array([5.0, 40.0, 900.0]), np.diag([1.0, 25.0, 900.0]))
PUBLISHED = np.array([[4.0, 6.0, 10.0], [1.0, 9.0, 0.0], [0.0, 0.0, 0.0]])


def test_same_seed_same_signals() -> None:
    one, two = (sample_signals(BACKGROUND, PUBLISHED, 500, Sampling(seed=4)) for _ in range(2))
    np.testing.assert_array_equal(one, two)
    other = sample_signals(BACKGROUND, PUBLISHED, 500, Sampling(seed=5))
    assert not np.array_equal(one, other)


def test_signals_are_yields_and_the_first_is_none() -> None:
    signals = sample_signals(BACKGROUND, PUBLISHED, 500, Sampling())
    assert signals.shape == (500, 3)
    assert np.isfinite(signals).all()
    assert (signals >= 0).all()
    assert (signals[0] == 0).all()


def test_strength_reaches_from_nothing_to_beyond_exclusion() -> None:
    """Expected significance is spread evenly: every decade near zero and every sigma above holds points."""
    sampling = Sampling(delta_max=18.0)
    significance = np.sqrt(
        2 * expected_delta(BACKGROUND, sample_signals(BACKGROUND, PUBLISHED, 4000, sampling))
    )
    for low, high in ((1e-3, 1e-2), (1e-2, 1e-1), (1e-1, 1.0), (1.0, 2.0), (2.0, 3.0), (3.0, 5.0)):
        assert np.mean((significance >= low) & (significance < high)) > 0.03
    assert significance.max() <= 6.0 + 1e-6


def test_published_directions_are_among_them() -> None:
    """Most signals lie along published ones or between them: the ratio of two bins stays in their range."""
    signals = sample_signals(BACKGROUND, PUBLISHED[:1], 2000, Sampling(jitter=0.0, published=1.0))[1:]
    np.testing.assert_allclose(signals[:, 0] / signals[:, 1], 4.0 / 6.0)


def test_without_published_signals_space_is_filled() -> None:
    signals = sample_signals(BACKGROUND, np.empty((0, 3)), 2000, Sampling())
    share = signals[1:] / signals[1:].sum(axis=1, keepdims=True)
    assert (share.max(axis=0) > 0.99).all(), "each bin alone"
    assert (np.sum(share > 0.05, axis=1) >= 2).mean() > 0.3, "and mixtures"


@settings(max_examples=50, deadline=None)
@given(st.floats(1e-5, 40.0), st.lists(st.floats(0.01, 100.0), min_size=3, max_size=3))
def test_strength_reaches_the_wanted_delta(delta: float, direction: list[float]) -> None:
    directions = np.array([direction])
    strength = strengths(BACKGROUND, directions, np.array([delta]))
    assert expected_delta(BACKGROUND, strength[:, None] * directions)[0] == pytest.approx(delta, rel=1e-3)


def test_reach_bounds_the_space() -> None:
    near = sample_signals(BACKGROUND, PUBLISHED, 3000, replace(Sampling(), reach=0.5))
    far = sample_signals(BACKGROUND, PUBLISHED, 3000, replace(Sampling(), reach=4.0))
    assert (near.max(axis=0) < far.max(axis=0)).all()
