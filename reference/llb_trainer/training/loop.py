"""The training loop: labels in, `ProfileNetwork` out."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import optax
from flax import nnx
from jax import Array
from numpy.typing import NDArray

from llb_trainer.labels import LabelSet
from llb_trainer.training.analytic import analytic_profile
from llb_trainer.training.calibration import DECISION_MAX, calibrated
from llb_trainer.training.checkpoint import Checkpoints
from llb_trainer.training.ensemble import Ensemble
from llb_trainer.training.examples import examples
from llb_trainer.training.loss import Batch, LossTerms, Shape, Weights, sobolev_loss, starts
from llb_trainer.training.network import ProfileNetwork
from llb_trainer.training.recipe import Recipe
from llb_trainer.training.soap import renewed, scale_by_soap

__all__ = ["Trained", "TrainingHistory", "train"]

Floats = NDArray[np.float64]
_State = tuple[Weights, Any, Array]
"""Weights, state of the optimiser, and the key of what is random."""

_CHUNK = 50
"""Steps taken in one compiled call: few enough for a live progress bar and fresh bases of the optimiser."""


@dataclass(frozen=True)
class TrainingHistory:
    """How a training went, one entry per record.

    Attributes:
        steps: optimiser steps taken.
        loss_values, loss_gradients: the two terms of the training loss, mean since the last record.
        heldout_median, heldout_p99: |error of Delta NLL| of the ensemble mean on held-out signals with
            0 <= Delta <= 6, in NLL units.
        seconds: time taken by the whole training; of a resumed one, by its last part.
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
    recipe: Recipe,
    *,
    checkpoints: Path | None = None,
    progress: Callable[[int], None] | None = None,
    records: int = 20,
) -> Trained:
    """Train an ensemble on labels, and calibrate its uncertainty.

    Args:
        labels: what to learn; the held-out ones are only looked at for the history.
        recipe: settings.
        checkpoints: directory of checkpoints, one per record; a training that was killed goes on from the
            last one. Removed when the training is done.
        progress: told how many steps were taken since the last call.
        records: entries in the history.

    Raises:
        FindingError: LLB-T041 the checkpoints belong to another training.
    """
    # Networks are trained in single precision, whatever somebody else has told JAX (pyhf's backend does).
    with jax.enable_x64(False):
        return _trained(labels, recipe, checkpoints, progress, records)


def _trained(
    labels: LabelSet,
    recipe: Recipe,
    checkpoints: Path | None,
    progress: Callable[[int], None] | None,
    records: int,
) -> Trained:
    began = time.monotonic()
    run = _Run(labels, recipe)
    steps = run.steps
    keeper = Checkpoints(checkpoints, run.identity()) if checkpoints else None
    history: list[tuple[float, ...]] = []
    taken = 0
    if keeper and (kept := keeper.latest(run.state)):
        taken, run.state, history = kept
        if progress:
            progress(taken)
    every = max(1, steps // _CHUNK // records) * _CHUNK
    sums = np.zeros(2)
    while taken < steps:
        count = min(_CHUNK, steps - taken)
        sums += run.advance(count) * count
        taken += count
        if progress:
            progress(count)
        if taken % every == 0 or taken == steps:
            done = taken - (history[-1][0] if history else 0)
            history.append((taken, *(sums / done).tolist(), *run.heldout_errors()))
            sums[:] = 0.0
            if keeper:
                keeper.save(taken, run.state, history)
    recorded, values, gradients, median, p99 = zip(*history, strict=True)
    network = run.network()
    if recipe.members > 1:
        network = calibrated(network, labels.calibration)
    if keeper:
        keeper.clear()
    whole = tuple(int(step) for step in recorded)
    record = TrainingHistory(whole, values, gradients, median, p99, time.monotonic() - began)
    return Trained(network, record)


class _Run:
    """State of a training."""

    def __init__(self, labels: LabelSet, recipe: Recipe) -> None:
        self.labels, self.scale = labels, labels.background.scale
        self.recipe, self.steps = recipe.sized(len(self.scale)), recipe.steps_for(len(self.scale))
        self.analytic = analytic_profile(labels.origin)
        near = labels.sampling.delta_max
        seen = examples(labels.training, self.analytic, self.scale, recipe.branches, near)
        self.branches, self.data = seen.branches, seen.batch
        ensemble = Ensemble(
            recipe.members, len(self.scale), recipe.width, recipe.depth, self.branches, nnx.Rngs(recipe.seed)
        )
        self.graph, weights = nnx.split(ensemble)
        schedule = optax.warmup_cosine_decay_schedule(
            0.0, recipe.learning_rate, max(1, round(recipe.warm_up * self.steps)), self.steps
        )
        self.optimizer = optax.chain(scale_by_soap(), optax.scale_by_learning_rate(schedule))
        key = jax.random.key_data(jax.random.key(recipe.seed))
        self.state: _State = (weights, self.optimizer.init(weights), key)
        self.advance_compiled = jax.jit(self._steps, static_argnames="count")

    def identity(self) -> dict[str, Any]:
        """What decides the result."""
        digest = hashlib.sha256(self.labels.training.signals.tobytes())
        for curve in self.labels.training.curves:
            digest.update(curve.delta.tobytes() + curve.gradient.tobytes())
        return {"recipe": asdict(self.recipe), "labels": digest.hexdigest()}

    def advance(self, count: int) -> Floats:
        """Take some steps; returns the mean of the two loss terms."""
        self.state, terms = self.advance_compiled(self.state, self.data, count=count)
        weights, (soap, *others), key = self.state
        self.state = weights, (renewed(soap), *others), key
        return np.asarray([float(terms.value), float(terms.gradient)])

    def _steps(self, state: _State, data: Batch, count: int) -> tuple[_State, LossTerms]:
        shape = Shape(self.recipe.soft, self.recipe.robust)

        def loss(weights: Weights, batch: Batch, direction: Array) -> tuple[Array, LossTerms]:
            terms = sobolev_loss(self.graph, weights, self.branches, batch, direction, shape)
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

        weights, moments, key = state
        key, use = jax.random.split(jax.random.wrap_key_data(key))
        (weights, moments), terms = jax.lax.scan(step, (weights, moments), jax.random.split(use, count))
        means = LossTerms(jnp.mean(terms.value), jnp.mean(terms.gradient))
        return (weights, moments, jax.random.key_data(key)), means

    def network(self) -> ProfileNetwork:
        """The ensemble as it stands."""
        ensemble = nnx.merge(self.graph, self.state[0])
        offset, gain, tilt = (np.asarray(part, np.float64) for part in starts(ensemble, self.branches))
        return ProfileNetwork(
            curves=tuple(curve.name for curve in self.labels.training.curves),
            asimov=tuple(self.labels.origin.asimov.tolist()),
            counts=self.branches.counts,
            scale=self.scale,
            analytic=self.analytic,
            offset=offset,
            gain=gain,
            tilt=tilt / self.scale[:, None],
            kernels=tuple(np.asarray(layer.kernel[...], dtype=np.float64) for layer in ensemble.layers),
            biases=tuple(np.asarray(layer.bias[...], dtype=np.float64) for layer in ensemble.layers),
        )

    def heldout_errors(self) -> tuple[float, float]:
        """Median and 99th percentile of |error| in the decision region of the held-out labels."""
        found = self.network()(self.labels.heldout.signals)
        truth = self.labels.heldout.delta
        errors = np.abs(found - truth)[(truth >= 0) & (truth <= DECISION_MAX)]
        if not len(errors):
            return float("nan"), float("nan")
        return float(np.median(errors)), float(np.percentile(errors, 99))
