"""Rays: along the signals that an analysis published, at every strength from none to beyond exclusion."""

from __future__ import annotations

from functools import partial

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtri

from llb_trainer.sampling.background import strengths
from llb_trainer.sampling.randomness import BLOCK, by_blocks
from llb_trainer.sampling.space import SignalSpace
from llb_trainer.sampling.variates import Variates, variates

__all__ = ["ladder", "ray_directions", "rays_signals"]

Floats = NDArray[np.float64]

_SINGLE = 0.4
"""Share of the directions that are one published signal and not a mixture of two."""
_UNDISTORTED = 0.25
_LEAST_SIGNIFICANCE, _SMALL_SIGNIFICANCE = 1e-3, 2.0


def rays_signals(space: SignalSpace, first: int, count: int) -> Floats:
    """Signals `first` to `first + count` along published directions, (count, n_bins).

    Each direction is one published signal or a mixture of two at equal significance, mostly distorted bin
    by bin. mu is chosen so that the expected significance climbs evenly from zero to that of `delta_max`,
    with a part spread evenly in its logarithm. Without published signals, bins alone and in pairs are the
    directions.
    """
    return by_blocks(partial(_block, space), BLOCK, first, count)


def ladder(space: SignalSpace, evenly: Floats) -> Floats:
    """Expected significance, in standard deviations, of numbers spread evenly over (0, 1)."""
    share = space.sampling.near_zero
    high = min(_SMALL_SIGNIFICANCE, space.top)
    low = high * _LEAST_SIGNIFICANCE / _SMALL_SIGNIFICANCE
    decades = np.minimum(evenly / share, 1.0) if share else np.ones_like(evenly)
    climbing = (evenly - share) / (1.0 - share) if share < 1 else np.zeros_like(evenly)
    return np.where(evenly < share, low * (high / low) ** decades, space.top * climbing)


def ray_directions(space: SignalSpace, numbers: Variates) -> Floats:
    """(BLOCK, n_bins) directions: published signals, single or mixed, undistorted or not."""
    count = len(space.directions)
    first = space.directions[(numbers.which * count).astype(np.int64)]
    other = space.directions[(numbers.second * count).astype(np.int64)]
    part = np.where(numbers.mixture < _SINGLE, 0.0, numbers.weight)[:, None]
    width = np.where(numbers.variety < _UNDISTORTED, 0.0, space.sampling.jitter)[:, None]
    return ((1 - part) * first + part * other) * np.exp(width * ndtri(numbers.bins))


def _block(space: SignalSpace, block: int) -> Floats:
    numbers = variates(space, block)
    directions = ray_directions(space, numbers)
    delta = 0.5 * ladder(space, numbers.strength) ** 2
    return strengths(space.background, directions, delta)[:, None] * directions
