"""Mixed: rays along published signals, and directions that assume nothing about signals."""

from __future__ import annotations

from functools import partial
from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtri

from llb_trainer.sampling.background import strengths
from llb_trainer.sampling.randomness import BLOCK, by_blocks
from llb_trainer.sampling.rays import ladder, ray_directions
from llb_trainer.sampling.space import SignalSpace
from llb_trainer.sampling.variates import Variates, filled_bins, variates

__all__ = ["mixed_signals"]

Floats = NDArray[np.float64]

_WALL: Final = 0.2
"""Thickness of the layer at the wall, in units of the box, to which yields beyond it come back."""


def mixed_signals(space: SignalSpace, first: int, count: int) -> Floats:
    """Signals `first` to `first + count`, (count, n_bins): a part as rays, the rest to fill space.

    The fraction `published` goes along published directions, where there are any. Both families climb the
    same ladder of expected significance. A yield beyond the wall of the box comes back to somewhere
    behind it, so that no two signals are the same corner. A few signals are far stronger, up to what
    published ones reach, and a few are negative: whole directions, or single bins.
    """
    return by_blocks(partial(_block, space), BLOCK, first, count)


def _block(space: SignalSpace, block: int) -> Floats:
    numbers = variates(space, block)
    rays = space.published & (numbers.kind < space.sampling.published)
    directions = np.where(rays[:, None], ray_directions(space, numbers), _filling(space, numbers))
    delta = 0.5 * ladder(space, numbers.strength) ** 2
    strong = space.sampling.delta_max * (space.far / space.sampling.delta_max) ** numbers.strength
    far = (numbers.far < space.sampling.far) & (space.far > space.sampling.delta_max)
    delta = np.where(far, strong, delta)
    signals = strengths(space.background, directions, delta)[:, None] * directions
    behind_the_wall = space.largest * (1.0 - _WALL * numbers.depth)
    signals = np.where(signals > space.largest, behind_the_wall, signals)
    turned = np.where(rays[:, None], _turned(space, numbers, signals), _mixed_signs(space, numbers, signals))
    return np.where((numbers.sign < space.sampling.negative)[:, None], turned, signals)


def _turned(space: SignalSpace, numbers: Variates, signals: Floats) -> Floats:
    """(BLOCK, n_bins) signals at negative mu, down to where the first bin leaves the box.

    Bins without background stay empty; a signal that has no others stays as it is.
    """
    below = np.where(space.lowest < 0, signals, 0.0)
    with np.errstate(divide="ignore", invalid="ignore"):
        edge = np.min(np.where(below > 0, -space.lowest / below, np.inf), axis=1, keepdims=True)
    reached = numbers.strength[:, None] * np.where(np.isfinite(edge), edge, 0.0)
    return np.where(np.isfinite(edge), 0.0 - reached * below, signals)


def _mixed_signs(space: SignalSpace, numbers: Variates, signals: Floats) -> Floats:
    """(BLOCK, n_bins) signals of which about half the bins are negative."""
    below = np.where(space.lowest < 0, 1.0 - 2.0 * numbers.depth, 0.0)
    return np.where(below > 0.0, below * space.lowest, signals)


def _filling(space: SignalSpace, numbers: Variates) -> Floats:
    """(BLOCK, n_bins) directions around equal significance in each of the bins that they fill."""
    bins = space.background.scale * np.exp(space.sampling.spread * ndtri(numbers.bins))
    return bins * filled_bins(numbers, space.sampling.alone)
