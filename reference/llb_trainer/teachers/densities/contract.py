"""What a teacher in parameter space is: the logarithm of a posterior, as a function that JAX can trace.

Functions take one point (D,) in physical units and give a scalar; `jax.vmap` makes batches of them. They need
double precision: callers trace and run them inside `jax.enable_x64(True)`.
"""

from __future__ import annotations

from typing import Protocol

import numpy as np
from jax import Array
from numpy.typing import NDArray

from llb_trainer.chains.parameters import Parameter
from llb_trainer.chains.samples import ParameterSamples
from llb_trainer.teachers.contract import Source
from llb_trainer.teachers.densities.prior import PriorFactor

__all__ = ["DensityTeacher", "ExactSampler"]

Floats = NDArray[np.float64]


class DensityTeacher(Protocol):
    """A posterior density of parameters, given the teacher's data, under a stated prior."""

    @property
    def name(self) -> str:
        """What people call it, in findings and reports."""
        ...

    @property
    def source(self) -> Source:
        """What it was made from, of kind `histfactory`, `toy` or `synthetic`; channels where it has any."""
        ...

    @property
    def parameters(self) -> tuple[Parameter, ...]:
        """The parameters, in the order of every array."""
        ...

    @property
    def prior(self) -> tuple[PriorFactor, ...]:
        """One factor per parameter, in their order."""
        ...

    @property
    def start(self) -> Floats:
        """(D,) a point of positive density, inside the bounds, not far from the mode."""
        ...

    @property
    def log_normalisation(self) -> float | None:
        """Logarithm of the integral of `exp(log_density)`: 0 if it is normalised, None if nobody knows."""
        ...

    def log_likelihood(self, theta: Array) -> Array:
        """ln L with every constant, as section 4 of the specification counts them.

        It includes the teacher's own constraint terms, which are measurements: factors of the prior of kind
        `constraint` stand for them.
        """
        ...

    def log_prior(self, theta: Array) -> Array:
        """Logarithm of the factors of the prior that are not in `log_likelihood`; -inf outside the bounds."""
        ...

    def log_density(self, theta: Array) -> Array:
        """`log_likelihood + log_prior`, natural logarithm, -inf outside the bounds.

        Its constant is `log_normalisation`: the posterior's logarithm is the difference of the two.
        """
        ...


class ExactSampler(DensityTeacher, Protocol):
    """A density that can be drawn from without a Markov chain."""

    def samples(self, n: int, seed: int) -> ParameterSamples:
        """`n` independent draws with their log density; the same seed gives the same draws."""
        ...
