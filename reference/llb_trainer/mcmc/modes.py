"""The mode of a density and the shape around it: coordinates in which sampling starts well.

The search runs in coordinates that the Hessian at the end of the round before has made round, so that scales
of 1e-4 beside scales of 3 are no obstacle; negative curvatures count by their size.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array
from numpy.typing import NDArray
from scipy.optimize import minimize

from llb_schema import FindingError, finding
from llb_trainer.mcmc.unconstrained import Unconstrained
from llb_trainer.teachers.densities.contract import DensityTeacher

__all__ = ["Laplace", "highest_density", "laplace"]

Floats = NDArray[np.float64]

_ROUNDS = 8
_ENOUGH = 1e-8
"""Estimated distance to the maximum, in units of the logarithm, that ends the search."""
_FLATTEST = 1e-8
"""Smallest curvature that counts, relative to the largest."""
_WORST = 1e25
"""Stands in for a density of zero, which line searches cannot step back from."""


@dataclass(frozen=True, eq=False)
class Laplace:
    """A maximum and the shape around it.

    Attributes:
        mode: (D,) where.
        value: of the function there.
        root: (D, D) such that `mode + root @ q` is round in q: root @ root.T is the inverse of the Hessian.
        distance: estimated distance to the maximum, in units of the function.
    """

    mode: Floats
    value: float
    root: Floats
    distance: float


def laplace(function: Callable[[Array], Array], start: Floats) -> Laplace:
    """Climb to a maximum of a function of D numbers without bounds, inside `jax.enable_x64(True)`.

    Args:
        function: of one point (D,), a scalar; -inf where it has no support.
        start: (D,) where it is finite.

    Raises:
        FindingError: LLB-L220 the function or its derivatives are not finite at the start.
    """
    slope = jax.jit(jax.value_and_grad(lambda x: -function(x)))
    bend = jax.jit(jax.hessian(lambda x: -function(x)))
    at = np.asarray(start, dtype=np.float64)
    root, distance = np.eye(len(at)), np.inf
    value, gradient = (np.asarray(part) for part in slope(jnp.asarray(at)))
    if not (np.isfinite(value) and np.isfinite(gradient).all()):
        raise FindingError(finding("LLB-L220", "the density is zero, or has no slope, at the start"))
    for _ in range(_ROUNDS):
        found = _root(np.asarray(bend(jnp.asarray(at))))
        if found is None:
            raise FindingError(finding("LLB-L220", "the density has no curvature at its mode"))
        root = found
        distance = 0.5 * float(np.sum((root.T @ gradient) ** 2))
        if distance < _ENOUGH:
            break
        at = at + root @ _climb(slope, at, root)
        value, gradient = (np.asarray(part) for part in slope(jnp.asarray(at)))
    return Laplace(at, -float(value), root, distance)


def highest_density(teacher: DensityTeacher) -> Laplace:
    """The joint mode of a teacher in physical units; `root` and `distance` belong to its free coordinates.

    A maximum on a wall is approached, never reached.

    Raises:
        FindingError: LLB-L220 as `laplace`.
    """
    change = Unconstrained.of(teacher.parameters)
    with jax.enable_x64(True):
        found = laplace(lambda x: teacher.log_density(change.physical(x)), change.free(teacher.start))
        mode = np.asarray(change.physical(jnp.asarray(found.mode)))
    return Laplace(mode, found.value, found.root, found.distance)


def _climb(slope: Callable[[Array], tuple[Array, Array]], at: Floats, root: Floats) -> Floats:
    """Where L-BFGS ends in round coordinates (D,), seen from `at`."""

    def cost(q: Floats) -> tuple[float, Floats]:
        value, gradient = slope(jnp.asarray(at + root @ q))
        number, force = float(value), root.T @ np.asarray(gradient)
        if not (np.isfinite(number) and np.isfinite(force).all()):
            return _WORST, np.zeros_like(q)
        return number, force

    options = {"maxiter": 1000, "maxfun": 5000, "maxcor": 30, "ftol": 1e-14, "gtol": 1e-7}
    end = minimize(cost, np.zeros(len(at)), jac=True, method="L-BFGS-B", options=options)
    return np.asarray(end.x, dtype=np.float64) if end.fun < _WORST else np.zeros(len(at))


def _root(hessian: Floats) -> Floats | None:
    """A root of the inverse of a Hessian (D, D), curvatures taken by their size; None if it is not finite."""
    if not np.isfinite(hessian).all():
        return None
    # equal scales first: eigenvalues lose everything below 1e-16 of the largest
    size = np.sqrt(np.abs(np.diag(hessian)))
    size = np.where(size > 0, size, 1.0)
    curvature, directions = np.linalg.eigh(hessian / np.outer(size, size))
    curvature = np.abs(curvature)
    if not curvature.max() > 0:
        return None
    curvature = np.maximum(curvature, _FLATTEST * curvature.max())
    return directions / np.sqrt(curvature) / size[:, None]
