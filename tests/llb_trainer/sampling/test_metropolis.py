"""Markov chains draw from the density that they are told to."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.stats import kstest

from llb_schema import FindingError
from llb_trainer.sampling import (
    Background,
    MetropolisSettings,
    Sampling,
    SignalSpace,
    expected_delta,
    metropolis_signals,
    signal_space,
)

Floats = NDArray[np.float64]

# One signal per chain: independent draws.
INDEPENDENT = MetropolisSettings(chains=2048, length=1, burn_in=150, thinning=1)
CORRELATED = Background(np.array([30.0, 50.0]), np.array([[40.0, 36.0], [36.0, 50.0]]))


def space(background: Background, sampling: Sampling) -> SignalSpace:
    return signal_space(background, np.empty((0, len(background.events))), sampling)


def marginal(target: SignalSpace, temperature: float, bin_: int) -> tuple[Floats, Floats]:
    """Yields of a bin and the cumulative density there, by integration on a grid of two bins."""
    axes = [(np.arange(1200) + 0.5) / 1200 * edge for edge in target.largest]
    grid = np.stack(np.meshgrid(*axes, indexing="ij"), axis=-1).reshape(-1, 2)
    delta = expected_delta(target.background, grid)
    density = np.where(delta <= target.sampling.delta_max, np.exp(-delta / temperature), 0.0)
    total = np.cumsum(density.reshape(1200, 1200).sum(axis=1 - bin_))
    return axes[bin_], total / total[-1]


@pytest.mark.parametrize("temperature", [1.0, 6.0])
def test_chains_draw_from_the_likelihood(temperature: float) -> None:
    settings = MetropolisSettings(**{**vars(INDEPENDENT), "temperature": temperature})
    target = space(CORRELATED, Sampling(metropolis=settings, delta_max=6.0))
    signals = metropolis_signals(target, 0, 2048)
    for bin_ in range(2):
        yields, cumulative = marginal(target, temperature, bin_)
        found = kstest(signals[:, bin_], lambda x, a=yields, c=cumulative: np.interp(x, a, c))
        assert found.pvalue > 0.01


def test_long_chains_draw_from_it_too() -> None:
    """Few chains, many signals of each: after the burn-in nothing drifts."""
    settings = MetropolisSettings(chains=8, length=1000, burn_in=200, thinning=10)
    target = space(CORRELATED, Sampling(metropolis=settings))
    signals = metropolis_signals(target, 0, 8000)
    yields, cumulative = marginal(target, 1.0, 0)
    quantiles = np.interp([0.1, 0.5, 0.9], cumulative, yields)
    below = np.mean(signals[:, :1] <= quantiles, axis=0)
    np.testing.assert_allclose(below, [0.1, 0.5, 0.9], atol=0.03)


def test_the_burn_in_ends_where_a_cold_target_is_narrow() -> None:
    """Thirty bins near zero: what is left of where the chains began would be far above the target's Delta."""
    background = Background(np.linspace(2.0, 500.0, 30), np.diag(np.linspace(0.1, 900.0, 30)))
    target = space(background, Sampling(metropolis=MetropolisSettings(temperature=0.02)))
    delta = expected_delta(background, metropolis_signals(target, 0, 256))
    # Thirty half Gaussians: Delta / temperature is chi^2 / 2 of 30 degrees of freedom.
    np.testing.assert_allclose(np.quantile(delta, [0.1, 0.5, 0.9]) / 0.02, [10.3, 14.7, 20.1], rtol=0.1)


def test_any_density_can_be_the_target() -> None:
    """An exponential falling off in one bin, flat in the other, cut by the walls of the box."""
    target = space(CORRELATED, Sampling(metropolis=INDEPENDENT, delta_max=1e6, reach=1e-4))
    signals = metropolis_signals(target, 0, 2048, lambda signal: -3.0 * signal[:, 0] / target.largest[0])
    first, second = (signals / target.largest).T
    assert kstest(first, lambda x: np.expm1(-3.0 * x) / np.expm1(-3.0)).pvalue > 0.01
    assert kstest(second, "uniform").pvalue > 0.01


def test_where_the_density_is_not_a_number_no_signal_is_drawn() -> None:
    target = space(CORRELATED, Sampling(metropolis=INDEPENDENT))
    middle = 0.3 * target.largest[0]
    signals = metropolis_signals(target, 0, 2048, lambda signal: np.where(signal[:, 0] < middle, 0.0, np.nan))
    assert (signals[:, 0] < middle).all()


def test_neighbours_are_of_different_chains_and_most_proposals_move() -> None:
    settings = MetropolisSettings(chains=4, length=200, burn_in=200, thinning=1)
    chains = metropolis_signals(space(CORRELATED, Sampling(metropolis=settings)), 0, 800).reshape(200, 4, 2)
    moved = np.any(chains[1:] != chains[:-1], axis=2)
    np.testing.assert_allclose(moved.mean(axis=0), settings.acceptance, atol=0.15)
    assert (chains[:, 0] != chains[:, 1]).all()


@pytest.mark.parametrize(
    ("name", "value"), [("temperature", 0.0), ("chains", 0), ("burn_in", -1), ("acceptance", 1.0)]
)
def test_a_setting_out_of_range_is_one_finding_that_names_it(name: str, value: float) -> None:
    with pytest.raises(FindingError) as caught:
        MetropolisSettings(**{name: value})
    assert [found.code for found in caught.value.findings] == ["LLB-T031"]
    assert f"metropolis.{name}" in caught.value.findings[0].message
