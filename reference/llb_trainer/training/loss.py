"""Sobolev loss of a profile likelihood ensemble: values and directional derivatives, basin by basin.

Training on the derivatives that every fit gives for free: W. Czarnecki et al., Sobolev Training for
Neural Networks, NeurIPS 2017 (arXiv:1706.04859). A random direction per signal and step replaces the
full Jacobian; the expectation of the loss is the same.
"""

from __future__ import annotations

from typing import Any, NamedTuple, TypeAlias

import jax
import jax.numpy as jnp
from flax import nnx
from jax import Array

from llb_trainer.training.ensemble import Ensemble

__all__ = ["Batch", "Frame", "LossTerms", "Weights", "branch_values", "sobolev_loss"]

Weights: TypeAlias = nnx.State[Any, Any]
"""The trainable arrays of an `Ensemble`."""


class Frame(NamedTuple):
    """The fixed parts of `ProfileNetwork`, with signals in units of `scale` (x = s / scale)."""

    offset: Array
    slope: Array
    metric: Array


class Batch(NamedTuple):
    """Labels of some signals.

    Attributes:
        x: (n, n_bins) signals in units of scale.
        values: (n, n_curves, n_branches) Delta NLL of each basin; where it has none, the global minimum.
        gradients: (n, n_curves, n_branches, n_bins) d values / d x.
        valid: (n, n_curves, n_branches) 1 where the basin exists.
        lowest: (n, n_curves) Delta NLL of the global minimum.
    """

    x: Array
    values: Array
    gradients: Array
    valid: Array
    lowest: Array


class LossTerms(NamedTuple):
    """The two terms of the loss."""

    value: Array
    gradient: Array


def branch_values(ensemble: Ensemble, frame: Frame, x: Array) -> Array:
    """Delta NLL of every basin by every member, shape (members, n, n_curves, n_branches)."""
    z = x / jnp.sqrt(jnp.sqrt(1.0 + x * x))
    ratio = ensemble(z)
    ratio = ratio.reshape(*ratio.shape[:2], *frame.offset.shape)
    q = jnp.sum(jnp.einsum("nb,cbj->ncj", x, frame.metric) ** 2, axis=2)
    phi = q / (1.0 + jnp.sqrt(1.0 + q))
    start = frame.offset + jnp.einsum("nb,ckb->nck", x, frame.slope)
    return start + phi[None, :, :, None] * ratio


def sobolev_loss(
    graph: nnx.GraphDef[Ensemble],
    weights: Weights,
    frame: Frame,
    batch: Batch,
    direction: Array,
    soft: float,
    robust: float,
) -> LossTerms:
    """Mean robust squared errors of values and of derivatives along `direction` (n, n_bins).

    A basin that holds no minimum at a signal only has to stay above the global one. Errors count less
    the larger Delta is, and beyond `robust` they count linearly: a wrong label must not pull.
    """

    def values(x: Array) -> Array:
        return branch_values(nnx.merge(graph, weights), frame, x)

    found, slopes = jax.jvp(values, (batch.x,), (direction,))
    wanted = jnp.einsum("nckb,nb->nck", batch.gradients, direction)
    error = found - batch.values
    below = jnp.minimum(error, 0.0)
    error = jnp.where(batch.valid > 0, error, below)
    mismatch = jnp.where(batch.valid > 0, slopes - wanted, 0.0)
    importance = 1.0 / (1.0 + (jnp.maximum(batch.values, 0.0) / soft) ** 2)
    # a basin that lies far above the global minimum is never the answer
    importance = importance / (1.0 + (batch.values - batch.lowest[:, :, None]) ** 2)

    def robust_mean(e: Array) -> Array:
        scaled = (e / robust) ** 2 * importance
        return jnp.mean(2.0 * robust**2 * (jnp.sqrt(1.0 + scaled) - 1.0))

    return LossTerms(robust_mean(error), robust_mean(mismatch))
