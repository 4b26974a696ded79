"""One step of a batch of profile fits: Newton's, with the exact Hessian, bounds by an active set.

The step proves the point that it leaves: the Hessian on the free parameters is positive definite, and the
decrement `g^T H^-1 g / 2` estimates the distance to the minimum. Where the Hessian is not positive definite,
or the step does not lead down, it is damped (Levenberg-Marquardt) until it does.

Literature: J. Nocedal and S. Wright, Numerical Optimization (2006), chapters 3 and 10; D. Bertsekas, SIAM J.
Control Optim. 20 (1982) 221 (projected Newton); F. James, MINUIT (estimated distance to minimum).
"""

from __future__ import annotations

from typing import NamedTuple

import jax
import jax.numpy as jnp
from jax import Array

from llb_trainer.teachers.simplified.model import Model

__all__ = ["Problem", "Step", "newton"]

_SCALES = (1.0, 0.25, 0.04)
"""Parts of a step that are tried; the best is taken."""
_NEAREST = 0.1
"""Part of its way to zero that a positive rate keeps, for the logarithm would throw it back."""


class Problem(NamedTuple):
    """A batch of fits on one data set.

    Attributes:
        signal: (n, n_bins) yields.
        lower, upper: (n, n_bins) bounds of the parameters.
        main, auxiliary: (n_bins,) data.
    """

    signal: Array
    lower: Array
    upper: Array
    main: Array
    auxiliary: Array


class Step(NamedTuple):
    """Where a step has led, and what was found where it began.

    Attributes:
        theta: (n, n_bins) the better of the two points.
        value: (n,) NLL there, less the constant of the data set.
        damping: (n,) of the next step.
        edm: (n,) estimated distance to the minimum where it began; infinite where the Hessian on the free
            parameters was not positive definite, or damped.
        projected: (n,) largest component of the gradient of the free parameters there, in units of the square
            root of the parameter's own curvature.
    """

    theta: Array
    value: Array
    damping: Array
    edm: Array
    projected: Array


def _value(model: Model, problem: Problem, theta: Array) -> Array:
    """(...,) distance of the NLL from perfect agreement; infinite where events meet no expectation."""
    rate = model.constant + (model.linear + model.quadratic * theta) * theta + problem.signal
    seen, possible = problem.main > 0, rate > 0
    excess = rate - problem.main
    part = jnp.where(seen & possible, excess, 0.0) / jnp.where(seen, problem.main, 1.0)
    poisson = excess - problem.main * jnp.log1p(part)
    pull = (theta - problem.auxiliary) @ model.whitener.T
    value = jnp.sum(poisson, axis=-1) + 0.5 * jnp.sum(pull**2, axis=-1)
    return jnp.where(jnp.all(possible | ~seen, axis=-1), value, jnp.inf)


@jax.jit
def newton(model: Model, problem: Problem, theta: Array, damping: Array) -> Step:
    """One step from `theta` (n, n_bins), where rates are positive unless nothing was observed."""
    seen = problem.main > 0
    slope = model.linear + 2.0 * model.quadratic * theta
    rate = model.constant + (model.linear + model.quadratic * theta) * theta + problem.signal
    ratio = jnp.where(seen, problem.main / jnp.where(seen, rate, 1.0), 0.0)
    gradient = (1.0 - ratio) * slope + (theta - problem.auxiliary) @ model.precision
    own = jnp.where(seen, ratio / jnp.where(seen, rate, 1.0), 0.0) * slope**2
    own = own + 2.0 * model.quadratic * (1.0 - ratio)

    pressed = ((theta <= problem.lower) & (gradient > 0)) | ((theta >= problem.upper) & (gradient < 0))
    diagonal = jnp.maximum(jnp.abs(own + jnp.diagonal(model.precision)), 1e-12)
    unit = jnp.where(pressed, 0.0, 1.0 / jnp.sqrt(diagonal))
    down = -gradient * unit
    identity = jnp.eye(theta.shape[1])
    pinned = jnp.where(pressed, 1.0, own * unit**2) + damping[:, None]
    square = model.precision * unit[:, :, None] * unit[:, None, :] + pinned[:, :, None] * identity
    factor = jnp.linalg.cholesky(square, symmetrize_input=False)
    half = jax.lax.linalg.triangular_solve(factor, down[:, :, None], left_side=True, lower=True)
    ahead = jax.lax.linalg.triangular_solve(factor, half, left_side=True, lower=True, transpose_a=True)
    definite = jnp.all(jnp.isfinite(factor), axis=(1, 2))
    edm = 0.5 * jnp.sum(half[:, :, 0] ** 2, axis=1)
    move = jnp.where(definite[:, None], ahead[:, :, 0] * unit, 0.0)

    low = jnp.where(seen, theta - (1.0 - _NEAREST) * (theta - problem.lower), problem.lower)
    high = jnp.where(seen, theta + (1.0 - _NEAREST) * (problem.upper - theta), problem.upper)
    tried = jnp.stack([jnp.clip(theta + scale * move, low, high) for scale in _SCALES])
    values = _value(model, problem, tried)
    best = jnp.argmin(values, axis=0)
    value = jnp.min(values, axis=0)
    before = _value(model, problem, theta)
    better = definite & jnp.isfinite(value) & ~(value > before + 1e-13 * (1.0 + jnp.abs(before)))
    moved = jnp.take_along_axis(tried, best[None, :, None], axis=0)[0]
    less = jnp.where(damping < 1e-3, 0.0, 0.1 * damping)
    return Step(
        theta=jnp.where(better[:, None], moved, theta),
        value=jnp.where(better, value, before),
        damping=jnp.where(better, less, jnp.clip(8.0 * damping, 1e-3, 1e12)),
        edm=jnp.where(definite & (damping == 0), edm, jnp.inf),
        projected=jnp.max(jnp.abs(down), axis=1),
    )
