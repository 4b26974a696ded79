"""The part of signal space in which signals are drawn."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from llb_trainer.sampling.background import Background, expected_delta, strengths
from llb_trainer.sampling.settings import Sampling

__all__ = ["SignalSpace", "signal_space"]

Floats = NDArray[np.float64]

_LEAST_REACH = 0.1
"""Of a bin that no published signal fills, in units of what the bin alone would notice."""
_NEXT_TO_NOTHING = 0.01
"""Events: a fit to no observed ones may leave a bin without any background."""


@dataclass(frozen=True)
class SignalSpace:
    """What every strategy draws from.

    Attributes:
        background: of the analysis.
        directions: (n_directions, n_bins) published signals at the strengths where they are expected
            to reach `delta_max`; without published signals, each bin alone.
        published: whether the directions are published ones.
        largest: (n_bins,) the box: most signal in each bin.
        lowest: (n_bins,) the box: least signal in each bin, not positive.
        far: expected Delta NLL of the strongest signals that are drawn.
        sampling: how to draw.
    """

    background: Background
    directions: Floats
    published: bool
    largest: Floats
    lowest: Floats
    far: float
    sampling: Sampling

    @property
    def n_bins(self) -> int:
        """Number of bins."""
        return len(self.background.events)

    @property
    def top(self) -> float:
        """Expected significance, in standard deviations, at `delta_max`."""
        return float(np.sqrt(2 * self.sampling.delta_max))


def signal_space(background: Background, published: Floats, sampling: Sampling) -> SignalSpace:
    """The space of an analysis.

    Args:
        background: of the analysis.
        published: (n_published, n_bins) yields of published signals, possibly none; negative yields count
            as zero, and signals without any yield are left out.
        sampling: how to draw.
    """
    yields = np.maximum(published, 0.0)
    useful = yields[np.any(yields > 0, axis=1)]
    alone = _alone(background, sampling.delta_max)
    directions = useful if len(useful) else np.diag(background.scale)
    strength = strengths(background, directions, np.full(len(directions), sampling.delta_max))
    directions = strength[:, None] * directions
    reached = np.maximum(directions.max(axis=0), _LEAST_REACH * alone) if len(useful) else alone
    strong = sampling.strength * yields
    return SignalSpace(
        background=background,
        directions=directions,
        published=bool(len(useful)),
        largest=np.maximum(sampling.reach * reached, strong.max(axis=0, initial=0.0)),
        lowest=_lowest(background, sampling.below_zero),
        far=max(sampling.delta_max, float(np.max(expected_delta(background, strong), initial=0.0))),
        sampling=sampling,
    )


def _lowest(background: Background, below_zero: float) -> Floats:
    """(n_bins,) least signal, by the data set that expects the fewest events; 0 if that is next to none."""
    there = background.least > _NEXT_TO_NOTHING
    return np.where(there, -np.minimum(below_zero * background.least, background.scale), 0.0)


def _alone(background: Background, delta: float) -> Floats:
    """(n_bins,) yield at which a bin alone, Poisson error only, is expected to reach `delta`.

    It solves s^2 / 2 = delta (b + 1 + s / 2).
    """
    return 0.5 * (delta + np.sqrt(delta**2 + 8 * delta * background.scale**2))
