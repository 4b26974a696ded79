"""The training loop of regressions: a teacher and samples in, `Regression` out."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
import optax
from jax import Array
from numpy.typing import ArrayLike, NDArray

from llb_schema import FindingError, finding
from llb_trainer.regression.data import RegressionData, Rows, prepared
from llb_trainer.regression.function import Regression
from llb_trainer.regression.recipe import RegressionRecipe
from llb_trainer.regression.refinement import refining_points
from llb_trainer.teachers.densities.contract import DensityTeacher
from llb_trainer.training.checkpoint import Checkpoints
from llb_trainer.training.soap import SoapState, renewed, scale_by_soap

__all__ = ["RegressionHistory", "TrainedRegression", "train_regression"]

Floats = NDArray[np.float64]
Weights = list[tuple[Array, Array]]
"""Kernel (members, n_in, n_out) and bias (members, 1, n_out) of each layer."""

_CHUNK = 50
"""Steps taken in one compiled call: few enough for a live progress bar and fresh bases of the optimiser."""

_SHARE = 4
"""The points of the rounds are one in so many of a batch, beside the others."""

_BLOCK = 2048
"""Validation points looked at together."""


@dataclass(frozen=True)
class RegressionHistory:
    """How a training went, one entry per record.

    Attributes:
        steps: optimiser steps taken.
        training: loss of the batches since the last record.
        validation: loss of the validation points.
        error: median absolute error of ln L at the validation points.
        best: index of the record whose weights are published.
        points: how many points were trained on.
        seconds: time taken; of a resumed training, by its last part.
    """

    steps: tuple[int, ...]
    training: tuple[float, ...]
    validation: tuple[float, ...]
    error: tuple[float, ...]
    best: int
    points: int
    seconds: float


@dataclass(frozen=True, eq=False)
class TrainedRegression:
    """A regression, the history of its training, and the box (lower, upper) in which its points lie."""

    regression: Regression
    history: RegressionHistory
    domain: tuple[Floats, Floats]


def train_regression(
    teacher: DensityTeacher,
    samples: ArrayLike,
    recipe: RegressionRecipe | None = None,
    *,
    checkpoints: Path | None = None,
    progress: Callable[[int], None] | None = None,
) -> TrainedRegression:
    """Train a regression of ln L, and give back the weights that were best at the validation points.

    The same teacher, samples and recipe give the same, killed and resumed or not, on the same machine.

    Args:
        teacher: of ln L and its gradient.
        samples: (n, D) draws of the posterior in physical units; what else is needed is made from them.
        recipe: settings; None for the default.
        checkpoints: directory of checkpoints, one per record; a training that was killed goes on from the
            last one. Removed when the training is done.
        progress: told how many steps were taken since the last call.

    Raises:
        FindingError: LLB-T041 the checkpoints belong to another training; LLB-T050 the samples cannot be
            learned; LLB-T051 the training diverged; LLB-L220 there is no maximum to start from.
    """
    settings = recipe if recipe is not None else RegressionRecipe()
    data = prepared(teacher, samples, settings)
    # In single precision, whatever somebody else has told JAX.
    with jax.enable_x64(False):
        return _trained(data, settings, checkpoints, progress)


def _trained(
    data: RegressionData,
    recipe: RegressionRecipe,
    folder: Path | None,
    progress: Callable[[int], None] | None,
) -> TrainedRegression:
    began = time.monotonic()
    run, tell = _Run(data, recipe), progress or (lambda _steps: None)
    keeper = Checkpoints(folder, run.identity()) if folder else None
    history: list[tuple[float, ...]] = []
    taken = 0
    if keeper and (kept := keeper.latest(run.state)):
        taken, run.state, history = kept
        tell(taken)
    every = max(1, recipe.steps // _CHUNK // recipe.records) * _CHUNK
    losses: list[float] = []
    rounds = _rounds(recipe)
    while taken < recipe.steps:
        if taken in rounds:
            run.refine(rounds.index(taken))
        count = min(_CHUNK - taken % _CHUNK, recipe.steps - taken)
        losses.append(run.advance(count))
        taken += count
        tell(count)
        if taken % every == 0 or taken == recipe.steps:
            history.append((taken, float(np.mean(losses)), *run.validate()))
            losses.clear()
            if not np.isfinite(history[-1]).all():
                message = f"after {taken} steps the loss is {history[-1][2]}"
                raise FindingError(finding("LLB-T051", message, pointer="learning_rate"))
            # Weights that the last round has not taught do not count.
            if _best(history, rounds) == len(history) - 1:
                run.state = run.state._replace(best=run.state.weights)
            if keeper:
                keeper.save(taken, run.state, history)
    if keeper:
        keeper.clear()
    steps, training, validation, error = zip(*history, strict=True)
    record = RegressionHistory(
        tuple(int(step) for step in steps),
        training,
        validation,
        error,
        _best(history, rounds),
        len(data.training.x) + int(run.state.filled),
        time.monotonic() - began,
    )
    return TrainedRegression(run.regression(), record, data.domain)


def _rounds(recipe: RegressionRecipe) -> tuple[int, ...]:
    """The steps before which the teacher is asked again: equal parts of the training, whole chunks."""
    parts = (recipe.steps * number // (recipe.rounds + 1) for number in range(1, recipe.rounds + 1))
    return tuple(sorted({part - part % _CHUNK for part in parts} - {0}))


def _best(history: list[tuple[float, ...]], rounds: tuple[int, ...]) -> int:
    """The record of the least validation loss among those after the last round that was held."""
    latest = max((step for step in rounds if step < history[-1][0]), default=-1)
    return min(
        (row for row in range(len(history)) if history[row][0] > latest), key=lambda row: history[row][2]
    )


class _State(NamedTuple):
    """Weights, the optimiser's moments, a random key, the best weights so far, and the points of the rounds.

    `added` are rows as `_on_device` has them, of which the first `filled` are there.
    """

    weights: Any
    moments: Any
    key: Array
    best: Any
    added: tuple[Array, ...]
    filled: Array


class _Run:
    """State of a training."""

    def __init__(self, data: RegressionData, recipe: RegressionRecipe) -> None:
        self.recipe, self.data = recipe, data
        rising = max(1, round(recipe.warm_up * recipe.steps))
        schedule = optax.warmup_cosine_decay_schedule(
            0.0, recipe.learning_rate, rising, max(recipe.steps, rising + 1)
        )
        self.optimizer = optax.chain(
            optax.clip_by_global_norm(recipe.clip),
            scale_by_soap(),
            optax.scale_by_learning_rate(schedule),
        )
        weights = _initial(data.training.x.shape[1], recipe)
        key = jax.random.key_data(jax.random.key(recipe.seed))
        empty = np.zeros(max(1, recipe.rounds * recipe.added), np.int64)
        added = tuple(0.0 * part for part in _on_device(data.training.chosen(empty)))
        self.state = _State(weights, self.optimizer.init(weights), key, weights, added, jnp.asarray(0))
        # On the device once; a step takes its rows from there.
        self.seen, self.unseen = (_on_device(rows) for rows in (data.training, data.validation))
        self._advance = jax.jit(self._steps, static_argnames=("count",))
        self._errors = jax.jit(self._losses)

    def identity(self) -> dict[str, Any]:
        """What decides the result."""
        digest = hashlib.sha256()
        for rows in (self.data.training, self.data.validation):
            digest.update(rows.x.tobytes() + rows.values.tobytes() + rows.slopes.tobytes())
        return {"recipe": asdict(self.recipe), "points": digest.hexdigest()}

    def advance(self, count: int) -> float:
        """Take some steps; returns the mean loss of their batches."""
        self.state, losses = self._advance(self.state, self.seen, count=count)
        fresh = jax.tree.map(
            lambda part: renewed(part) if isinstance(part, SoapState) else part,
            self.state.moments,
            is_leaf=lambda part: isinstance(part, SoapState),
        )
        self.state = self.state._replace(moments=fresh)
        return float(losses)

    def refine(self, number: int) -> None:
        """Ask the teacher where the weights as they stand have their own profiles, and learn from it."""
        recipe, data, state = self.recipe, self.data, self.state
        generator = np.random.default_rng([recipe.seed, 2, number])
        points = refining_points(self._function(state.weights), data, recipe.added, generator)
        rows, first = data.rows(points), int(state.filled)
        last = first + len(rows.x)
        added = tuple(
            old.at[first:last].set(new) for old, new in zip(state.added, _on_device(rows), strict=True)
        )
        self.state = state._replace(added=added, filled=jnp.asarray(last))

    def validate(self) -> tuple[float, float]:
        """Loss and median absolute error of ln L at the validation points."""
        parts = [
            self._errors(self.state.weights, tuple(part[start : start + _BLOCK] for part in self.unseen))
            for start in range(0, len(self.unseen[0]), _BLOCK)
        ]
        loss, error = (np.concatenate([np.asarray(part[which]) for part in parts]) for which in (0, 1))
        return float(loss.mean()), self.data.scale * float(np.median(np.abs(error)))

    def regression(self) -> Regression:
        """The function of the best weights."""
        return self._function(self.state.best)

    def _function(self, weights: Weights) -> Regression:
        kernels = tuple(np.asarray(kernel, np.float64) for kernel, _ in weights)
        biases = tuple(np.asarray(bias, np.float64)[:, 0] for _, bias in weights)
        return Regression(self.data.expansion, self.data.scale, self.data.reach, kernels, biases)

    def _losses(self, weights: Weights, rows: tuple[Array, ...]) -> tuple[Array, Array]:
        """Loss of each row, (n,), and the error of the mean of the members there."""
        x, values, slopes, importance = rows
        every = jnp.broadcast_to(x, (self.recipe.members, *x.shape))
        (_, found), gradients = jax.value_and_grad(_total, argnums=1, has_aux=True)(weights, every)
        robust = self.recipe.robust
        wrong = (found - values) ** 2
        steep = jnp.sum((gradients - slopes) ** 2, axis=2)
        both = _robust(wrong, robust) + self.recipe.gradient_weight * _robust(steep, robust)
        return importance * jnp.mean(both, axis=0), jnp.mean(found, axis=0) - values

    def _steps(self, state: _State, seen: tuple[Array, ...], count: int) -> tuple[_State, Array]:
        def loss(weights: Weights, rows: Array, more: Array) -> Array:
            first = self._losses(weights, tuple(part[rows] for part in seen))[0]
            if not self.recipe.rounds:
                return jnp.mean(first)
            # Rows that are not filled yet have no weight.
            second = self._losses(weights, tuple(part[more] for part in state.added))[0]
            return (jnp.sum(first) + jnp.sum(second)) / len(first)

        def step(carry: tuple[Any, Any], key: Array) -> tuple[tuple[Any, Any], Array]:
            weights, moments = carry
            batch, (one, two) = self.recipe.batch, jax.random.split(key)
            rows = jax.random.randint(one, (batch,), 0, len(seen[0]))
            more = jax.random.randint(two, (max(1, batch // _SHARE),), 0, jnp.maximum(state.filled, 1))
            value, grads = jax.value_and_grad(loss)(weights, rows, more)
            updates, moments = self.optimizer.update(grads, moments, weights)
            return (optax.apply_updates(weights, updates), moments), value

        key, use = jax.random.split(jax.random.wrap_key_data(state.key))
        keys = jax.random.split(use, count)
        (weights, moments), losses = jax.lax.scan(step, (state.weights, state.moments), keys)
        after = state._replace(weights=weights, moments=moments, key=jax.random.key_data(key))
        return after, jnp.mean(losses)


def _initial(columns: int, recipe: RegressionRecipe) -> Weights:
    generator = np.random.default_rng([recipe.seed, 1])
    sizes = [columns, *[recipe.width] * recipe.depth, 1]
    gains = [1.5] * recipe.depth + [0.1]
    layers: Weights = []
    for number, (n_in, n_out) in enumerate(pairwise(sizes)):
        kernel = gains[number] / np.sqrt(n_in) * generator.standard_normal((recipe.members, n_in, n_out))
        bias = np.zeros((recipe.members, 1, n_out), np.float32)
        layers.append((jnp.asarray(kernel.astype(np.float32)), jnp.asarray(bias)))
    return layers


def _on_device(rows: Rows) -> tuple[Array, ...]:
    return tuple(jnp.asarray(part) for part in (rows.x, rows.values, rows.slopes, rows.weights))


def _total(weights: Weights, x: Array) -> tuple[Array, Array]:
    """psi N of every member, summed, and itself, (members, n), at x (members, n, D)."""
    hidden = x / jnp.sqrt(jnp.sqrt(1.0 + x * x))
    *before, (kernel, bias) = weights
    for inner, shift in before:
        hidden = hidden @ inner + shift
        hidden = 0.5 * (hidden + jnp.sqrt(hidden * hidden + 1.0) - 1.0)
    square = 0.25 * jnp.sum(x * x, axis=2)
    psi = square / (1.0 + jnp.sqrt(1.0 + square))
    found = psi * (hidden @ kernel + bias)[..., 0]
    return jnp.sum(found), found


def _robust(square: Array, beyond: float) -> Array:
    """Of a squared error: itself where it is small, its root where it is large."""
    return 2.0 * beyond**2 * (jnp.sqrt(1.0 + square / beyond**2) - 1.0)
