"""The recipe of a regression: everything that decides it besides the teacher and its samples."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal, get_args

from llb_schema import FindingError, finding

__all__ = ["RegressionRecipe", "Target"]

Target = Literal["likelihood", "density"]
"""What is learned: the teacher's `log_likelihood`, or its `log_density`, in which the factors of the prior
count as measurements of their own (constraint terms)."""


@dataclass(frozen=True)
class RegressionRecipe:
    """Settings of points, network and training.

    Raises `FindingError` LLB-T040 where a setting is out of its range.

    Attributes:
        target: what is learned.
        scaled: points along the rays from the mode through the samples, per sample.
        stretch: how far out these go, in distances of the sample from the mode.
        lines: points around the profiles of the parameters of interest, per sample.
        nodes: values of a parameter of interest at which its profile is computed.
        members: networks whose mean is published.
        width, depth: of the hidden layers of each.
        steps: optimiser steps.
        batch: points per step.
        learning_rate: peak of the schedule; linear warm-up, cosine decay to zero.
        warm_up: fraction of the steps spent warming up.
        clip: norm of the gradient beyond which it is scaled down.
        gradient_weight: of the gradient's term of the loss.
        robust: error, in root mean squares of what has to be learned, beyond which errors count linearly.
        soft: distance of ln L below its maximum from where errors count less, in medians of the samples'.
        validation: fraction of the points that is only looked at.
        rounds: how often, on the way, the profiles of what has been learned are looked for, and the teacher
            is asked there.
        added: points that are learned from in each round.
        records: how often, in the whole of the steps, the validation points are looked at.
        seed: of points, split, initial weights and batches.
    """

    target: Target = "likelihood"
    scaled: float = 0.5
    stretch: float = 1.4
    lines: float = 1.0
    nodes: int = 61
    members: int = 2
    width: int = 160
    depth: int = 2
    steps: int = 15_000
    batch: int = 512
    learning_rate: float = 3e-3
    warm_up: float = 0.05
    clip: float = 10.0
    gradient_weight: float = 1.0
    robust: float = 1.0
    soft: float = 4.0
    validation: float = 0.1
    rounds: int = 4
    added: int = 4000
    records: int = 20
    seed: int = 0

    def __post_init__(self) -> None:
        _require(self.target in get_args(Target), "target", self.target, " or ".join(get_args(Target)))
        for name in ("members", "width", "depth", "steps", "batch", "records"):
            _require(getattr(self, name) >= 1, name, getattr(self, name), "at least 1")
        _require(self.nodes >= 2, "nodes", self.nodes, "at least 2")
        for name in ("learning_rate", "clip", "robust", "soft"):
            _require(0 < getattr(self, name) < math.inf, name, getattr(self, name), "above 0 and finite")
        _require(1 <= self.stretch < math.inf, "stretch", self.stretch, "at least 1 and finite")
        _require(0 <= self.rounds <= 20, "rounds", self.rounds, "0 to 20")
        _require(self.added >= 1, "added", self.added, "at least 1")
        for name in ("scaled", "lines", "gradient_weight", "seed"):
            value = getattr(self, name)
            _require(0 <= value < math.inf, name, value, "at least 0 and finite")
        _require(0 <= self.warm_up < 1, "warm_up", self.warm_up, "at least 0 and below 1")
        _require(0 < self.validation < 1, "validation", self.validation, "above 0 and below 1")


def _require(holds: bool, name: str, value: object, expected: str) -> None:
    if not holds:
        message = f"the recipe's {name} is {value}, and must be {expected}"
        raise FindingError(finding("LLB-T040", message, pointer=name, expected=expected, actual=str(value)))
