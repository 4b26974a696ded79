"""Sobolev loss of a profile likelihood ensemble: values and directional derivatives, branch by branch.

Training on the derivatives that every fit gives for free: W. Czarnecki et al., Sobolev Training for
Neural Networks, NeurIPS 2017 (arXiv:1706.04859). A random direction per signal and step replaces the
full Jacobian; the expectation of the loss is the same.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, NamedTuple, TypeAlias

import jax
import jax.numpy as jnp
from flax import nnx
from jax import Array

from llb_trainer.training.branches import Branches
from llb_trainer.training.ensemble import Ensemble

__all__ = ["Batch", "LossTerms", "Shape", "Weights", "branch_values", "sobolev_loss", "starts"]

Weights: TypeAlias = nnx.State[Any, Any]
"""The trainable arrays of an `Ensemble`."""


class Batch(NamedTuple):
    """Labels of some signals.

    Attributes:
        x: (n, n_bins) signals in units of scale.
        values: (n, n_curves) Delta NLL.
        gradients: (n, n_curves, n_bins) d values / d x.
        known: (n, n_curves) the analytic part.
        known_gradients: (n, n_curves, n_bins) d known / d x.
        branch: (n, n_curves) number of the branch on which the label lies, among those of all curves.
    """

    x: Array
    values: Array
    gradients: Array
    known: Array
    known_gradients: Array
    branch: Array


@dataclass(frozen=True)
class Shape:
    """How errors count.

    Attributes:
        soft: Delta NLL above which they count less, by its fourth power, in NLL units: errors grow with
            Delta, and a weaker decline would have the strongest signals decide what is learned.
        robust: error, in NLL units, beyond which they count linearly: a wrong label must not pull.
    """

    soft: float
    robust: float


class LossTerms(NamedTuple):
    """The two terms of the loss."""

    value: Array
    gradient: Array


def starts(ensemble: Ensemble, branches: Branches) -> tuple[Array, Array, Array]:
    """Offset, gain and tilt of every branch, (members, n_branches) and (members, n_bins, n_branches)."""
    free = jnp.asarray(branches.free, jnp.float32)
    offset = free * nnx.softplus(ensemble.offset[...])
    gain = 1.0 + free * (ensemble.gain[...] - 1.0)
    return offset, gain, free * ensemble.tilt[...]


def branch_values(ensemble: Ensemble, branches: Branches, x: Array, known: Array) -> Array:
    """Delta NLL of every branch by every member, shape (members, n, n_branches)."""
    offset, gain, tilt = starts(ensemble, branches)
    square = 0.25 * jnp.sum(x * x, axis=1)
    psi = square / (1.0 + jnp.sqrt(1.0 + square))
    remainder = psi[:, None] * ensemble(x / jnp.sqrt(jnp.sqrt(1.0 + x * x)))
    return offset[:, None, :] + gain[:, None, :] * known[:, branches.owner] + x @ tilt + remainder


def sobolev_loss(
    graph: nnx.GraphDef[Ensemble],
    weights: Weights,
    branches: Branches,
    batch: Batch,
    direction: Array,
    shape: Shape,
) -> LossTerms:
    """Mean robust errors of values and of derivatives along `direction` (n, n_bins).

    A label teaches the branch on which it lies; all others only have to stay above it there.
    """

    def values(x: Array, known: Array) -> Array:
        return branch_values(nnx.merge(graph, weights), branches, x, known)

    along = jnp.einsum("ncb,nb->nc", batch.known_gradients, direction)
    found, slopes = jax.jvp(values, (batch.x, batch.known), (direction, along))
    wanted = jnp.einsum("ncb,nb->nc", batch.gradients, direction)
    importance = 1.0 / (1.0 + (batch.values / shape.soft) ** 4)

    def own(of_branches: Array) -> Array:
        return jnp.take_along_axis(of_branches, batch.branch[None], axis=2)

    def robust_mean(error: Array, weight: Array) -> Array:
        scaled = (error / shape.robust) ** 2 * weight
        per_curve = jnp.sum(jnp.sqrt(1.0 + scaled) - 1.0, axis=2) / len(branches.counts)
        return jnp.mean(2.0 * shape.robust**2 * per_curve)

    other = batch.branch[:, branches.owner] != jnp.arange(len(branches))
    below = jnp.where(other, jnp.minimum(found - batch.values[:, branches.owner], 0.0), 0.0)
    value = robust_mean(own(found) - batch.values, importance)
    intrusion = robust_mean(below, importance[:, branches.owner])
    return LossTerms(value + intrusion, robust_mean(own(slopes) - wanted, importance))
