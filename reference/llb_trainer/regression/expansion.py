"""The part of ln L that needs no learning: value, gradient and curvature at its maximum."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array
from numpy.typing import NDArray

from llb_trainer.chains.parameters import Parameter
from llb_trainer.mcmc.modes import laplace
from llb_trainer.mcmc.unconstrained import Unconstrained

__all__ = ["Expansion", "expand"]

Floats = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Expansion:
    """ln L near its maximum: `value + slope . x - |x|^2 / 2` with `x = whitening @ (theta - center)`.

    Attributes:
        center: (D,) the maximum, or the highest point inside of the bounds.
        whitening: (D, D), the curvature's root; negative curvatures were taken by their size.
        value: ln L there, with every constant.
        slope: (D,) gradient there, by x; 0 at a maximum.
    """

    center: Floats
    whitening: Floats
    value: float
    slope: Floats

    def white(self, theta: Floats) -> Floats:
        """x, (n, D), of points (n, D)."""
        return (theta - self.center) @ self.whitening.T

    def physical(self, x: Floats) -> Floats:
        """The inverse of `white`."""
        return np.linalg.solve(self.whitening, x.T).T + self.center

    def relative(self, x: Floats) -> Floats:
        """ln L less its value at the center, (n,), of x (n, D)."""
        return x @ self.slope - 0.5 * np.sum(x * x, axis=1)

    def gradient(self, x: Floats) -> Floats:
        """The derivatives of `relative` by x, (n, D)."""
        return self.slope - x


def expand(function: Callable[[Array], Array], parameters: tuple[Parameter, ...], start: Floats) -> Expansion:
    """The expansion of a function of one point (D,), with all digits.

    Args:
        function: -inf outside of the bounds.
        parameters: what its columns are.
        start: (D,) a point not far from the maximum, where the function is finite.

    Raises:
        FindingError: LLB-L220 the function or its derivatives are not finite at the start.
    """
    change = Unconstrained.of(parameters)
    with jax.enable_x64(True):
        free = laplace(lambda x: function(change.physical(x)), change.free(start))
        near = np.asarray(change.physical(jnp.asarray(free.mode)))
        peak = laplace(function, near)
        value, gradient = jax.value_and_grad(function)(jnp.asarray(peak.mode))
    slope = np.asarray(gradient) @ peak.root
    whitening = np.asarray(np.linalg.inv(peak.root), np.float64)
    return Expansion(peak.mode, whitening, float(value), slope)
