"""Bounded parameters as numbers without bounds, smoothly and one to one, with the Jacobian of the change."""

from __future__ import annotations

from dataclasses import dataclass

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array
from numpy.typing import NDArray

from llb_trainer.chains.parameters import Parameter, lower_bounds, upper_bounds

__all__ = ["Unconstrained"]

Floats = NDArray[np.float64]

_EDGE = 1e-12
"""Fraction of a width, or of 1, by which a point on a wall is moved inside."""


@dataclass(frozen=True, eq=False)
class Unconstrained:
    """The change of variables; `D` parameters.

    Without bounds a parameter stays as it is; with one bound the logarithm of the distance to it is free,
    with two the logit of the place between them.

    Attributes:
        lower, upper: (D,) bounds, infinite where there is none.
    """

    lower: Floats
    upper: Floats

    @classmethod
    def of(cls, parameters: tuple[Parameter, ...]) -> Unconstrained:
        """For these parameters."""
        return cls(lower_bounds(parameters), upper_bounds(parameters))

    def physical(self, free: Array) -> Array:
        """Parameters (D,) of free numbers (D,)."""
        low, high, both, below, above = self._kinds
        inside = low + (high - low) * jax.nn.sigmoid(jnp.where(both, free, 0.0))
        distance = jnp.exp(jnp.where(below | above, free, 0.0))
        one = jnp.where(below, low + distance, high - distance)
        return jnp.where(both, inside, jnp.where(below | above, one, free))

    def log_jacobian(self, free: Array) -> Array:
        """Logarithm of the derivative of `physical`, summed over the parameters."""
        low, high, both, below, above = self._kinds
        place = jnp.where(both, free, 0.0)
        logit = jnp.log(high - low) + jax.nn.log_sigmoid(place) + jax.nn.log_sigmoid(-place)
        return jnp.sum(jnp.where(both, logit, jnp.where(below | above, free, 0.0)))

    def free(self, theta: Floats) -> Floats:
        """Free numbers (..., D) of parameters (..., D); just beside a wall for those on it."""
        low, high, both, below, above = self._kinds
        place = np.clip((theta - low) / (high - low), _EDGE, 1 - _EDGE)
        with np.errstate(invalid="ignore"):
            logit = np.log(place) - np.log1p(-place)
            distance = np.where(below, theta - low, high - theta)
        one = np.log(np.maximum(distance, _EDGE))
        return np.where(both, logit, np.where(below | above, one, theta))

    @property
    def _kinds(self) -> tuple[Floats, Floats, NDArray[np.bool_], NDArray[np.bool_], NDArray[np.bool_]]:
        """Bounds, invented where there are none, and which parameters have two, a lower one, an upper one."""
        has_low, has_high = np.isfinite(self.lower), np.isfinite(self.upper)
        low = np.where(has_low, self.lower, 0.0)
        high = np.where(has_high, self.upper, low + 1.0)
        low = np.where(has_low, low, high - 1.0)
        return low, high, has_low & has_high, has_low & ~has_high, has_high & ~has_low
