"""Sobol: fill the box of signal space evenly, knowing nothing about signals."""

from __future__ import annotations

from functools import partial

import numpy as np
from numpy.typing import NDArray

from llb_trainer.sampling.background import expected_delta, strengths
from llb_trainer.sampling.randomness import BLOCK, by_blocks
from llb_trainer.sampling.space import SignalSpace
from llb_trainer.sampling.variates import filled_bins, variates

__all__ = ["sobol_signals"]

Floats = NDArray[np.float64]

_LINEAR_UP_TO = 0.1
"""Yield, in standard deviations of the bin, from which on logarithms are even and below which yields are."""


def sobol_signals(space: SignalSpace, first: int, count: int) -> Floats:
    """Signals `first` to `first + count` of a scrambled Sobol sequence in the box, (count, n_bins).

    The yield of a bin is even in its inverse hyperbolic sine: in its logarithm from a tenth of a standard
    deviation to the edge of the box. Points beyond `delta_max`, nearly the whole box where bins are many,
    come back along their ray to a significance spread evenly below it.
    """
    return by_blocks(partial(_block, space), BLOCK, first, count)


def _block(space: SignalSpace, block: int) -> Floats:
    numbers = variates(space, block)
    small = _LINEAR_UP_TO * space.background.scale
    signals = small * np.sinh(numbers.bins * np.arcsinh(space.largest / small))
    signals = np.minimum(signals, space.largest) * filled_bins(numbers, space.sampling.alone)
    beyond = expected_delta(space.background, signals) > space.sampling.delta_max
    inside = 0.5 * (space.top * numbers.strength) ** 2
    factor = strengths(space.background, signals[beyond], inside[beyond])
    signals[beyond] = factor[:, None] * signals[beyond]
    return signals
