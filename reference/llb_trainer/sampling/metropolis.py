"""Metropolis: random walks through signal space that stay where the likelihood is high.

N. Metropolis et al., J. Chem. Phys. 21 (1953) 1087; W. K. Hastings, Biometrika 57 (1970) 97.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtri

from llb_trainer.sampling.background import expected_delta, strengths
from llb_trainer.sampling.randomness import Stream, by_blocks, generator
from llb_trainer.sampling.sobol import sobol_signals
from llb_trainer.sampling.space import SignalSpace

__all__ = ["LogDensity", "metropolis_signals"]

Floats = NDArray[np.float64]
LogDensity = Callable[[Floats], Floats]
"""(n, n_bins) signals to (n,) logarithms of a density, up to a constant; each value of its own row alone."""

_FIRST_STEP: Final = 2.4
"""Over the root of the number of bins: the best step in a Gaussian of many dimensions."""
_GAIN_FALLS: Final = 0.6
"""Power of the step number with which the adaptation gets calmer."""


def metropolis_signals(
    space: SignalSpace, first: int, count: int, log_density: LogDensity | None = None
) -> Floats:
    """Signals `first` to `first + count` of a fleet of Markov chains, (count, n_bins).

    The target is exp(-expected Delta NLL / temperature), or the exponential of `log_density`, in the box and
    up to `delta_max`, and zero elsewhere. Proposals are Gaussian in each bin and reflected at the walls of
    the box, which keeps them symmetric and the chains exact. A rejected proposal repeats the signal before
    it. A chain that starts where the target is zero wanders until it finds where it is not.

    Signals go round the chains, so that neighbours are of different chains. A fleet of chains x length
    signals is one computation, which a part of it costs in full; fleets are independent of each other.

    Args:
        space: the box, the background and the settings.
        first: first signal wanted.
        count: number of signals.
        log_density: another target; the box and `delta_max` hold all the same.
    """
    settings = space.sampling.metropolis
    target = _Target(space, log_density)
    return by_blocks(partial(_fleet, target), settings.chains * settings.length, first, count)


@dataclass(frozen=True)
class _Target:
    """The density from which the chains draw; logarithms, up to a constant."""

    space: SignalSpace
    log_density: LogDensity | None

    def __call__(self, signals: Floats) -> Floats:
        sampling = self.space.sampling
        delta = expected_delta(self.space.background, signals)
        density = self.log_density(signals) if self.log_density else -delta / sampling.metropolis.temperature
        inside = (delta <= sampling.delta_max) & ~np.isnan(density)
        return np.where(inside, density, -np.inf)


@dataclass(frozen=True)
class _Chains:
    """Where the chains of a fleet are.

    Attributes:
        signals: (chains, n_bins).
        log_target: (chains,) there.
        step: (chains, 1) size of the proposals, in units of each bin's width.
    """

    signals: Floats
    log_target: Floats
    step: Floats


def _fleet(target: _Target, number: int) -> Floats:
    space, settings = target.space, target.space.sampling.metropolis
    rng = generator(space.sampling.seed, Stream.CHAIN, number)
    width = _widths(space)
    # A longer step crosses the whole box in every bin, and is no different from this.
    longest = np.max(space.largest / width)
    start = _starts(target, number)
    chains = _Chains(start, target(start), np.full((settings.chains, 1), _FIRST_STEP / np.sqrt(space.n_bins)))
    for past in range(settings.burn_in):
        chains, accepted = _advance(target, chains, width, rng)
        gain = (past + 1.0) ** -_GAIN_FALLS
        step = chains.step * np.exp(gain * (accepted - settings.acceptance))
        chains = replace(chains, step=np.minimum(step, longest))
    drawn = np.empty((settings.length, settings.chains, space.n_bins))
    for row in range(settings.length):
        for _ in range(settings.thinning):
            chains, _ = _advance(target, chains, width, rng)
        drawn[row] = chains.signals
    return drawn.reshape(-1, space.n_bins)


def _starts(target: _Target, number: int) -> Floats:
    """(chains, n_bins) signals far apart, and not so far out that the burn-in is spent on the way back."""
    sampling, chains = target.space.sampling, target.space.sampling.metropolis.chains
    out = sampling.metropolis.temperature * target.space.n_bins if target.log_density is None else np.inf
    near = replace(sampling, delta_max=min(out, sampling.delta_max))
    return sobol_signals(replace(target.space, sampling=near), number * chains, chains)


def _advance(
    target: _Target, chains: _Chains, width: Floats, rng: np.random.Generator
) -> tuple[_Chains, NDArray[np.bool_]]:
    """All chains one step further, and (chains, 1) which of them moved."""
    rows, n_bins = chains.signals.shape
    numbers = np.maximum(rng.random((rows, n_bins + 1)), 2.0**-54)
    moved = chains.signals + chains.step * width * ndtri(numbers[:, 1:])
    proposed = _reflected(moved, target.space.largest)
    log_target = target(proposed)
    accepted = chains.log_target + np.log(numbers[:, 0]) < log_target
    accepted |= chains.log_target == -np.inf
    signals = np.where(accepted[:, None], proposed, chains.signals)
    now = _Chains(signals, np.where(accepted, log_target, chains.log_target), chains.step)
    return now, accepted[:, None]


def _reflected(signals: Floats, largest: Floats) -> Floats:
    """Folded into the box from 0 to `largest`."""
    unfolded = np.mod(signals, 2 * largest)
    return np.minimum(unfolded, 2 * largest - unfolded)


def _widths(space: SignalSpace) -> Floats:
    """(n_bins,) how far a bin gets from zero, the others staying, until the target is down by exp(-1/2)."""
    half = np.full(space.n_bins, 0.5 * space.sampling.metropolis.temperature)
    return np.minimum(strengths(space.background, np.eye(space.n_bins), half), space.largest)
