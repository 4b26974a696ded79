"""A mixture of autoregressive truncated normals: correlations, walls, several modes and bends, all exact.

In coordinates v of order one, component k draws each coordinate from a normal distribution that the ones
before it move, cut off at its walls:

    u = v - shift_k
    v_i | v_<i  ~  normal( mean_ki, spread_i )  within [lower_i, upper_i]
    mean_ki = shift_ki + sum_j slope_ij u_j + bend_i (u_{i-1}^2 - 1)

Every factor is normalised, so that their product is, and so is the mixture. At a wall the density is not
zero.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, fields
from typing import Self

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array
from jax.scipy.special import log_ndtr
from numpy.typing import NDArray
from scipy.special import ndtr, ndtri

__all__ = ["Staircase"]

Floats = NDArray[np.float64]

_FAR = 1e3
"""Where an open side is taken to end, in units of v: beyond it no double is left."""


@dataclass(frozen=True, eq=False)
class Staircase:
    """The mixture in v; `K` components, `D` coordinates.

    Attributes:
        weight: (K,) of the components, sum 1.
        shift: (K, D).
        slope: (D, D), zero on and above the diagonal.
        bend: (D,) of each coordinate by the one before it; the first has none.
        spread: (D,) standard deviations before the walls cut.
        lower, upper: (D,) walls, infinite where there is none.
    """

    weight: Floats
    shift: Floats
    slope: Floats
    bend: Floats
    spread: Floats
    lower: Floats
    upper: Floats

    def rounded(self, digits: int = 9) -> Self:
        """The same with numbers of so many decimals, which all machines agree on."""
        return type(self)(**{item.name: np.round(getattr(self, item.name), digits) for item in fields(self)})

    def log_density(self, v: Array) -> Array:
        """Logarithm of the density at one point (D,); outside of the walls it is without meaning."""
        parts = jax.vmap(lambda shift: self._component(v, shift))(jnp.asarray(self.shift))
        return jax.nn.logsumexp(parts + jnp.log(self.weight))

    def _component(self, v: Array, shift: Array) -> Array:
        """Logarithm of the density of one component."""
        u = v - shift
        before = jnp.concatenate([jnp.ones(1), u[:-1]])
        mean = shift + jnp.asarray(self.slope) @ u + self.bend * (before**2 - 1)
        pull = (v - mean) / self.spread
        normal = -0.5 * pull**2 - 0.5 * math.log(2 * math.pi) - jnp.log(self.spread)
        walled = self.walled
        walls = (np.maximum(self.lower, -_FAR), np.minimum(self.upper, _FAR))
        low, high = (jnp.asarray(wall[walled] - mean[walled]) / self.spread[walled] for wall in walls)
        return jnp.sum(normal) - jnp.sum(_log_between(low, high))

    @property
    def walled(self) -> NDArray[np.int64]:
        """Coordinates with a wall on some side."""
        return np.flatnonzero(np.isfinite(self.lower) | np.isfinite(self.upper))

    def transformed(self, component: NDArray[np.int64], base: Floats) -> Floats:
        """Draws (n, D) of these components (n,) from standard normal numbers (n, D), an invertible map."""
        v, u = np.empty_like(base), np.empty_like(base)
        shift = self.shift[component]
        for i in range(base.shape[1]):
            before = u[:, i - 1] if i else 1.0
            mean = shift[:, i] + u[:, :i] @ self.slope[i, :i] + self.bend[i] * (before**2 - 1)
            low, high = ((wall - mean) / self.spread[i] for wall in (self.lower[i], self.upper[i]))
            pull = base[:, i]
            if np.isfinite((self.lower[i], self.upper[i])).any():
                pull = _between(low, high, pull)
            v[:, i] = np.clip(mean + self.spread[i] * pull, self.lower[i], self.upper[i])
            u[:, i] = v[:, i] - shift[:, i]
        return v

    def base(self, component: NDArray[np.int64], v: Floats) -> Floats:
        """The inverse of `transformed`: standard normal numbers (n, D) of draws of these components."""
        shift = self.shift[component]
        u = v - shift
        before = np.concatenate([np.ones((len(v), 1)), u[:, :-1]], axis=1)
        mean = shift + u @ self.slope.T + self.bend * (before**2 - 1)
        pull = (v - mean) / self.spread
        low, high = ((wall - mean) / self.spread for wall in (self.lower, self.upper))
        walled = self.walled
        pull[:, walled] = _freed(low[:, walled], high[:, walled], pull[:, walled])
        return pull


def _log_between(low: Array, high: Array) -> Array:
    """Logarithm of the probability of a standard normal number between `low` and `high`, also far out."""
    # in the upper tail by symmetry from the lower one, where nothing cancels
    flip = low > 0
    low, high = jnp.where(flip, -high, low), jnp.where(flip, -low, high)
    top = log_ndtr(high)
    return top + jnp.log1p(-jnp.exp(log_ndtr(low) - top))


def _between(low: Floats, high: Floats, base: Floats) -> Floats:
    """Standard normal numbers between `low` and `high` from unrestricted ones, in their order."""
    flip = low > 0
    low, high, base = (np.where(flip, -b, a) for a, b in ((low, high), (high, low), (base, base)))
    return np.where(flip, -1.0, 1.0) * ndtri(ndtr(low) + (ndtr(high) - ndtr(low)) * ndtr(base))


def _freed(low: Floats, high: Floats, pull: Floats) -> Floats:
    """The inverse of `_between`."""
    flip = low > 0
    low, high, pull = (np.where(flip, -b, a) for a, b in ((low, high), (high, low), (pull, pull)))
    inside = (ndtr(pull) - ndtr(low)) / (ndtr(high) - ndtr(low))
    return np.where(flip, -1.0, 1.0) * ndtri(np.clip(inside, 0.0, 1.0))
