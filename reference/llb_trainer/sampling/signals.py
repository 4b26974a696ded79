"""Where in signal space to ask the teacher.

A network is asked about real signals, at every strength from zero to beyond exclusion. So directions
come from the signals that the analysis published (single, mixed, jittered) and from a space-filling
set that assumes nothing about them but how much signal a bin may hold; along each direction the strength
is drawn so that the *expected significance* is spread evenly from zero, which puts as many points near
zero as near the limit.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtri
from scipy.stats import qmc

__all__ = ["Background", "Sampling", "expected_delta", "sample_signals", "strengths"]

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Background:
    """What sampling has to know of the analysis.

    Attributes:
        events: (n_bins,) expected background.
        covariance: (n_bins, n_bins) of that expectation over the nuisance parameters.
    """

    events: Floats
    covariance: Floats

    @property
    def scale(self) -> Floats:
        """(n_bins,) one standard deviation of signal that the bin alone, Poisson error only, resolves."""
        return np.sqrt(self.events + 1.0)


@dataclass(frozen=True)
class Sampling:
    """How signals are drawn.

    Attributes:
        published: fraction along published directions, where there are any; the rest fills space.
        jitter: standard deviation of the logarithm of each bin's distortion of a published direction.
        spread: standard deviation of the logarithm of the bins of a space-filling direction.
        reach: how far space is filled, in units of the largest yields that published signals have where
            they reach `delta_max`.
        near_zero: fraction with a strength drawn evenly in its logarithm, down to 1e-3 sigma.
        delta_max: largest expected Delta NLL.
        seed: of everything random.
    """

    published: float = 0.65
    jitter: float = 0.3
    spread: float = 1.2
    reach: float = 1.5
    near_zero: float = 0.15
    delta_max: float = 24.0
    seed: int = 20261121


def expected_delta(background: Background, signals: Floats) -> Floats:
    """Delta NLL to be expected without data: linearised nuisance parameters, Gaussian errors at s + b.

    Args:
        background: events and covariance.
        signals: (n, n_bins).
    """
    variance = np.maximum(background.events + 0.5 * signals, 1e-3)
    matrix = background.covariance + variance[:, :, None] * np.eye(variance.shape[1])
    return 0.5 * np.sum(signals * np.linalg.solve(matrix, signals[:, :, None])[:, :, 0], axis=1)


def strengths(background: Background, directions: Floats, delta: Floats) -> Floats:
    """Strength at which each direction (n, n_bins) reaches the expected Delta NLL `delta` (n,)."""
    strength = np.ones(len(directions))
    for _ in range(40):
        reached = expected_delta(background, strength[:, None] * directions)
        # Delta grows between linearly and quadratically: the root converges from either side
        strength *= np.clip((delta / np.maximum(reached, 1e-300)) ** 0.6, 0.05, 20.0)
    return strength


def sample_signals(background: Background, published: Floats, n: int, sampling: Sampling) -> Floats:
    """Draw signals.

    Args:
        background: of the analysis.
        published: (n_published, n_bins) yields of published signals, possibly none.
        n: how many.
        sampling: how.

    Returns:
        (n, n_bins) signal yields in events, not negative; row 0 is no signal at all.
    """
    rng = np.random.default_rng(sampling.seed)
    useful = published[np.any(published > 0, axis=1)]
    n_published = round(sampling.published * n) if len(useful) else 0
    directions = np.concatenate(
        [
            _published_directions(useful, n_published, sampling, rng),
            _filling_directions(background, n - n_published, sampling, rng),
        ]
    )
    directions = directions[rng.permutation(n)]
    top = np.sqrt(2 * sampling.delta_max)
    significance = top * rng.uniform(size=n)
    small = rng.uniform(size=n) < sampling.near_zero
    significance[small] = 10 ** rng.uniform(-3, 0.3, size=int(small.sum()))
    signals = strengths(background, directions, 0.5 * significance**2)[:, None] * directions
    signals[:1] = 0.0
    return np.minimum(signals, _largest(background, useful, sampling))


def _largest(background: Background, published: Floats, sampling: Sampling) -> Floats:
    """(n_bins,) most signal in each bin; without published signals what the bin alone would notice."""
    alone = np.sqrt(2 * sampling.delta_max) * background.scale
    if not len(published):
        return sampling.reach * alone
    strength = strengths(background, published, np.full(len(published), sampling.delta_max))
    return sampling.reach * np.maximum(np.max(strength[:, None] * published, axis=0), 0.1 * alone)


def _published_directions(published: Floats, n: int, sampling: Sampling, rng: np.random.Generator) -> Floats:
    if n == 0:
        return np.empty((0, published.shape[1]))
    unit = published / np.max(published, axis=1, keepdims=True)
    first, second = rng.integers(len(unit), size=(2, n))
    weight = np.where(rng.uniform(size=n) < 0.4, 0.0, rng.uniform(size=n))[:, None]
    mixed = (1 - weight) * unit[first] + weight * unit[second]
    width = np.where(rng.uniform(size=n) < 0.25, 0.0, sampling.jitter)[:, None]
    return mixed * np.exp(width * rng.standard_normal(mixed.shape))


def _filling_directions(
    background: Background, n: int, sampling: Sampling, rng: np.random.Generator
) -> Floats:
    n_bins = len(background.events)
    if n == 0:
        return np.empty((0, n_bins))
    sobol = qmc.Sobol(n_bins, scramble=True, rng=rng)
    points = sobol.random_base2(max(1, (n - 1).bit_length()))[:n]
    bins = background.scale * np.exp(sampling.spread * ndtri(np.clip(points, 1e-9, 1 - 1e-9)))
    kept = rng.uniform(size=(n, n_bins)) < rng.uniform(0.2, 1.2, size=(n, 1))
    kept[np.arange(n), rng.integers(n_bins, size=n)] = True
    return bins * kept
