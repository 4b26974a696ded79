"""The training loop of flows: samples in, `Flow` out."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable, Hashable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
import optax
from flax import nnx
from jax import Array
from numpy.typing import ArrayLike

from llb_schema import FindingError, finding
from llb_trainer.flows.data import FlowData, prepared
from llb_trainer.flows.fitting import fit_units
from llb_trainer.flows.flow import Flow
from llb_trainer.flows.modules import Bijectors
from llb_trainer.flows.recipe import FlowRecipe
from llb_trainer.flows.units import UnitMap
from llb_trainer.training.checkpoint import Checkpoints
from llb_trainer.training.soap import SoapState, renewed, scale_by_soap

__all__ = ["FlowHistory", "TrainedFlow", "train_flow"]

_CHUNK = 50
"""Steps taken in one compiled call: few enough for a live progress bar and fresh bases of the optimiser."""

_LARGEST = 512
"""Rows and columns up to which SOAP keeps bases; their eigenvectors take the third power of it."""

_BLOCK = 4096
"""Validation samples looked at together."""


@dataclass(frozen=True)
class FlowHistory:
    """How a training went, one entry per record; NLL per sample in physical units, -ln p(theta).

    Attributes:
        steps: optimiser steps taken.
        training: NLL of the batches since the last record.
        validation: NLL of the validation samples.
        best: index of the record whose weights are published.
        seconds: time taken; of a resumed training, by its last part.
    """

    steps: tuple[int, ...]
    training: tuple[float, ...]
    validation: tuple[float, ...]
    best: int
    seconds: float


@dataclass(frozen=True)
class TrainedFlow:
    """A flow and the history of its training."""

    flow: Flow
    history: FlowHistory


def train_flow(
    samples: ArrayLike,
    recipe: FlowRecipe | None = None,
    *,
    lower: ArrayLike | None = None,
    upper: ArrayLike | None = None,
    condition: ArrayLike | None = None,
    units: UnitMap | None = None,
    checkpoints: Path | None = None,
    progress: Callable[[int], None] | None = None,
) -> TrainedFlow:
    """Train a flow on samples, and give back the weights that were best on the validation samples.

    The same samples and recipe give the same flow, killed and resumed or not, on the same machine.

    Args:
        samples: (n, D) in physical units, independent or nearly so.
        recipe: settings; None for the default.
        lower, upper: (D,) bounds of the parameters, infinite where there is none.
        condition: (n, conditions) of each sample, for p(theta | condition).
        units: the map to the standard scale; None to choose it by `fit_units`.
        checkpoints: directory of checkpoints, one per record; a training that was killed goes on from the
            last one. Removed when the training is done.
        progress: told how many steps were taken since the last call.

    Raises:
        FindingError: LLB-T041 the checkpoints belong to another training; LLB-T050 the samples cannot be
            learned; LLB-T051 the training diverged.
    """
    chosen = units if units is not None else fit_units(samples, lower, upper)
    settings = recipe if recipe is not None else FlowRecipe()
    data = prepared(samples, condition, chosen, settings.validation, settings.seed)
    # In single precision, whatever somebody else has told JAX.
    with jax.enable_x64(False):
        return _trained(data, settings, checkpoints, progress)


def _trained(
    data: FlowData, recipe: FlowRecipe, folder: Path | None, progress: Callable[[int], None] | None
) -> TrainedFlow:
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
    total, since = 0.0, 0
    while taken < recipe.steps and not _is_over(history, recipe):
        count = min(_CHUNK - taken % _CHUNK, recipe.steps - taken, run.left_of_stage(taken))
        total, since = total + run.advance(taken, count) * count, since + count
        taken += count
        if progress:
            progress(count)
        if taken % every == 0 or taken == recipe.steps:
            history.append((taken, total / since, run.validate()))
            total, since = 0.0, 0
            if not np.isfinite(history[-1][1:]).all():
                message = f"after {taken} steps the NLL is {history[-1][2]}"
                raise FindingError(finding("LLB-T051", message, pointer="learning_rate"))
            if _best(history) == len(history) - 1:
                run.remember()
            if keeper:
                keeper.save(taken, run.state, history)
    if keeper:
        keeper.clear()
    steps, training, validation = zip(*history, strict=True)
    whole = tuple(int(step) for step in steps)
    record = FlowHistory(whole, training, validation, _best(history), time.monotonic() - began)
    return TrainedFlow(run.flow(), record)


def _best(history: list[tuple[float, ...]]) -> int:
    """The first record of the least validation NLL."""
    return int(np.argmin([row[2] for row in history]))


def _is_over(history: list[tuple[float, ...]], recipe: FlowRecipe) -> bool:
    """Whether the last `patience` records have not improved on the ones before."""
    if not recipe.patience or len(history) <= recipe.patience:
        return False
    values = [row[2] for row in history]
    return min(values[-recipe.patience :]) > min(values[: -recipe.patience]) - recipe.least_gain


class _State(NamedTuple):
    """Weights, their running mean, the optimiser's moments, a random key, the best weights so far."""

    weights: Any
    averaged: Any
    moments: Any
    key: Array
    best: Any


class _Run:
    """State of a training."""

    def __init__(self, data: FlowData, recipe: FlowRecipe) -> None:
        self.recipe, self.data = recipe, data
        rows = data.training
        self.layout = recipe.layout(rows.x.shape[1], rows.condition.shape[1])
        self.graph, weights = nnx.split(Bijectors(self.layout, nnx.Rngs(recipe.seed)))
        schedule = optax.warmup_cosine_decay_schedule(
            0.0, recipe.learning_rate, max(1, round(recipe.warm_up * recipe.steps)), recipe.steps
        )
        kinds: dict[Hashable, optax.GradientTransformation] = {
            "soap": scale_by_soap(),
            "adam": optax.scale_by_adam(),
        }
        self.optimizer = optax.chain(
            optax.clip_by_global_norm(recipe.clip),
            optax.multi_transform(kinds, jax.tree.map(self._optimizer_of, weights)),
            optax.scale_by_learning_rate(schedule),
        )
        key = jax.random.key_data(jax.random.key(recipe.seed))
        self.state = _State(weights, weights, self.optimizer.init(weights), key, weights)
        # On the device once; a step takes its rows from there.
        self.seen = jnp.asarray(rows.x), jnp.asarray(rows.condition)
        self.unseen = jnp.asarray(data.validation.x), jnp.asarray(data.validation.condition)
        self._advance = jax.jit(self._steps, static_argnames=("count", "batch"))
        self._log_prob = jax.jit(self._density)

    def _optimizer_of(self, weight: Array) -> str:
        matrices = weight.ndim == 3 and max(weight.shape[1:]) <= _LARGEST
        return "soap" if self.recipe.optimizer == "soap" and matrices else "adam"

    def identity(self) -> dict[str, Any]:
        """What decides the result."""
        digest = hashlib.sha256()
        for rows in (self.data.training, self.data.validation):
            digest.update(rows.x.tobytes() + rows.condition.tobytes() + np.float64(rows.log_slope).tobytes())
        return {"recipe": asdict(self.recipe), "samples": digest.hexdigest()}

    def left_of_stage(self, taken: int) -> int:
        """Steps until the size of the batches changes."""
        return self._stage(taken)[0] - taken

    def advance(self, taken: int, count: int) -> float:
        """Take some steps; returns the mean NLL of their batches."""
        self.state, losses = self._advance(self.state, *self.seen, count=count, batch=self._stage(taken)[1])
        fresh = jax.tree.map(
            lambda part: renewed(part) if isinstance(part, SoapState) else part,
            self.state.moments,
            is_leaf=lambda part: isinstance(part, SoapState),
        )
        self.state = self.state._replace(moments=fresh)
        return float(losses) - self.data.training.log_slope

    def validate(self) -> float:
        """Mean NLL of the validation samples, in physical units."""
        weights = self._published()
        x, condition = self.unseen
        parts = [
            np.asarray(self._log_prob(weights, x[start : start + _BLOCK], condition[start : start + _BLOCK]))
            for start in range(0, len(x), _BLOCK)
        ]
        return -float(np.concatenate(parts).astype(np.float64).mean()) - self.data.validation.log_slope

    def remember(self) -> None:
        """Take the weights as they stand for the best."""
        self.state = self.state._replace(best=self._published())

    def flow(self) -> Flow:
        """The flow of the best weights."""
        networks = nnx.merge(self.graph, self.state.best).networks()
        data = self.data
        return Flow(
            self.layout, data.units, data.whitening, networks, data.condition_shift, data.condition_scale
        )

    def _published(self) -> Any:
        return self.state.averaged if self.recipe.memory else self.state.weights

    def _stage(self, taken: int) -> tuple[int, int]:
        """Where the stage ends, and its batch size."""
        end = 0
        for steps, size in self.recipe.stages():
            end += steps
            if taken < end:
                return end, size
        raise AssertionError("no steps are left")

    def _density(self, weights: Any, x: Array, condition: Array) -> Array:
        module = nnx.merge(self.graph, weights)
        return module.log_prob(x, condition if self.layout.conditions else None)

    def _steps(
        self, state: _State, x: Array, condition: Array, count: int, batch: int
    ) -> tuple[_State, Array]:
        recipe, kept = self.recipe, self.recipe.memory

        def loss(weights: Any, rows: Array) -> tuple[Array, Array]:
            nll = -jnp.mean(self._density(weights, x[rows], condition[rows]))
            punished = recipe.l1 * nnx.merge(self.graph, weights).absolute() if recipe.l1 else 0.0
            return nll + punished, nll

        def step(carry: tuple[Any, Any, Any], key: Array) -> tuple[tuple[Any, Any, Any], Array]:
            weights, averaged, moments = carry
            rows = jax.random.randint(key, (batch,), 0, len(x))
            grads, nll = jax.grad(loss, has_aux=True)(weights, rows)
            updates, moments = self.optimizer.update(grads, moments, weights)
            weights = optax.apply_updates(weights, updates)
            if kept:
                averaged = jax.tree.map(lambda a, w: kept * a + (1.0 - kept) * w, averaged, weights)
            return (weights, averaged, moments), nll

        key, use = jax.random.split(jax.random.wrap_key_data(state.key))
        carry = (state.weights, state.averaged, state.moments)
        carry, nll = jax.lax.scan(step, carry, jax.random.split(use, count))
        weights, averaged, moments = carry
        return _State(weights, averaged, moments, jax.random.key_data(key), state.best), jnp.mean(nll)
