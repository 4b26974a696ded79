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
from llb_trainer.teachers.densities.contract import DensityTeacher
from llb_trainer.training.checkpoint import Checkpoints
from llb_trainer.training.soap import SoapState, renewed, scale_by_soap

__all__ = ["RegressionHistory", "TrainedRegression", "train_regression"]

Floats = NDArray[np.float64]
Weights = list[tuple[Array, Array]]
"""Kernel (members, n_in, n_out) and bias (members, 1, n_out) of each layer."""

_CHUNK = 50
"""Steps taken in one compiled call: few enough for a live progress bar and fresh bases of the optimiser."""

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
    run = _Run(data, recipe)
    keeper = Checkpoints(folder, run.identity()) if folder else None
    history: list[tuple[float, ...]] = []
    taken = 0
    if keeper and (kept := keeper.latest(run.state)):
        taken, run.state, history = kept
        if progress:
            progress(taken)
    every = max(1, recipe.steps // _CHUNK // recipe.records) * _CHUNK
    losses: list[float] = []
    while taken < recipe.steps:
        count = min(_CHUNK - taken % _CHUNK, recipe.steps - taken)
        losses.append(run.advance(count))
        taken += count
        if progress:
            progress(count)
        if taken % every == 0 or taken == recipe.steps:
            history.append((taken, float(np.mean(losses)), *run.validate()))
            losses.clear()
            if not np.isfinite(history[-1]).all():
                message = f"after {taken} steps the loss is {history[-1][2]}"
                raise FindingError(finding("LLB-T051", message, pointer="learning_rate"))
            if _best(history) == len(history) - 1:
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
        _best(history),
        len(data.training.x),
        time.monotonic() - began,
    )
    return TrainedRegression(run.regression(), record, data.domain)


def _best(history: list[tuple[float, ...]]) -> int:
    return int(np.argmin([row[2] for row in history]))


class _State(NamedTuple):
    """Weights, the optimiser's moments, a random key, the best weights so far."""

    weights: Any
    moments: Any
    key: Array
    best: Any


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
        self.state = _State(weights, self.optimizer.init(weights), key, weights)
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
        kernels = tuple(np.asarray(kernel, np.float64) for kernel, _ in self.state.best)
        biases = tuple(np.asarray(bias, np.float64)[:, 0] for _, bias in self.state.best)
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
        def loss(weights: Weights, rows: Array) -> Array:
            return jnp.mean(self._losses(weights, tuple(part[rows] for part in seen))[0])

        def step(carry: tuple[Any, Any], key: Array) -> tuple[tuple[Any, Any], Array]:
            weights, moments = carry
            rows = jax.random.randint(key, (self.recipe.batch,), 0, len(seen[0]))
            value, grads = jax.value_and_grad(loss)(weights, rows)
            updates, moments = self.optimizer.update(grads, moments, weights)
            return (optax.apply_updates(weights, updates), moments), value

        key, use = jax.random.split(jax.random.wrap_key_data(state.key))
        keys = jax.random.split(use, count)
        (weights, moments), losses = jax.lax.scan(step, (state.weights, state.moments), keys)
        return _State(weights, moments, jax.random.key_data(key), state.best), jnp.mean(losses)


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
