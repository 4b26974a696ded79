"""The recipe of a training: everything that decides its result besides the labels."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

from llb_schema import FindingError, finding

__all__ = ["Recipe"]

_FEW_BINS, _LEAST_STEPS, _STEPS_PER_BIN = 15, 24_000, 1_000
"""Bins up to which the least steps are enough, and what each further one adds."""


@dataclass(frozen=True)
class Recipe:
    """Settings of network and training.

    Raises `FindingError` LLB-T040 where a setting is out of its range.

    Attributes:
        width, depth: of the hidden layers.
        members: networks in the ensemble; at least 2 for an uncertainty.
        branches: most branches of a curve.
        steps: optimiser steps; None for 24,000 and 1,000 for each bin beyond 15.
        batch: signals per step.
        learning_rate: peak of the schedule; linear warm-up, cosine decay to zero.
        warm_up: fraction of the steps spent warming up.
        gradient_weight: weight of the gradient term of the loss (Sobolev training).
        soft: Delta NLL above which errors count less, in NLL units.
        robust: error, in NLL units, beyond which the loss grows linearly.
        seed: of initial weights and batches.
    """

    width: int = 128
    depth: int = 4
    members: int = 3
    branches: int = 16
    steps: int | None = None
    batch: int = 512
    learning_rate: float = 5e-3
    warm_up: float = 0.05
    gradient_weight: float = 1.0
    soft: float = 6.0
    robust: float = 0.1
    seed: int = 0

    def __post_init__(self) -> None:
        for name in ("width", "depth", "members", "branches", "batch"):
            _require(getattr(self, name) >= 1, name, getattr(self, name), "at least 1")
        if self.steps is not None:
            _require(self.steps >= 1, "steps", self.steps, "at least 1")
        for name in ("learning_rate", "soft", "robust"):
            _require(0 < getattr(self, name) < math.inf, name, getattr(self, name), "above 0 and finite")
        for name in ("gradient_weight", "seed"):
            value = getattr(self, name)
            _require(0 <= value < math.inf, name, value, "at least 0 and finite")
        _require(0 <= self.warm_up < 1, "warm_up", self.warm_up, "at least 0 and below 1")

    def steps_for(self, n_bins: int) -> int:
        """Optimiser steps of the training of a likelihood of so many bins."""
        if self.steps is not None:
            return self.steps
        return _LEAST_STEPS + _STEPS_PER_BIN * max(0, n_bins - _FEW_BINS)

    def sized(self, n_bins: int) -> Recipe:
        """The same recipe with its steps as a number."""
        return replace(self, steps=self.steps_for(n_bins))


def _require(holds: bool, name: str, value: float, expected: str) -> None:
    if not holds:
        message = f"the recipe's {name} is {value}, and must be {expected}"
        raise FindingError(finding("LLB-T040", message, pointer=name, expected=expected, actual=str(value)))
