"""The recipe of a training: everything that decides its result besides the labels."""

from __future__ import annotations

import math
from dataclasses import dataclass

from llb_schema import FindingError, finding

__all__ = ["Recipe"]


@dataclass(frozen=True)
class Recipe:
    """Settings of network and training.

    Raises `FindingError` LLB-T040 where a setting is out of its range.

    Attributes:
        width, depth: of the hidden layers.
        members: networks in the ensemble; at least 2 for an uncertainty.
        branches: most branches of a curve.
        steps: optimiser steps.
        batch: signals per step.
        learning_rate: peak of the schedule; linear warm-up, cosine decay to zero.
        warm_up: fraction of the steps spent warming up.
        gradient_weight: weight of the gradient term of the loss (Sobolev training).
        soft: Delta NLL above which errors count less, in NLL units.
        robust: error, in NLL units, beyond which the loss grows linearly.
        seed: of initial weights and batches.
    """

    width: int = 64
    depth: int = 3
    members: int = 3
    branches: int = 16
    steps: int = 30_000
    batch: int = 512
    learning_rate: float = 1e-2
    warm_up: float = 0.05
    gradient_weight: float = 1.0
    soft: float = 4.0
    robust: float = 0.1
    seed: int = 0

    def __post_init__(self) -> None:
        for name in ("width", "depth", "members", "branches", "steps", "batch"):
            _require(getattr(self, name) >= 1, name, getattr(self, name), "at least 1")
        for name in ("learning_rate", "soft", "robust"):
            _require(0 < getattr(self, name) < math.inf, name, getattr(self, name), "above 0 and finite")
        for name in ("gradient_weight", "seed"):
            value = getattr(self, name)
            _require(0 <= value < math.inf, name, value, "at least 0 and finite")
        _require(0 <= self.warm_up < 1, "warm_up", self.warm_up, "at least 0 and below 1")


def _require(holds: bool, name: str, value: float, expected: str) -> None:
    if not holds:
        message = f"the recipe's {name} is {value}, and must be {expected}"
        raise FindingError(finding("LLB-T040", message, pointer=name, expected=expected, actual=str(value)))
