"""One step of a batch of bounded profile fits, in two kinds.

Gauss-Newton steps are cheap, and always downhill. Newton steps use the exact Hessian, by conjugate gradients
that Gauss-Newton preconditions: they converge faster than linearly. The exact Hessian as a matrix gives the
proof (positive definite on the free parameters, estimated distance to the minimum). Bounds are kept by an
active set. A step is tried when the next one is computed, so that every point is evaluated once.

Literature: J. Nocedal and S. Wright, Numerical Optimization (2006), chapters 3, 10, 16; D. Bertsekas,
SIAM J. Control Optim. 20 (1982) 221 (projected Newton); F. James, MINUIT (estimated distance to minimum).
"""

from __future__ import annotations

from typing import NamedTuple

import jax
import jax.numpy as jnp
from jax import Array
from jax.typing import ArrayLike

from llb_trainer.teachers.histfactory.curvature import Curvature, curvature, hessian, times
from llb_trainer.teachers.histfactory.inverse import Inverse, inverse_of, solve
from llb_trainer.teachers.histfactory.rates import (
    Data,
    Expectation,
    events,
    expectation,
    nll,
    shortfall,
    slopes,
)
from llb_trainer.teachers.histfactory.tables import Tables

__all__ = ["Box", "Proof", "State", "damped", "newton", "proof"]

_ENOUGH = 1e-15
"""Twice the distance to the minimum (in NLL units) below which nothing is gained by a better step."""


class Box(NamedTuple):
    """Bounds of the moving parameters, each (P, 1)."""

    lower: Array
    upper: Array


class State(NamedTuple):
    """Fits on their way.

    Attributes:
        theta: (P, n) best points so far.
        value: (n,) NLL there.
        step: (P, n) step to be tried from there.
        gain: (n,) decrease that it promises.
        edm: (n,) estimated distance to the minimum at `theta`.
        projected: (n,) largest component of the gradient that no bound holds, in units of the square root
            of the parameter's own curvature.
    """

    theta: Array
    value: Array
    step: Array
    gain: Array
    edm: Array
    projected: Array


def _free(theta: Array, slope: Array, box: Box, fixed: Array) -> Array:
    """Parameters that may move: not fixed, and not pressed against a bound."""
    pressed = ((theta <= box.lower) & (slope > 0)) | ((theta >= box.upper) & (slope < 0))
    return ~fixed & ~pressed


def _moved(t: Tables, box: Box, theta: Array, step: Array, data: Data) -> Array:
    """Take a step, inside the bounds.

    A parameter with a Poisson term keeps a tenth of its value: from near zero, where the term's logarithm
    rules, Newton steps could do no better than double it each time.
    """
    least = jnp.where((t.poisson > 0) & (data.auxiliary > 0), 0.1 * theta, -jnp.inf)
    return jnp.clip(jnp.maximum(theta + step, least), box.lower, box.upper)


def _gradient(t: Tables, theta: Array, found: Expectation, data: Data) -> tuple[Array, Array]:
    """Gradient of the NLL and second derivatives of its constraint terms, each (P, n)."""
    force, second = slopes(t, theta, data)
    return jnp.sum(found.jacobian * shortfall(found.events, data)[:, None], axis=0) + force, second


def _decreased(before: Array, after: Array, gain: Array) -> Array:
    """Whether the NLL fell by a part of what the step promised, or did not rise beyond rounding."""
    noise = 1e-13 * (1.0 + jnp.abs(after))
    return jnp.isfinite(after) & ~(after > before - 1e-4 * gain + noise)


class _Model(NamedTuple):
    """The quadratic model of the NLL at a point, on the free parameters.

    Attributes:
        down: (P, n) minus the gradient, 0 where a parameter may not move.
        free: (P, n) parameters that may move.
        own: (P, n) diagonal of the Gauss-Newton matrix.
        inverse: of that matrix.
        at: what products with the exact Hessian need.
        ahead: (P, n) way to the bound for parameters that stand right before it and would go through.
    """

    down: Array
    free: Array
    own: Array
    inverse: Inverse
    at: Curvature
    ahead: Array


def _model(t: Tables, box: Box, theta: Array, found: Expectation, data: Data, fixed: Array) -> _Model:
    slope, second = _gradient(t, theta, found, data)
    at = jax.lax.optimization_barrier(curvature(t, found, data, second))
    free = _free(theta, slope, box, fixed)
    scaled = jnp.where(free, at.jacobian, 0.0) * jnp.sqrt(at.weight)[:, None]
    own = jnp.sum(scaled**2, axis=0)
    # a free normalisation has no constraint: a touch of its own curvature keeps the diagonal regular
    diagonal = second + jnp.where(second > 0, 0.0, 1e-6 * own + 1e-12)
    inverse = jax.lax.optimization_barrier(inverse_of(scaled, diagonal))
    model = _Model(jnp.where(free, -slope, 0.0), free, diagonal + own, inverse, at, 0.0 * slope)
    # a parameter that a step would drive through the bound beside it goes there, and takes no part
    wish = _precondition(model, model.down)
    room = jnp.where(wish < 0, box.lower, box.upper) - theta
    blocked = free & (jnp.abs(room) <= 0.01 * jnp.abs(wish))
    return model._replace(
        down=jnp.where(blocked, 0.0, model.down), free=free & ~blocked, ahead=jnp.where(blocked, room, 0.0)
    )


def _precondition(model: _Model, vector: Array) -> Array:
    """The Gauss-Newton matrix' solution for `vector`, on the free parameters."""
    return jnp.where(model.free, solve(model.inverse, vector), 0.0)


class _Search(NamedTuple):
    """Conjugate gradients under way, see `_truncated`."""

    step: Array
    residual: Array
    direction: Array
    size: Array
    active: Array
    taken: Array


def _truncated(t: Tables, model: _Model, most: Array) -> Array:
    """Conjugate gradients on the Newton system, stopped early and at negative curvature (Steihaug)."""
    first = _precondition(model, model.down)
    size = jnp.sum(model.down * first, axis=0)
    goal = jnp.maximum(size * jnp.minimum(0.1, size), _ENOUGH)

    def going(s: _Search) -> Array:
        return jnp.any(s.active) & (s.taken < most)

    def further(s: _Search) -> _Search:
        product = jnp.where(model.free, times(t, model.at, s.direction), 0.0)
        bend = jnp.sum(s.direction * product, axis=0)
        convex = bend > 0
        go = s.active & convex
        length = jnp.where(go, s.size / jnp.where(convex, bend, 1.0), 0.0)
        step = s.step + length * s.direction
        residual = s.residual - length * product
        closer = _precondition(model, residual)
        size = jnp.sum(residual * closer, axis=0)
        direction = closer + jnp.where(s.size > 0, size / s.size, 0.0) * s.direction
        return _Search(
            step,
            residual,
            jnp.where(go, direction, s.direction),
            jnp.where(go, size, s.size),
            go & (size > goal),
            s.taken + 1,
        )

    begin = _Search(jnp.zeros_like(first), model.down, first, size, size > 0, jnp.asarray(0))
    found = jax.lax.while_loop(going, further, begin).step
    # where the very first direction bends downward, the Gauss-Newton step is as good as any
    return jnp.where(jnp.any(found != 0, axis=0), found, first)


@jax.jit
def newton(t: Tables, box: Box, state: State, signal: Array, data: Data, fixed: Array, most: Array) -> State:
    """Try every fit's step, and compute its next with `most` conjugate gradients (0: Gauss-Newton)."""
    theta = _moved(t, box, state.theta, state.step, data)
    found = jax.lax.optimization_barrier(expectation(t, theta, signal))
    value = nll(t, theta, found.events, data)
    better = _decreased(state.value, value, state.gain)
    model = _model(t, box, theta, found, data, fixed)
    step = _truncated(t, model, most)
    gain = 0.5 * jnp.sum(model.down * step, axis=0)
    step = step + model.ahead
    largest = jnp.max(jnp.abs(model.down) / jnp.sqrt(model.own), axis=0)
    return State(
        jnp.where(better, theta, state.theta),
        jnp.where(better, value, state.value),
        jnp.where(better, step, 0.25 * state.step),
        jnp.where(better, gain, 0.25 * state.gain),
        jnp.where(better, gain, state.edm),
        jnp.where(better, largest, state.projected),
    )


class Proof(NamedTuple):
    """What the exact Hessian says of a point, and the quadratic model that it makes there.

    Attributes:
        value: (n,) NLL.
        edm: (n,) estimated distance to the minimum, `g^T H^-1 g / 2`; infinite where the Hessian `H` on the
            free parameters is not positive definite.
        projected: (n,) largest component of the gradient `g` of these, in units of the square root of the
            parameter's own curvature.
        down: (n, P) minus the gradient in these units, 0 where a parameter may not move.
        square: (n, P, P) Hessian in these units; of parameters that may not move the identity.
        unit: (P, n) these units.
    """

    value: Array
    edm: Array
    projected: Array
    down: Array
    square: Array
    unit: Array


class _Point(NamedTuple):
    """What the exact quadratic model at a point is made of.

    Attributes:
        value: (n,) NLL.
        slope: (P, n) its gradient.
        free: (P, n) parameters that may move.
        at: its second derivatives.
    """

    value: Array
    slope: Array
    free: Array
    at: Curvature


def proof(t: Tables, box: Box, theta: ArrayLike, signal: ArrayLike, data: Data, fixed: ArrayLike) -> Proof:
    """What the exact Hessian says of `theta` (P, n)."""
    return _proof(t, _point(t, box, theta, signal, data, fixed))


@jax.jit
def _point(t: Tables, box: Box, theta: Array, signal: Array, data: Data, fixed: Array) -> _Point:
    """A function of its own: compiled together with the Hessian, it is made anew for each element of that."""
    found = jax.lax.optimization_barrier(expectation(t, theta, signal))
    slope, second = _gradient(t, theta, found, data)
    value = nll(t, theta, found.events, data)
    return _Point(value, slope, _free(theta, slope, box, fixed), curvature(t, found, data, second))


@jax.jit
def _proof(t: Tables, point: _Point) -> Proof:
    """The distance is read off the Cholesky factor of the Hessian bordered by the gradient."""
    full = hessian(t, point.at)
    own = jnp.maximum(jnp.abs(jnp.diagonal(full, axis1=1, axis2=2)).T, 1e-12)
    unit = jnp.where(point.free, 1.0 / jnp.sqrt(own), 0.0)
    pinned = jnp.where(point.free, 0.0, 1.0).T[:, :, None] * jnp.eye(len(own))
    square = full * unit.T[:, :, None] * unit.T[:, None, :] + pinned
    down = -(point.slope * unit).T
    corner = 1e6 * (1.0 + jnp.sum(down**2, axis=1))
    upper = jnp.concatenate([square, down[:, None]], axis=1)
    side = jnp.concatenate([down, corner[:, None]], axis=1)
    factor = jnp.linalg.cholesky(jnp.concatenate([upper, side[:, :, None]], axis=2), symmetrize_input=False)
    definite = jnp.all(jnp.isfinite(factor[:, -1]), axis=1)
    edm = jnp.where(definite, 0.5 * jnp.sum(factor[:, -1, :-1] ** 2, axis=1), jnp.inf)
    return Proof(point.value, edm, jnp.max(jnp.abs(down), axis=1), down, square, unit)


@jax.jit
def damped(
    t: Tables, box: Box, theta: Array, here: Proof, damping: Array, signal: Array, data: Data
) -> tuple[Array, Array]:
    """One Levenberg-Marquardt step with the exact Hessian: new `theta` (P, n) and damping (n,)."""
    factor = jnp.linalg.cholesky(here.square + damping[:, None, None] * jnp.eye(len(theta)))
    solved = jax.scipy.linalg.cho_solve((factor, True), here.down[:, :, None])[:, :, 0]
    definite = jnp.all(jnp.isfinite(factor), axis=(1, 2))
    gain = 0.5 * jnp.sum(here.down * solved, axis=1)
    moved = _moved(t, box, theta, jnp.where(definite, solved.T * here.unit, 0.0), data)
    value = nll(t, moved, events(t, moved, signal), data)
    better = definite & _decreased(here.value, value, gain)
    less, more = jnp.where(damping < 1e-6, 0.0, 0.1 * damping), jnp.clip(8.0 * damping, 1e-3, 1e12)
    return jnp.where(better, moved, theta), jnp.where(better, less, more)
