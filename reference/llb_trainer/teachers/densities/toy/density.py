"""The posterior of the toy search in mu and 94 nuisance parameters.

The nuisances are one per bin for the Monte Carlo statistics and four systematics. ISR and JES act on the
shape within a category and on its normalisation with the same parameter (arXiv:1911.03305).
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array
from numpy.typing import NDArray
from scipy.special import gammaln

from llb_trainer.chains.parameters import Parameter
from llb_trainer.teachers.contract import Source
from llb_trainer.teachers.densities.prior import PriorFactor
from llb_trainer.teachers.densities.toy.numbers import (
    CATEGORIES,
    SHAPES,
    SYSTEMATICS,
    ToyNumbers,
    read_numbers,
)

__all__ = ["MU_BOUNDS", "ToyDensity", "read_toy"]

Floats = NDArray[np.float64]

MU_BOUNDS = (-1.0, 5.0)
"""Where the prior of mu is flat."""

_LN_PRIOR_MU = -math.log(5.0)
"""The published prior of mu: a height of 1/5 on a width of 6. It is a constant offset, kept as published."""


@dataclass(frozen=True, eq=False)
class ToyDensity:
    """The toy as a teacher; its log density has the constants of the published code.

    Attributes:
        numbers: of the search.
    """

    numbers: ToyNumbers

    @property
    def name(self) -> str:
        """What it is called."""
        return "LHC-like toy search"

    @property
    def source(self) -> Source:
        """The file of its numbers, and whose formulas they go into."""
        return Source(
            kind="toy",
            files=(self.numbers.file,),
            channels=(),
            details={"formulas": "arXiv:1911.03305"},
            software=("jax",),
        )

    @property
    def parameters(self) -> tuple[Parameter, ...]:
        """mu, one parameter per bin, and the systematics."""
        bins = len(self.numbers.observed)
        return (
            Parameter("mu", "poi", bounds=MU_BOUNDS, label=r"$\mu$"),
            *(Parameter(f"mcstat_{i}", label=rf"$\delta_{{{i + 1}}}$") for i in range(bins)),
            *(Parameter(name, label=rf"$\delta_\mathrm{{{name}}}$") for name in SYSTEMATICS),
        )

    @property
    def prior(self) -> tuple[PriorFactor, ...]:
        """Flat in mu within its bounds, standard normal in everything else."""
        poi, *others = self.parameters
        normal = (PriorFactor(item.name, "normal", 0.0, 1.0) for item in others)
        return (PriorFactor(poi.name, "uniform"), *normal)

    @property
    def start(self) -> Floats:
        """Everything zero, which is close to the mode."""
        return np.zeros(len(self.parameters))

    @property
    def log_normalisation(self) -> None:
        """Nobody knows it exactly."""
        return

    def expectation(self, theta: Array) -> Array:
        """Expected events (I,) at the parameters (D,)."""
        numbers = self.numbers
        spread, delta = theta[1 : -len(SYSTEMATICS)], theta[-len(SYSTEMATICS) :]
        shape = jnp.ones(len(numbers.observed))
        for row in range(len(SHAPES)):
            shape = shape * _shape(delta[row], numbers.shape_up[row], numbers.shape_down[row])
        category = numbers.category
        total = jax.ops.segment_sum(jnp.asarray(numbers.background), category, CATEGORIES)
        share = numbers.background / total[category] * shape
        share = share / jax.ops.segment_sum(share, category, CATEGORIES)[category]
        # (1 + K)^d is exp(d ln(1 + K)), of the side where d lies
        side = jnp.where(delta[:, None] >= 0, np.log1p(numbers.norm_up), -np.log1p(numbers.norm_down))
        norm = jnp.exp(delta @ side)
        statistics = jnp.exp(spread * np.log1p(numbers.spread))
        return theta[0] * numbers.signal + (total * norm)[category] * share * statistics

    def log_likelihood(self, theta: Array) -> Array:
        """Poisson terms with their factorials; -inf where a bin expects nothing or less."""
        expected = self.expectation(theta)
        observed = self.numbers.observed
        safe = jnp.where(expected > 0, expected, 1.0)
        terms = observed * jnp.log(safe) - expected - gammaln(observed + 1.0)
        return jnp.sum(jnp.where(expected > 0, terms, -jnp.inf))

    def log_prior(self, theta: Array) -> Array:
        """Standard normals of the nuisances, and -ln 5 of mu, as published; -inf outside its bounds."""
        nuisance = theta[1:]
        normal = -0.5 * jnp.sum(nuisance**2) - 0.5 * len(nuisance) * math.log(2 * math.pi)
        inside = (theta[0] >= MU_BOUNDS[0]) & (theta[0] <= MU_BOUNDS[1])
        return jnp.where(inside, normal + _LN_PRIOR_MU, -jnp.inf)

    def log_density(self, theta: Array) -> Array:
        """Logarithm of the posterior, but for its normalisation."""
        return self.log_likelihood(theta) + self.log_prior(theta)


def read_toy(path: Path) -> ToyDensity:
    """The toy with the numbers of a file.

    Raises:
        FindingError: as `llb_trainer.teachers.densities.toy.read_numbers`.
    """
    return ToyDensity(read_numbers(path))


def _shape(delta: Array, up: Floats, down: Floats) -> Array:
    """Factor (I,) of a shape systematic: a parabola through its values at -1, 0 and 1, straight beyond."""
    middle = 0.5 * delta * (delta - 1) * down - (delta - 1) * (delta + 1) + 0.5 * delta * (delta + 1) * up
    constant = -0.5 * (up + down) + 2.0
    above = (0.5 * (3 * up + down) - 2.0) * delta + constant
    below = (2.0 - 0.5 * (3 * down + up)) * delta + constant
    return jnp.where(delta > 1, above, jnp.where(delta < -1, below, middle))
