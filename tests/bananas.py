"""A teacher in four parameters whose ln L is no parabola, and everything about it is known."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property

import jax.numpy as jnp
import numpy as np
from jax import Array
from numpy.typing import NDArray

from llb_trainer.chains import Parameter
from llb_trainer.teachers.contract import Source
from llb_trainer.teachers.densities import PriorFactor

__all__ = ["Banana"]

Floats = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Banana:
    """Four parameters of very different scales; the second follows the square of the first.

    Attributes:
        bend: how much; 0 for a parabola.
        constant: ln L at its maximum.
        lowest: bound of the first parameter.
    """

    bend: float
    constant: float = -812.5
    lowest: float = -4.0
    scales = np.array([1.0, 3e-3, 40.0, 1.0])
    name = "banana"
    source = Source("synthetic", (), (), {"name": "banana"}, ("jax",))
    log_normalisation = None

    @cached_property
    def parameters(self) -> tuple[Parameter, ...]:
        mu = Parameter("mu", "poi", bounds=(self.lowest, 6.0))
        return (mu, *(Parameter(name) for name in ("small", "large", "free")))

    @property
    def prior(self) -> tuple[PriorFactor, ...]:
        return tuple(PriorFactor(item.name, "uniform") for item in self.parameters)

    @property
    def start(self) -> Floats:
        return np.array([0.5, 0.0, 0.0, 0.5])

    def log_likelihood(self, theta: Array) -> Array:
        y = theta / self.scales
        rest = jnp.array([y[0], y[1] - self.bend * y[0] ** 2, y[2] + 0.5 * y[0], y[3]])
        return self.constant - 0.5 * jnp.sum(rest**2) - self.bend * (jnp.sqrt(1.0 + y[3] ** 2) - 1.0)

    def log_prior(self, theta: Array) -> Array:
        return jnp.where((theta[0] >= self.lowest) & (theta[0] <= 6.0), -math.log(10.0), -jnp.inf)

    def log_density(self, theta: Array) -> Array:
        return self.log_likelihood(theta) + self.log_prior(theta)

    def drawn(self, n: int, seed: int) -> Floats:
        """Points like samples; those below the wall are mirrored there."""
        z = np.random.default_rng(seed).standard_normal((n, 4))
        z[:, 0] = np.clip(self.lowest + np.abs(z[:, 0] - self.lowest), self.lowest, 6.0)
        y = np.stack([z[:, 0], z[:, 1] + self.bend * z[:, 0] ** 2, z[:, 2] - 0.5 * z[:, 0], z[:, 3]], axis=1)
        return y * self.scales
