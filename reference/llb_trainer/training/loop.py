"""The training loop: labels in, `ProfileNetwork` out."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import optax
from flax import nnx
from jax import Array
from numpy.typing import NDArray

from llb_trainer.labels import Labels, LabelSet
from llb_trainer.training.ensemble import Ensemble
from llb_trainer.training.loss import Batch, Frame, LossTerms, Weights, sobolev_loss
from llb_trainer.training.network import ProfileNetwork
from llb_trainer.training.recipe import Recipe

__all__ = ["Trained", "TrainingHistory", "train"]

Floats = NDArray[np.float64]

_CHUNK = 50
"""Steps taken in one compiled call: few enough for a live progress bar, many enough to cost no time."""


@dataclass(frozen=True)
class TrainingHistory:
    """How a training went, one entry per record.

    Attributes:
        steps: optimiser steps taken.
        loss_values, loss_gradients: the two terms of the training loss, mean since the last record.
        heldout_median, heldout_p99: |error of Delta NLL| of the ensemble mean on held-out signals with
            0 <= Delta <= 6, in NLL units.
        seconds: time taken by the whole training.
    """

    steps: tuple[int, ...]
    loss_values: tuple[float, ...]
    loss_gradients: tuple[float, ...]
    heldout_median: tuple[float, ...]
    heldout_p99: tuple[float, ...]
    seconds: float


@dataclass(frozen=True)
class Trained:
    """A trained network and its history."""

    network: ProfileNetwork
    history: TrainingHistory


def train(
    labels: LabelSet,
    branches: tuple[str, ...],
    recipe: Recipe,
    progress: Callable[[int], None] | None = None,
    records: int = 20,
) -> Trained:
    """Train an ensemble on labels.

    Args:
        labels: what to learn; only `training` is learned from.
        branches: names of the basins, in the order of the labels.
        recipe: settings.
        progress: told how many steps were taken since the last call.
        records: entries in the history.
    """
    began = time.monotonic()
    run = _Run(labels, branches, recipe)
    every = max(1, recipe.steps // _CHUNK // records) * _CHUNK
    history: list[tuple[int, float, float, float, float]] = []
    sums, taken = np.zeros(2), 0
    while taken < recipe.steps:
        count = min(_CHUNK, recipe.steps - taken)
        sums += run.advance(count) * count
        taken += count
        if progress:
            progress(count)
        if taken % every == 0 or taken == recipe.steps:
            done = taken - (history[-1][0] if history else 0)
            history.append((taken, *(sums / done).tolist(), *run.heldout_errors()))
            sums[:] = 0.0
    steps, values, gradients, median, p99 = zip(*history, strict=True)
    record = TrainingHistory(steps, values, gradients, median, p99, time.monotonic() - began)
    return Trained(run.network(), record)


class _Run:
    """State of a training."""

    def __init__(self, labels: LabelSet, branches: tuple[str, ...], recipe: Recipe) -> None:
        self.labels, self.recipe = labels, recipe
        self.scale = labels.background.scale
        kept = _competing(labels.training)
        self.branches = tuple(branches[k] for k in kept)
        origin = labels.origin
        # a basin without a minimum at zero signal starts one unit above the global one
        start = np.nan_to_num(origin.offset[:, kept], nan=1.0)
        self.offset = np.maximum(start - np.min(start, axis=1, keepdims=True), 0.0)
        self.slope = np.where(np.isnan(origin.offset[:, kept])[:, :, None], 0.0, origin.slope[:, kept])
        self.metric = np.linalg.cholesky(origin.curvature).astype(np.float64)
        self.frame = Frame(
            _single(self.offset),
            _single(self.slope * self.scale),
            _single(self.metric * self.scale[:, None]),
        )
        self.data = _batch(labels.training, kept, self.scale)
        n_out = self.offset.size
        ensemble = Ensemble(
            recipe.members, len(self.scale), recipe.width, recipe.depth, n_out, nnx.Rngs(recipe.seed)
        )
        self.graph, self.weights = nnx.split(ensemble)
        schedule = optax.warmup_cosine_decay_schedule(
            0.0, recipe.learning_rate, max(1, round(recipe.warm_up * recipe.steps)), recipe.steps
        )
        self.optimizer = optax.chain(optax.clip_by_global_norm(1.0), optax.adam(schedule))
        self.moments = self.optimizer.init(self.weights)
        self.key = jax.random.key(recipe.seed)
        self.advance_compiled = jax.jit(self._steps, static_argnames="count")

    def advance(self, count: int) -> Floats:
        """Take some steps; returns the mean of the two loss terms."""
        self.weights, self.moments, self.key, terms = self.advance_compiled(
            self.weights, self.moments, self.key, self.data, count=count
        )
        return np.asarray([float(terms.value), float(terms.gradient)])

    def _steps(
        self, weights: Weights, moments: optax.OptState, key: Array, data: Batch, count: int
    ) -> tuple[Weights, optax.OptState, Array, LossTerms]:
        def loss(weights: Weights, batch: Batch, direction: Array) -> tuple[Array, LossTerms]:
            terms = sobolev_loss(
                self.graph, weights, self.frame, batch, direction, self.recipe.soft, self.recipe.robust
            )
            return terms.value + self.recipe.gradient_weight * terms.gradient, terms

        def step(carry: tuple[Any, Any], key: Array) -> tuple[tuple[Any, Any], LossTerms]:
            weights, moments = carry
            pick, turn = jax.random.split(key)
            rows = jax.random.randint(pick, (self.recipe.batch,), 0, len(data.x))
            batch = Batch(*(part[rows] for part in data))
            direction = jax.random.rademacher(turn, batch.x.shape, jnp.float32)
            grads, terms = jax.grad(loss, has_aux=True)(weights, batch, direction)
            updates, moments = self.optimizer.update(grads, moments, weights)
            return (optax.apply_updates(weights, updates), moments), terms

        key, use = jax.random.split(key)
        (weights, moments), terms = jax.lax.scan(step, (weights, moments), jax.random.split(use, count))
        return weights, moments, key, LossTerms(jnp.mean(terms.value), jnp.mean(terms.gradient))

    def network(self) -> ProfileNetwork:
        """The ensemble as it stands."""
        layers = nnx.merge(self.graph, self.weights).layers
        return ProfileNetwork(
            curves=tuple(curve.name for curve in self.labels.training.curves),
            branches=self.branches,
            scale=self.scale,
            offset=self.offset,
            slope=self.slope,
            metric=self.metric,
            kernels=tuple(np.asarray(layer.kernel[...], dtype=np.float64) for layer in layers),
            biases=tuple(np.asarray(layer.bias[...], dtype=np.float64) for layer in layers),
        )

    def heldout_errors(self) -> tuple[float, float]:
        """Median and 99th percentile of |error| in the decision region of the held-out labels."""
        found = self.network()(self.labels.heldout.signals)
        truth = np.stack([curve.delta for curve in self.labels.heldout.curves], axis=1)
        errors = np.abs(found - truth)[(truth >= 0) & (truth <= 6)]
        if not len(errors):
            return float("nan"), float("nan")
        return float(np.median(errors)), float(np.percentile(errors, 99))


def _single(array: Floats) -> Array:
    return jnp.asarray(array, dtype=jnp.float32)


def _competing(labels: Labels, margin: float = 0.5) -> list[int]:
    """Basins that come within `margin` of the global minimum somewhere; others are never the answer."""
    above = np.stack([curve.branches - curve.delta[:, None] for curve in labels.curves])
    return [k for k in range(above.shape[2]) if np.nanmin(above[:, :, k], initial=np.inf) < margin]


def _batch(labels: Labels, kept: list[int], scale: Floats) -> Batch:
    """All labels as one batch of these basins, in single precision."""
    lowest = np.stack([curve.delta for curve in labels.curves], axis=1)
    values = np.stack([curve.branches[:, kept] for curve in labels.curves], axis=1)
    gradients = np.stack([curve.branch_gradients[:, kept] for curve in labels.curves], axis=1)
    valid = np.isfinite(values)
    return Batch(
        x=_single(labels.signals / scale),
        values=_single(np.where(valid, values, lowest[:, :, None])),
        gradients=_single(np.where(valid[..., None], gradients, 0.0) * scale),
        valid=_single(valid.astype(np.float64)),
        lowest=_single(lowest),
    )
