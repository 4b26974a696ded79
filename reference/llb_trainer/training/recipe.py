"""The recipe of a training: everything that decides its result besides the labels."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["Recipe"]


@dataclass(frozen=True)
class Recipe:
    """Settings of network and training.

    Attributes:
        width, depth: of the hidden layers.
        members: networks in the ensemble.
        steps: optimiser steps.
        batch: signals per step.
        learning_rate: peak of the schedule; linear warm-up, cosine decay to zero.
        warm_up: fraction of the steps spent warming up.
        gradient_weight: weight of the gradient term of the loss (Sobolev training).
        soft: Delta NLL above which errors count less, in NLL units.
        robust: error, in the loss's units, beyond which the loss grows linearly.
        seed: of initial weights and batches.
    """

    width: int = 64
    depth: int = 3
    members: int = 4
    steps: int = 12_000
    batch: int = 512
    learning_rate: float = 3e-3
    warm_up: float = 0.05
    gradient_weight: float = 1.0
    soft: float = 4.0
    robust: float = 0.1
    seed: int = 0
