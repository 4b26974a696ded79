"""Signals to compare for a search of which none are published."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

import numpy as np

from llb.runtime import Signals
from llb_trainer.sampling import Background, Sampling, sample_signals
from llb_trainer.teachers.contract import Teacher

__all__ = ["generated_signals"]

_DECIDED: Final = Sampling(published=0.0, near_zero=0.0, delta_max=6.0)
"""Strengths up to 3.5 standard deviations: CLs from 1 to about 1e-3."""


def generated_signals(teacher: Teacher, count: int, seed: int) -> Signals:
    """Invented signals, spread over the bins and over CLs, columns in the order of the teacher's bins."""
    events = np.array([item.background for item in teacher.bins])
    background = Background(events, teacher.covariance)
    # The first one drawn is no signal at all.
    yields = sample_signals(background, np.empty((0, len(events))), count + 1, replace(_DECIDED, seed=seed))[
        1:
    ]
    return Signals(tuple(f"generated_{number}" for number in range(1, count + 1)), yields)
