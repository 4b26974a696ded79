"""Labels as training sees them: in units of the signal's scale, each on its branch."""

from __future__ import annotations

from dataclasses import dataclass

import jax.numpy as jnp
import numpy as np
from jax import Array
from numpy.typing import NDArray

from llb_trainer.labels import Labels
from llb_trainer.training.analytic import AnalyticProfile, with_gradients
from llb_trainer.training.branches import Branches
from llb_trainer.training.families import families
from llb_trainer.training.loss import Batch

__all__ = ["Examples", "examples"]

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Examples:
    """All labels of a training.

    Attributes:
        branches: to which the labels belong.
        batch: the labels.
    """

    branches: Branches
    batch: Batch


def examples(labels: Labels, analytic: AnalyticProfile, scale: Floats, most: int, near: float) -> Examples:
    """The labels, zero signal first, in single precision.

    Args:
        labels: to learn from.
        analytic: the part that is known.
        scale: (n_bins,) signal, in events, that counts as one unit.
        most: branches of a curve.
        near: Delta NLL up to which branches are looked for.
    """
    family = [families(curve.parameters, curve.delta <= near, most) for curve in labels.curves]
    branches = Branches(tuple(int(numbers.max()) + 1 for numbers in family))
    known, known_gradients = with_gradients(analytic, labels.signals)
    batch = Batch(
        x=_single(labels.signals / scale),
        values=_single(labels.delta),
        gradients=_single(np.stack([curve.gradient for curve in labels.curves], axis=1) * scale),
        known=_single(known),
        known_gradients=_single(known_gradients * scale),
        branch=jnp.asarray(np.stack(family, axis=1) + branches.first, dtype=jnp.int32),
    )
    return Examples(branches, batch)


def _single(array: Floats) -> Array:
    return jnp.asarray(array, dtype=jnp.float32)
