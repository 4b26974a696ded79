"""What every strategy promises, on analyses of any size."""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from llb_schema import FindingError
from llb_trainer.sampling import (
    STRATEGIES,
    Background,
    MetropolisSettings,
    Sampling,
    expected_delta,
    sample_signals,
)
from llb_trainer.sampling.randomness import sobol_block

Floats = NDArray[np.float64]

BACKGROUND = Background(np.array([5.0, 40.0, 900.0]), np.diag([1.0, 25.0, 900.0]))
PUBLISHED = np.array([[4.0, 6.0, 10.0], [1.0, 9.0, 0.0], [0.0, 0.0, 0.0]])
NONE = np.empty((0, 3))
SHORT = MetropolisSettings(chains=16, length=4, burn_in=20, thinning=2)
PLAIN: dict[str, float] = {"far": 0.0, "negative": 0.0}
"""Neither stronger than `delta_max` nor negative."""
BY_NAME = pytest.mark.parametrize("strategy", sorted(STRATEGIES))


@dataclass(frozen=True)
class Analysis:
    background: Background
    published: Floats


@st.composite
def analyses(draw: st.DrawFn, most_bins: int = 50) -> Analysis:
    """Searches from 1 bin up, with correlated errors, empty bins, and published signals or none."""
    n_bins = draw(st.integers(1, most_bins))
    rng = np.random.default_rng(draw(st.integers(0, 2**32)))
    events = np.where(rng.uniform(size=n_bins) < 0.1, 0.0, 10 ** rng.uniform(-1, 4, size=n_bins))
    common = rng.normal(scale=draw(st.sampled_from([0.0, 0.1, 1.0])), size=(n_bins, 3)) * events[:, None]
    covariance = common @ common.T + np.diag((0.05 * events) ** 2)
    n_published = draw(st.sampled_from([0, 1, 7]))
    published = np.maximum(rng.normal(size=(n_published, n_bins)), 0.0) * (1 + events) ** 0.5
    return Analysis(Background(events, covariance), published)


@settings(max_examples=25)
@given(analyses(), st.sampled_from(sorted(STRATEGIES)), st.integers(0, 2**63), st.data())
def test_a_part_is_the_part_of_the_whole(
    analysis: Analysis, strategy: str, seed: int, data: st.DataObject
) -> None:
    """Signal i depends on the seed and on i alone, bit for bit."""
    sampling = Sampling(strategy=strategy, seed=seed, metropolis=SHORT)
    whole = sample_signals(analysis.background, analysis.published, 600, sampling)
    first = data.draw(st.integers(0, 599))
    count = data.draw(st.integers(0, 600 - first))
    part = sample_signals(analysis.background, analysis.published, count, sampling, first=first)
    np.testing.assert_array_equal(part, whole[first : first + count])


@settings(max_examples=40)
@given(analyses(), st.sampled_from(sorted(STRATEGIES)), st.sampled_from([1e-3, 2.0, 24.0]))
def test_signals_are_yields_inside_delta_max_and_the_first_is_none(
    analysis: Analysis, strategy: str, delta_max: float
) -> None:
    sampling = Sampling(strategy=strategy, delta_max=delta_max, metropolis=SHORT, **PLAIN)
    signals = sample_signals(analysis.background, analysis.published, 300, sampling)
    assert signals.shape == (300, len(analysis.background.events))
    assert np.isfinite(signals).all()
    assert (signals >= 0).all()
    assert (signals[0] == 0).all()
    assert np.any(signals[1:] > 0, axis=1).all()
    assert expected_delta(analysis.background, signals).max() <= delta_max * (1 + 1e-6)


def test_mixed_reaches_the_strongest_published_signals_and_below_zero() -> None:
    strong = 8.0 * PUBLISHED
    signals = sample_signals(BACKGROUND, strong, 4096, Sampling())
    delta, reached = expected_delta(BACKGROUND, signals), expected_delta(BACKGROUND, 3.0 * strong).max()
    assert reached > 50.0
    assert 0.5 * reached < delta.max() <= reached * (1 + 1e-6)
    assert 0.06 < np.mean(delta > 24.0) < 0.12
    negative = signals[(signals < 0).any(axis=1)]
    assert 0.03 < len(negative) / 4096 < 0.06
    assert (negative >= -0.2 * BACKGROUND.events).all()
    assert (negative < -0.75 * np.minimum(0.2 * BACKGROUND.events, BACKGROUND.scale)).any(axis=0).all()
    assert 0.2 < np.mean((negative <= 0).all(axis=1)) < 0.95


def test_no_signal_takes_away_more_than_the_fit_to_the_data_leaves() -> None:
    fitted = replace(BACKGROUND, fitted=np.array([1e-9, 10.0, 950.0]))
    signals = sample_signals(fitted, 8.0 * PUBLISHED, 4096, Sampling())
    assert (signals[:, 0] >= 0).all()
    assert -0.2 * 10.0 <= signals[:, 1].min() < -0.15 * 10.0
    assert signals[:, 2].min() < -0.75 * BACKGROUND.scale[2]
    assert np.any(signals < 0, axis=1).mean() > 0.03


@BY_NAME
def test_other_seeds_give_other_signals(strategy: str) -> None:
    one, two = (
        sample_signals(BACKGROUND, PUBLISHED, 100, Sampling(strategy=strategy, seed=seed, metropolis=SHORT))
        for seed in (4, 5)
    )
    assert not np.any(np.all(one[1:] == two[1:], axis=1))


@BY_NAME
def test_many_bins(strategy: str) -> None:
    n_bins = 80
    background = Background(np.full(n_bins, 10.0), np.eye(n_bins))
    signals = sample_signals(
        background, np.empty((0, n_bins)), 256, Sampling(strategy=strategy, metropolis=SHORT)
    )
    assert (np.max(signals, axis=0) > 0).all()


@pytest.mark.parametrize("strategy", ["mixed", "rays", "sobol"])
def test_no_signal_comes_twice(strategy: str) -> None:
    """Not even where the walls of the box cut most of them."""
    signals = sample_signals(BACKGROUND, PUBLISHED, 2048, Sampling(strategy=strategy, reach=0.1))
    assert len(np.unique(signals, axis=0)) == 2048


@BY_NAME
def test_negative_published_yields_count_as_none(strategy: str) -> None:
    sampling = Sampling(strategy=strategy, metropolis=SHORT)
    negative = np.array([[4.0, -6.0, 10.0], [-1.0, 0.0, -1.0]])
    clipped = np.array([[4.0, 0.0, 10.0]])
    np.testing.assert_array_equal(
        sample_signals(BACKGROUND, negative, 50, sampling), sample_signals(BACKGROUND, clipped, 50, sampling)
    )


def significance(background: Background, published: Floats, n: int, sampling: Sampling) -> Floats:
    return np.sqrt(2 * expected_delta(background, sample_signals(background, published, n, sampling)))


@pytest.mark.parametrize("strategy", ["rays", "mixed"])
@settings(max_examples=15)
@given(analysis=analyses(20), delta_max=st.floats(2.0, 40.0))
def test_the_expected_significance_is_flat(strategy: str, analysis: Analysis, delta_max: float) -> None:
    """Without a part near zero and without a wall: as many signals in each tenth of the way up."""
    sampling = Sampling(strategy=strategy, near_zero=0.0, delta_max=delta_max, reach=1e6, **PLAIN)
    found = significance(analysis.background, analysis.published, 1024, sampling) / np.sqrt(2 * delta_max)
    counts, _ = np.histogram(found, bins=10, range=(0.0, 1.0 + 1e-6))
    np.testing.assert_allclose(counts, 102.4, atol=4)


@pytest.mark.parametrize("strategy", ["rays", "mixed", "sobol"])
@pytest.mark.parametrize("published", [PUBLISHED, NONE], ids=["published", "none"])
def test_strength_reaches_from_nothing_to_beyond_exclusion(strategy: str, published: Floats) -> None:
    """Every decade near zero and every sigma above holds signals, with the walls where they are."""
    found = significance(BACKGROUND, published, 4096, Sampling(strategy=strategy, delta_max=18.0))
    for low, high in ((1e-1, 1.0), (1.0, 2.0), (2.0, 3.0), (3.0, 4.0), (4.0, 6.0)):
        assert np.mean((found >= low) & (found < high)) > 0.06
    if strategy != "sobol":
        for low, high in ((1e-3, 1e-2), (1e-2, 1e-1)):
            assert np.mean((found >= low) & (found < high)) > 0.03


@pytest.mark.parametrize(
    ("strategy", "n_bins", "published"),
    [
        ("rays", 1, False),
        ("rays", 50, False),
        ("mixed", 1, True),
        ("mixed", 8, True),
        ("mixed", 50, False),
        ("sobol", 1, False),
        ("sobol", 8, True),
        ("sobol", 50, False),
    ],
)
def test_every_bin_gets_signals_alone_and_together(strategy: str, n_bins: int, published: bool) -> None:
    background = Background(np.linspace(1.0, 300.0, n_bins), np.diag(np.linspace(0.5, 50.0, n_bins)))
    signals = sample_signals(
        background, np.ones((int(published), n_bins)), 4096, Sampling(strategy=strategy)
    )[1:]
    share = signals / signals.sum(axis=1, keepdims=True)
    assert (np.sum(share > 0.99, axis=0) >= 4).all(), "alone"
    if n_bins > 1:
        together = share[share.max(axis=1) < 0.9]
        assert (np.sum(together > 0.3 / n_bins, axis=0) >= 40).all(), "together"


@pytest.mark.parametrize("strategy", ["rays", "mixed"])
def test_published_directions_are_among_them(strategy: str) -> None:
    """Without distortion, the ratio of two bins is that of the one published signal."""
    sampling = Sampling(strategy=strategy, jitter=0.0, published=1.0)
    signals = sample_signals(BACKGROUND, PUBLISHED[:1], 2000, sampling)[1:]
    np.testing.assert_allclose(signals[:, 0] / signals[:, 1], 4.0 / 6.0)


def test_rays_are_single_mixed_and_distorted() -> None:
    """Between the two published ratios, on them, and beyond."""
    signals = sample_signals(BACKGROUND, PUBLISHED, 2000, Sampling(strategy="rays"))[1:]
    ratio = signals[:, 0] / signals[:, 1]
    single = np.isclose(ratio, 4.0 / 6.0) | np.isclose(ratio, 1.0 / 9.0)
    # A quarter is undistorted; of these 40 % are single, and half of the mixtures are of one with itself.
    assert 0.13 < np.mean(single) < 0.22
    assert np.mean((ratio > 1.0 / 9.0) & (ratio < 4.0 / 6.0) & ~single) > 0.3
    assert np.mean((ratio < 1.0 / 9.0) | (ratio > 4.0 / 6.0)) > 0.1


def test_mixed_keeps_its_share_of_published_directions() -> None:
    rays = sample_signals(BACKGROUND, PUBLISHED, 2048, Sampling(strategy="rays", reach=1e6))
    mixed = sample_signals(BACKGROUND, PUBLISHED, 2048, Sampling(published=0.65, reach=1e6, **PLAIN))
    np.testing.assert_allclose(np.mean(np.all(rays == mixed, axis=1)), 0.65, atol=0.01)


@pytest.mark.parametrize("strategy", ["mixed", "metropolis", "sobol"])
def test_reach_bounds_the_space(strategy: str) -> None:
    sampling = Sampling(strategy=strategy)
    near = sample_signals(BACKGROUND, PUBLISHED, 3000, replace(sampling, reach=0.2)).max(axis=0)
    far = sample_signals(BACKGROUND, PUBLISHED, 3000, replace(sampling, reach=2.0)).max(axis=0)
    assert (near < far).all()


def test_sobol_fills_one_bin_evenly_in_its_scale() -> None:
    """One bin: as many signals in each tenth of asinh(10 yield / scale), up to the edge of the box."""
    background = Background(np.array([99.0]), np.array([[0.0]]))
    sampling = Sampling(strategy="sobol", reach=0.3)
    signals = sample_signals(background, np.empty((0, 1)), 1024, sampling)[:, 0]
    reached = np.arcsinh(signals)
    counts, _ = np.histogram(reached, bins=10, range=(0.0, reached.max() * (1 + 1e-9)))
    np.testing.assert_allclose(counts, 102.4, atol=3)


@BY_NAME
def test_a_search_of_no_signals_is_empty(strategy: str) -> None:
    assert sample_signals(BACKGROUND, NONE, 0, Sampling(strategy=strategy)).shape == (0, 3)


def test_an_unknown_strategy_is_one_finding_that_names_the_known_ones() -> None:
    with pytest.raises(FindingError) as caught:
        sample_signals(BACKGROUND, NONE, 10, Sampling(strategy="active"))
    (found,) = caught.value.findings
    assert found.code == "LLB-T030"
    assert all(name in found.expected for name in STRATEGIES)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("published", 1.1),
        ("alone", -0.1),
        ("near_zero", float("nan")),
        ("jitter", -1.0),
        ("spread", float("inf")),
        ("reach", 0.0),
        ("delta_max", float("inf")),
        ("seed", -1),
    ],
)
def test_a_setting_out_of_range_is_one_finding_that_names_it(name: str, value: float) -> None:
    with pytest.raises(FindingError) as caught:
        Sampling(**{**asdict(Sampling()), name: value})
    assert [found.code for found in caught.value.findings] == ["LLB-T031"]
    assert name in caught.value.findings[0].message


def test_more_bins_than_sobol_has_dimensions_is_one_finding() -> None:
    with pytest.raises(FindingError) as caught:
        sobol_block(1, 0, 21_202)
    assert caught.value.findings[0].code == "LLB-T031"
