"""Labels of a regression: the teacher's ln L and its gradient at points, exact, in double precision."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array
from numpy.typing import ArrayLike, NDArray

from llb_trainer.chains.parameters import lower_bounds, upper_bounds
from llb_trainer.regression.recipe import Target
from llb_trainer.teachers.densities.contract import DensityTeacher

__all__ = ["PointLabels", "label_points", "target_function"]

Floats = NDArray[np.float64]

_BLOCK = 1024
"""Points that are labelled at once."""


@dataclass(frozen=True, eq=False)
class PointLabels:
    """ln L and its gradient at points.

    Attributes:
        points: (n, D) in physical units.
        values: (n,) natural logarithms.
        gradients: (n, D) derivatives of the values by the parameters.
    """

    points: Floats
    values: Floats
    gradients: Floats

    def __len__(self) -> int:
        return len(self.values)


def target_function(teacher: DensityTeacher, target: Target) -> Callable[[Array], Array]:
    """What is learned, of one point (D,): -inf outside of the bounds of the parameters."""
    lower, upper = lower_bounds(teacher.parameters), upper_bounds(teacher.parameters)
    function = teacher.log_likelihood if target == "likelihood" else teacher.log_density

    def inside(theta: Array) -> Array:
        good = jnp.all((theta >= lower) & (theta <= upper))
        value = function(jnp.clip(theta, lower, upper))
        return jnp.where(good & ~jnp.isnan(value), value, -jnp.inf)

    return inside


def label_points(function: Callable[[Array], Array], points: ArrayLike) -> PointLabels:
    """Label points (n, D); those where value or gradient is not finite are left out."""
    wanted = np.asarray(points, np.float64)
    if not len(wanted):
        return PointLabels(wanted, np.empty(0), np.empty_like(wanted))
    values, gradients = np.empty(len(wanted)), np.empty_like(wanted)
    with jax.enable_x64(True):
        both = jax.jit(jax.vmap(jax.value_and_grad(function)))
        size = min(_BLOCK, len(wanted))
        for start in range(0, len(wanted), size):
            block = wanted[start : start + size]
            # All blocks of one size: another one would be compiled anew.
            found, slopes = both(jnp.asarray(np.resize(block, (size, wanted.shape[1]))))
            values[start : start + size] = np.asarray(found)[: len(block)]
            gradients[start : start + size] = np.asarray(slopes)[: len(block)]
    good = np.isfinite(values) & np.isfinite(gradients).all(axis=1)
    return PointLabels(wanted[good], values[good], gradients[good])
