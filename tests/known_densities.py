"""Densities whose moments and draws are known without a sampler, written without the stand-ins."""

from __future__ import annotations

import math
from dataclasses import dataclass

import jax.numpy as jnp
import numpy as np
from jax import Array
from numpy.typing import NDArray

from llb_trainer.chains import Parameter
from llb_trainer.teachers.contract import Source
from llb_trainer.teachers.densities import PriorFactor

__all__ = ["TwoModes", "Walls"]

Floats = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Known:
    """What both have in common: everything is likelihood."""

    @property
    def parameters(self) -> tuple[Parameter, ...]:
        raise NotImplementedError

    @property
    def name(self) -> str:
        return type(self).__name__

    @property
    def source(self) -> Source:
        return Source("synthetic", (), ())

    @property
    def prior(self) -> tuple[PriorFactor, ...]:
        return tuple(PriorFactor(item.name, "other", text="of height 1") for item in self.parameters)

    @property
    def log_normalisation(self) -> float | None:
        return 0.0

    def log_likelihood(self, theta: Array) -> Array:
        raise NotImplementedError

    def log_prior(self, theta: Array) -> Array:
        lower = np.array([item.lower for item in self.parameters])
        upper = np.array([item.upper for item in self.parameters])
        return jnp.where(jnp.all((theta >= lower) & (theta <= upper)), 0.0, -jnp.inf)

    def log_density(self, theta: Array) -> Array:
        return self.log_likelihood(theta) + self.log_prior(theta)


@dataclass(frozen=True, eq=False)
class Walls(Known):
    """An exponential at a wall, its mirror image, a flat one between two walls, and a banana far from 0."""

    @property
    def parameters(self) -> tuple[Parameter, ...]:
        return (
            Parameter("rate", "poi", bounds=(0.0, None)),
            Parameter("ceiling", bounds=(None, 5.0)),
            Parameter("flat", bounds=(1.0, 1.001)),
            Parameter("mass", unit="GeV"),
            Parameter("bent"),
        )

    @property
    def start(self) -> Floats:
        return np.array([1.0, 4.0, 1.0003, 91.19, 0.0])

    def log_likelihood(self, theta: Array) -> Array:
        rate, ceiling, _, mass, bent = theta
        pull = (mass - 91.1876) / 0.0021
        side = bent - 0.5 * (pull**2 - 1)
        walls = -rate + (math.log(2.0) - 2.0 * (5.0 - ceiling)) + math.log(1000.0)
        return walls - 0.5 * (pull**2 + side**2) - math.log(2 * math.pi * 0.0021)

    def draws(self, n: int, seed: int) -> Floats:
        """(n, 5) independent draws."""
        generator = np.random.default_rng(seed)
        pull, side = generator.standard_normal((2, n))
        return np.stack(
            [
                generator.exponential(1.0, n),
                5.0 - generator.exponential(0.5, n),
                generator.uniform(1.0, 1.001, n),
                91.1876 + 0.0021 * pull,
                side + 0.5 * (pull**2 - 1),
            ],
            axis=1,
        )


@dataclass(frozen=True, eq=False)
class TwoModes(Known):
    """Two normal distributions of equal weight, twelve standard deviations apart."""

    @property
    def parameters(self) -> tuple[Parameter, ...]:
        return (Parameter("c", "poi"),)

    @property
    def start(self) -> Floats:
        return np.array([1.0])

    def log_likelihood(self, theta: Array) -> Array:
        each = [-0.5 * (theta[0] - mode) ** 2 for mode in (0.0, 12.0)]
        return jnp.logaddexp(*each) - math.log(2.0) - 0.5 * math.log(2 * math.pi)
