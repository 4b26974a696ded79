"""One step of a bounded profile fit, in two kinds.

Gauss-Newton steps do their linear algebra in the space of the bins (cheap, always downhill). Newton steps
use the exact Hessian: they converge quadratically and give the proof (positive definite on the free
parameters, estimated distance to the minimum). Bounds are kept by an active set, descent by
Levenberg-Marquardt damping.

Literature: J. Nocedal and S. Wright, Numerical Optimization (2006), chapters 10, 16, 18; D. Bertsekas,
SIAM J. Control Optim. 20 (1982) 221 (projected Newton); F. James, MINUIT (estimated distance to minimum).
"""

from __future__ import annotations

from functools import partial
from typing import NamedTuple

import jax
import jax.numpy as jnp
from jax import Array

from llb_trainer.teachers.histfactory.rates import (
    Data,
    Tables,
    constraint_slopes,
    expectation,
    hessian,
    nll,
    signal_scale,
)

__all__ = ["Box", "advance", "envelope"]


class _State(NamedTuple):
    """One fit on its way."""

    theta: Array
    value: Array
    damping: Array


class _Proof(NamedTuple):
    """What a step learns about the point it starts from; a proof only if a Newton step says it."""

    edm: Array
    projected: Array


class Box(NamedTuple):
    """Bounds of the parameters, each (n_parameters,)."""

    lower: Array
    upper: Array


def _free(theta: Array, slope: Array, box: Box, fixed: Array) -> Array:
    """Parameters that may move: not fixed, and not pressed against a bound."""
    pressed = ((theta <= box.lower) & (slope > 0)) | ((theta >= box.upper) & (slope < 0))
    return ~fixed & ~pressed


def _accept(
    t: Tables, state: _State, step: Array, model_gain: Array, signal: Array, data: Data, box: Box
) -> _State:
    """Take the step if it lowers the NLL enough, else stay and damp more."""
    moved = jnp.clip(state.theta + step, box.lower, box.upper)
    value = nll(t, moved, signal, data)
    noise = 1e-13 * (1.0 + jnp.abs(state.value))
    better = jnp.isfinite(value) & (value <= state.value - 1e-4 * model_gain + noise)
    return _State(
        jnp.where(better, moved, state.theta),
        jnp.where(better, value, state.value),
        jnp.where(better, jnp.where(state.damping < 1e-6, 0.0, 0.1 * state.damping), _more(state.damping)),
    )


def _more(damping: Array) -> Array:
    return jnp.minimum(jnp.maximum(8.0 * damping, 1e-3), 1e12)


def _gauss_newton(
    t: Tables, box: Box, state: _State, signal: Array, data: Data, fixed: Array
) -> tuple[_State, _Proof]:
    """A damped Gauss-Newton step; the matrix to solve has one row per bin (Woodbury)."""
    found = expectation(t, state.theta, signal)
    slope_c, curvature = constraint_slopes(t, state.theta, data.auxiliary)
    slope = found.jacobian.T @ (1.0 - data.main / found.events) + slope_c
    free = _free(state.theta, slope, box, fixed)
    scaled = jnp.sqrt(data.main)[:, None] / found.events[:, None] * jnp.where(free, found.jacobian, 0.0)
    own = jnp.sum(scaled**2, axis=0)
    # a free normalisation has no constraint: a touch of its own curvature keeps the diagonal regular
    diagonal = curvature + jnp.where(curvature > 0, 0.0, 1e-6 * own + 1e-12)
    diagonal = diagonal + state.damping * (diagonal + own)
    down = jnp.where(free, -slope, 0.0)
    inner = jnp.eye(scaled.shape[0]) + (scaled / diagonal) @ scaled.T
    correction = jax.scipy.linalg.cho_solve((jnp.linalg.cholesky(inner), True), scaled @ (down / diagonal))
    step = (down - scaled.T @ correction) / diagonal
    gain = 0.5 * down @ step
    distance = jnp.where(state.damping == 0.0, gain, jnp.inf)
    largest = jnp.max(jnp.abs(down) / jnp.sqrt(diagonal + own))
    return _accept(t, state, step, gain, signal, data, box), _Proof(distance, largest)


def _newton(
    t: Tables, box: Box, state: _State, signal: Array, data: Data, fixed: Array
) -> tuple[_State, _Proof]:
    """A damped Newton step on the free parameters, and the proof for the point it started from."""
    found = expectation(t, state.theta, signal)
    slope_c, curvature = constraint_slopes(t, state.theta, data.auxiliary)
    slope = found.jacobian.T @ (1.0 - data.main / found.events) + slope_c
    free = _free(state.theta, slope, box, fixed)
    full = hessian(t, found, data, curvature)
    own = jnp.where(free, jnp.maximum(jnp.abs(jnp.diag(full)), 1e-12), 1.0)
    scale = 1.0 / jnp.sqrt(own)
    both = free[:, None] & free[None, :]
    unit = jnp.where(both, full * scale[:, None] * scale[None, :], jnp.eye(len(scale)))
    down = jnp.where(free, -slope * scale, 0.0)
    factor = jnp.linalg.cholesky(unit + state.damping * jnp.eye(len(scale)))
    solved = jax.scipy.linalg.cho_solve((factor, True), down)
    definite = jnp.all(jnp.isfinite(factor))
    step = jnp.where(definite, solved * scale, 0.0)
    gain = 0.5 * down @ solved
    undamped = definite & (state.damping == 0.0)
    proof = _Proof(jnp.where(undamped, gain, jnp.inf), jnp.max(jnp.abs(down)))
    moved = _accept(t, state, step, gain, signal, data, box)
    # an indefinite matrix cannot be stepped on: damp until it is definite
    return moved._replace(damping=jnp.where(definite, moved.damping, _more(state.damping))), proof


@partial(jax.jit, static_argnames=("gauss_newton", "steps"))
def advance(
    t: Tables,
    box: Box,
    datasets: Data,
    theta: Array,
    damping: Array,
    signal: Array,
    dataset: Array,
    fixed: Array,
    gauss_newton: bool,
    steps: int,
) -> tuple[Array, Array, Array, Array, Array]:
    """Advance a batch by some steps; returns theta, NLL, damping, EDM, projected gradient."""

    def one(theta: Array, damping: Array, signal: Array, row: Array, fixed: Array) -> tuple[Array, ...]:
        data = Data(datasets.main[row], datasets.auxiliary[row])
        state = _State(theta, nll(t, theta, signal, data), damping)
        proof = _Proof(jnp.asarray(jnp.inf), jnp.asarray(jnp.inf))
        step = _gauss_newton if gauss_newton else _newton
        state, proof = jax.lax.fori_loop(
            0, steps, lambda _, s: step(t, box, s[0], signal, data, fixed), (state, proof)
        )
        return (*state, *proof)

    return jax.vmap(one)(theta, damping, signal, dataset, fixed)  # pyright: ignore[reportReturnType]


@jax.jit
def envelope(t: Tables, datasets: Data, theta: Array, signal: Array, dataset: Array) -> Array:
    """Envelope theorem: d NLL / d signal_b = (1 - n_b / nu_b) times what multiplies the signal."""

    def one(theta: Array, signal: Array, row: Array) -> Array:
        found = expectation(t, theta, signal)
        return (1.0 - datasets.main[row] / found.events) * signal_scale(t, theta)

    return jax.vmap(one)(theta, signal, dataset)
