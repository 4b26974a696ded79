"""Analytic densities: a Gaussian seen through functions of one variable; every number is known exactly.

This is a second writer of the format, made from the specification and not from the reference implementation.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

__all__ = ["GaussianModel", "GaussianParameter", "conditional_model", "mixed_model", "regression_model"]

Array = NDArray[np.float64]
Kind = Literal["normal", "lognormal", "bounded"]

# What is taken for the edge of a parameter whose logarithm is needed there.
TINY = 1e-300


@dataclass(frozen=True)
class GaussianParameter:
    """A parameter theta = t(y) of a Gaussian y.

    Attributes:
        name: of the parameter.
        kind: t is the identity (`normal`), exp (`lognormal`), or lower + (upper - lower) / (1 + exp(-y))
            (`bounded`).
        lower, upper: bounds of a `bounded` one.
        role: `poi` or `nuisance`.
        unit: its unit.
    """

    name: str
    kind: Kind = "normal"
    lower: float = 0.0
    upper: float = 1.0
    role: str = "nuisance"
    unit: str = "1"

    @property
    def bounds(self) -> dict[str, float]:
        """As the manifest has them; an open side is left out."""
        return {
            "normal": {},
            "lognormal": {"lower": 0.0},
            "bounded": {"lower": self.lower, "upper": self.upper},
        }[self.kind]

    def forward(self, base: Array) -> Array:
        """theta of y."""
        if self.kind == "normal":
            return base
        if self.kind == "lognormal":
            return np.exp(base)
        return self.lower + (self.upper - self.lower) / (1.0 + np.exp(-base))

    def inverse(self, theta: Array) -> Array:
        """y of theta."""
        if self.kind == "normal":
            return theta
        if self.kind == "lognormal":
            return np.log(np.maximum(theta, TINY))
        return np.log(np.maximum(theta - self.lower, TINY)) - np.log(np.maximum(self.upper - theta, TINY))

    def log_slope(self, theta: Array) -> Array:
        """ln |dy/dtheta|."""
        if self.kind == "normal":
            return np.zeros_like(theta)
        if self.kind == "lognormal":
            return -np.log(np.maximum(theta, TINY))
        return (
            math.log(self.upper - self.lower)
            - np.log(np.maximum(theta - self.lower, TINY))
            - np.log(np.maximum(self.upper - theta, TINY))
        )

    def slope_of_log_slope(self, theta: Array) -> Array:
        """The derivative of `log_slope` by theta."""
        if self.kind == "normal":
            return np.zeros_like(theta)
        if self.kind == "lognormal":
            return -1.0 / theta
        return 1.0 / (self.upper - theta) - 1.0 / (theta - self.lower)


@dataclass(frozen=True)
class GaussianModel:
    """All that an analytic density says: theta = t(mean + x @ shift + root @ z) with standard normal z.

    Attributes:
        id: the bundle's id.
        parameters: in column order.
        mean: shape (n,), of y.
        root: shape (n, n), lower triangular, with positive diagonal.
        shift: shape (conditions, n), how conditions move the mean; no rows without conditions.
        family: `full_likelihood`, or `parameter_likelihood` of the likelihood itself.
        offset: of a `parameter_likelihood`: its graph gives ln L - offset.
        evidence: of a `parameter_likelihood`: logarithm of the integral of L.
        dtype: `float64` or `float32`, of the graphs.
    """

    id: str
    parameters: tuple[GaussianParameter, ...]
    mean: Array
    root: Array
    shift: Array = field(default_factory=lambda: np.zeros((0, 0)))
    family: str = "full_likelihood"
    offset: float = 0.0
    evidence: float = 0.0
    dtype: str = "float64"

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the parameters, in column order."""
        return tuple(item.name for item in self.parameters)

    @property
    def conditions(self) -> tuple[str, ...]:
        """Names of the conditions, in column order; each is between -1 and 1."""
        return tuple(f"x{column}" for column in range(len(self.shift)))

    @property
    def inverse_root(self) -> Array:
        """The matrix that takes y - mean to z."""
        return np.asarray(np.linalg.inv(self.root), dtype=np.float64)

    @property
    def log_norm(self) -> float:
        """What the logarithm of the density has at z = 0, for y."""
        return -0.5 * len(self.mean) * math.log(2.0 * math.pi) - float(np.sum(np.log(np.diag(self.root))))

    def _centre(self, condition: ArrayLike | None) -> Array:
        return self.mean if condition is None else self.mean + np.asarray(condition) @ self.shift

    def _columns(self, function: str, points: Array) -> Array:
        parts = [getattr(item, function)(points[..., column]) for column, item in enumerate(self.parameters)]
        return np.stack(parts, axis=-1)

    def base(self, theta: ArrayLike, condition: ArrayLike | None = None) -> Array:
        """z of points (..., n)."""
        points = np.asarray(theta, dtype=np.float64)
        return (self._columns("inverse", points) - self._centre(condition)) @ self.inverse_root.T

    def log_prob(self, theta: ArrayLike, condition: ArrayLike | None = None) -> Array:
        """The logarithm of the density of points (..., n), or ln L of a `parameter_likelihood`."""
        points = np.asarray(theta, dtype=np.float64)
        bends = np.sum(self._columns("log_slope", points), axis=-1)
        return (
            self.evidence + self.log_norm - 0.5 * np.sum(self.base(points, condition) ** 2, axis=-1) + bends
        )

    def score(self, theta: ArrayLike, condition: ArrayLike | None = None) -> Array:
        """The derivatives of `log_prob` at points (..., n)."""
        points = np.asarray(theta, dtype=np.float64)
        by_base = -self.base(points, condition) @ self.inverse_root
        return by_base * np.exp(self._columns("log_slope", points)) + self._columns(
            "slope_of_log_slope", points
        )

    def sample(self, noise: ArrayLike, condition: ArrayLike | None = None) -> Array:
        """theta of base noise (..., n)."""
        base = self._centre(condition) + np.asarray(noise, dtype=np.float64) @ self.root.T
        return self._columns("forward", base)

    @property
    def domain(self) -> tuple[Array, Array]:
        """The box of four standard deviations of each y, for all conditions."""
        reach = 4.0 * np.sqrt(np.sum(self.root**2, axis=1))
        if self.conditions:
            reach = reach + np.sum(np.abs(self.shift), axis=0)
        return self._columns("forward", self.mean - reach), self._columns("forward", self.mean + reach)


_MIXED = (
    GaussianParameter("mu", "bounded", -1.0, 5.0, role="poi"),
    GaussianParameter("rate", "lognormal", unit="fb"),
    GaussianParameter("alpha"),
    GaussianParameter("mass", unit="GeV"),
)
_ROOT = np.array([[0.6, 0.0, 0.0, 0.0], [0.25, 0.4, 0.0, 0.0], [-0.5, 0.3, 0.8, 0.0], [0.2, -0.1, 0.1, 0.15]])
_MEAN = np.array([-0.8, 2.0, 0.1, 125.1])


def mixed_model(dtype: str = "float64") -> GaussianModel:
    """A density of four correlated parameters: bounded, positive, and two free ones of different scale."""
    return GaussianModel("mixed-density", _MIXED, _MEAN, _ROOT, dtype=dtype)


def conditional_model() -> GaussianModel:
    """The same under two conditions, which move its mean."""
    shift = np.array([[0.3, 0.0, 0.5, 0.2], [0.0, -0.2, 0.25, 0.0]])
    return GaussianModel("conditional-density", _MIXED, _MEAN, _ROOT, shift)


def regression_model() -> GaussianModel:
    """The same as a likelihood that is not normalised, with most of its constant in the offset."""
    return GaussianModel(
        "regression-density",
        _MIXED,
        _MEAN,
        _ROOT,
        family="parameter_likelihood",
        offset=-812.5,
        evidence=-806.32,
    )
