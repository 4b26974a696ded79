"""A stand-in: a staircase in units of its parameters."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass, field, fields
from functools import cached_property
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array
from numpy.typing import NDArray

from llb_trainer.chains.parameters import Parameter, lower_bounds, upper_bounds
from llb_trainer.chains.samples import ParameterSamples
from llb_trainer.teachers.contract import Source
from llb_trainer.teachers.densities.blocks import in_blocks
from llb_trainer.teachers.densities.prior import PriorFactor
from llb_trainer.teachers.densities.standins.staircase import Staircase

__all__ = ["StandIn"]

Floats = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class StandIn:
    """A normalised density with an exact sampler.

    Attributes:
        name: of the stand-in.
        parameters: its parameters.
        centre, scale: (D,) physical values are `centre + scale * v`.
        stairs: the density of v; its walls are the bounds of the parameters.
        details: what it was made from, as JSON.
    """

    name: str
    parameters: tuple[Parameter, ...]
    centre: Floats
    scale: Floats
    stairs: Staircase
    details: dict[str, Any] = field(default_factory=dict[str, Any])

    @property
    def source(self) -> Source:
        """No file: the software, what it was made from, and a digest of the numbers that came of it."""
        digest = hashlib.sha256()
        arrays = [getattr(self.stairs, item.name) for item in fields(self.stairs)]
        for array in (self.centre, self.scale, *arrays):
            digest.update(np.ascontiguousarray(array, dtype="<f8").tobytes())
        details = {**self.details, "sha256": digest.hexdigest()}
        details["name"] = self.name
        return Source("synthetic", (), (), details, ("llb", "jax", "numpy"))

    @property
    def prior(self) -> tuple[PriorFactor, ...]:
        """Of height 1 everywhere: a stand-in is defined as a posterior, of which nothing is a likelihood."""
        text = "of height 1 within the bounds: the posterior was defined as a whole"
        return tuple(PriorFactor(item.name, "other", text=text) for item in self.parameters)

    @property
    def start(self) -> Floats:
        """(D,) the middle of the heaviest component, half a unit inside the walls."""
        middle = self.stairs.shift[int(np.argmax(self.stairs.weight))]
        return self.centre + self.scale * np.clip(middle, self.stairs.lower + 0.5, self.stairs.upper - 0.5)

    @property
    def log_normalisation(self) -> float:
        """It is normalised."""
        return 0.0

    def log_likelihood(self, theta: Array) -> Array:
        """The log density inside of the bounds, continued outside."""
        v = (theta - self.centre) / self.scale
        return self.stairs.log_density(v) - float(np.sum(np.log(self.scale)))

    def log_prior(self, theta: Array) -> Array:
        """0 within the bounds, -inf outside."""
        lower, upper = lower_bounds(self.parameters), upper_bounds(self.parameters)
        return jnp.where(jnp.all((theta >= lower) & (theta <= upper)), 0.0, -jnp.inf)

    def log_density(self, theta: Array) -> Array:
        """Logarithm of the normalised density with respect to the parameters in their units."""
        return self.log_likelihood(theta) + self.log_prior(theta)

    def log_densities(self, theta: Floats) -> Floats:
        """The log density (n,) at many points (n, D)."""
        if not len(theta):
            return np.empty(0)
        with jax.enable_x64(True):
            return in_blocks(self._many, theta)

    @cached_property
    def _many(self) -> Callable[[Array], Array]:
        return jax.jit(jax.vmap(self.log_density))

    def samples(self, n: int, seed: int) -> ParameterSamples:
        """Independent draws with their log density."""
        generator = np.random.default_rng(seed)
        component = generator.choice(len(self.stairs.weight), size=n, p=self.stairs.weight)
        base = generator.standard_normal((n, len(self.parameters)))
        theta = self.centre + self.scale * self.stairs.transformed(component.astype(np.int64), base)
        # a last digit may have fallen through a wall
        theta = np.clip(theta, lower_bounds(self.parameters), upper_bounds(self.parameters))
        return ParameterSamples(self.parameters, theta, self.log_densities(theta))
