"""The recipe of a flow: everything that decides it besides the samples."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np

from llb_schema import FindingError, finding
from llb_trainer.flows.layout import Layout

__all__ = ["FlowRecipe"]

Kind = Literal["affine", "spline"]
Order = Literal["reverse", "random"]
Optimizer = Literal["soap", "adam"]


@dataclass(frozen=True)
class FlowRecipe:
    """Settings of flow and training.

    Raises `FindingError` LLB-T040 where a setting is out of its range.

    Attributes:
        kind: `affine` bijectors (MAF), or `spline`s behind affine ones (A-RQS).
        bijectors: how many.
        width, depth: of the hidden layers of each.
        bins, box: of a spline, and half the width of the square it works in, in standard deviations.
        order: of the columns in every other bijector, reversed, or in all but the first, random.
        optimizer: SOAP (arXiv:2409.11321) for matrices of up to 512 rows and columns, Adam for the others; or
            Adam.
        steps: most optimiser steps.
        batches: samples per step; with several sizes each has an equal share of the steps, in turn.
        learning_rate: peak of the schedule; linear warm-up, cosine decay to zero.
        warm_up: fraction of the steps spent warming up.
        clip: norm of the gradient beyond which it is scaled down.
        l1: weight of the sum of the absolute values of the weights, per weight in the loss.
        average: memory of the running mean of the weights that is published, per step; 0 for the weights
            themselves. A mean over more than a twentieth of the steps would remember how they began.
        validation: fraction of the samples that is only looked at.
        records: how often, in the whole of the steps, the validation samples are looked at.
        patience: records without an improvement by `least_gain` after which the training ends; 0 for never.
        least_gain: in NLL units per sample.
        seed: of the split, the initial weights, orders and batches.
    """

    kind: Kind = "affine"
    bijectors: int = 2
    width: int = 128
    depth: int = 2
    bins: int = 8
    box: float = 5.0
    order: Order = "reverse"
    optimizer: Optimizer = "adam"
    steps: int = 10_000
    batches: tuple[int, ...] = (512,)
    learning_rate: float = 3e-3
    warm_up: float = 0.05
    clip: float = 10.0
    l1: float = 1e-4
    average: float = 0.998
    validation: float = 0.1
    records: int = 20
    patience: int = 10
    least_gain: float = 1e-4
    seed: int = 0

    def __post_init__(self) -> None:
        for name, choices in (("kind", Kind), ("order", Order), ("optimizer", Optimizer)):
            value = getattr(self, name)
            _require(value in get_args(choices), name, value, " or ".join(get_args(choices)))
        for name in ("bijectors", "width", "depth", "steps", "records"):
            _require(getattr(self, name) >= 1, name, getattr(self, name), "at least 1")
        _require(2 <= self.bins <= 128, "bins", self.bins, "2 to 128")
        _require(
            len(self.batches) > 0 and all(size >= 1 for size in self.batches),
            "batches",
            self.batches,
            "one size or more, each at least 1",
        )
        for name in ("box", "learning_rate", "clip"):
            _require(0 < getattr(self, name) < math.inf, name, getattr(self, name), "above 0 and finite")
        for name in ("l1", "patience", "least_gain", "seed"):
            value = getattr(self, name)
            _require(0 <= value < math.inf, name, value, "at least 0 and finite")
        for name in ("warm_up", "average"):
            value = getattr(self, name)
            _require(0 <= value < 1, name, value, "at least 0 and below 1")
        _require(0 < self.validation < 1, "validation", self.validation, "above 0 and below 1")

    def layout(self, columns: int, conditions: int = 0) -> Layout:
        """Shapes and orders of the flow of so many parameters and columns of condition."""
        forwards = tuple(range(columns))
        orders = [forwards]
        rng = np.random.default_rng([self.seed, 1])
        for number in range(1, self.bijectors):
            if self.order == "random":
                orders.append(tuple(rng.permutation(columns).tolist()))
            else:
                orders.append(forwards[::-1] if number % 2 else forwards)
        bins = self.bins if self.kind == "spline" else 0
        return Layout(columns, conditions, (self.width,) * self.depth, bins, self.box, tuple(orders))

    @property
    def memory(self) -> float:
        """What the running mean keeps of itself in a step."""
        return max(0.0, min(self.average, 1.0 - 20.0 / self.steps))

    def stages(self) -> tuple[tuple[int, int], ...]:
        """(steps, batch size) of each stage."""
        share, extra = divmod(self.steps, len(self.batches))
        return tuple((share + (number < extra), size) for number, size in enumerate(self.batches))


def _require(holds: bool, name: str, value: object, expected: str) -> None:
    if not holds:
        message = f"the recipe's {name} is {value}, and must be {expected}"
        raise FindingError(finding("LLB-T040", message, pointer=name, expected=expected, actual=str(value)))
