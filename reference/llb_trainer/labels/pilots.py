"""The signals on which a teacher looks for minima before it labels others like them."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from llb_trainer.sampling import Background, Sampling, sample_signals
from llb_trainer.teachers.contract import Teacher

__all__ = ["background_of", "pilot_signals", "pilots_among"]

Floats = NDArray[np.float64]

_FEW, _MANY, _EACH = 256, 1024, 32
"""One pilot for so many signals, within these limits: the nearer the next pilot, the better the start."""
_MOST_BINS = 15_000
"""Bins of all pilots together, unless there are few: a pilot of many bins takes long to search."""


def background_of(teacher: Teacher) -> Background:
    """What sampling has to know of a teacher."""
    events = np.asarray([item.background for item in teacher.bins])
    # The Asimov data of the observed fit are what it expects.
    fitted = next((curve.main for curve in teacher.curves if curve.name == "observed_asimov"), None)
    return Background(events, teacher.covariance, fitted)


def pilot_signals(teacher: Teacher, published: Floats, n: int, sampling: Sampling) -> Floats:
    """Pilots (m, n_bins) for `n` signals that are drawn like this: drawn like them, from another seed.

    Args:
        teacher: the teacher.
        published: (n_published, n_bins) yields of published signals, possibly none.
        n: signals to be labelled.
        sampling: how they are drawn.
    """
    like = replace(sampling, seed=sampling.seed + 1)
    return sample_signals(background_of(teacher), published, _count(n, len(teacher.bins)), like)


def pilots_among(given: Floats) -> Floats:
    """Pilots for these signals (n, n_bins): all of them, or evenly some."""
    return given[:: max(1, -(-len(given) // _count(*given.shape)))]


def _count(n: int, n_bins: int) -> int:
    return max(_FEW, min(_MANY, n // _EACH, _MOST_BINS // n_bins))
