"""Where ln L is learned: at samples, along rays through them, and around the profiles of interest."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array
from numpy.typing import NDArray
from scipy.optimize import minimize

from llb_trainer.chains.parameters import Parameter
from llb_trainer.regression.expansion import Expansion

__all__ = ["ProfileNodes", "profile_points", "scaled_points", "scattered_points"]

Floats = NDArray[np.float64]

_WORST = 1e25
"""Stands in for a density of zero, which line searches cannot step back from."""


@dataclass(frozen=True, eq=False)
class ProfileNodes:
    """Conditional maxima.

    Attributes:
        points: (m, D) in x, see `Expansion`.
        columns: (m,) which parameter was held.
    """

    points: Floats
    columns: NDArray[np.int64]


def scaled_points(x: Floats, count: int, stretch: float, generator: np.random.Generator) -> Floats:
    """Points on the rays from the mode through samples x (n, D), from the mode to beyond them, (count, D).

    In many dimensions all samples are far from the mode: a maximum over most parameters lies where none is.
    """
    rows = generator.integers(0, len(x), count)
    return x[rows] * generator.uniform(0.0, stretch, (count, 1))


def scattered_points(nodes: Floats, x: Floats, count: int, generator: np.random.Generator) -> Floats:
    """Points around nodes (m, D): a node and a part of the way from the mode to a sample, (count, D)."""
    if not len(nodes):
        return np.empty((0, x.shape[1]))
    chosen, rows = generator.integers(0, len(nodes), count), generator.integers(0, len(x), count)
    # Squared: more of them near the node, where a maximum has to be right.
    return nodes[chosen] + x[rows] * generator.uniform(0.0, 1.0, (count, 1)) ** 2


def profile_points(
    function: Callable[[Array], Array],
    expansion: Expansion,
    parameters: tuple[Parameter, ...],
    samples: Floats,
    nodes: int,
    stretch: float,
) -> ProfileNodes:
    """The conditional maxima of each parameter of interest.

    Args:
        function: ln L of one point (D,) in physical units.
        expansion: of it.
        parameters: what the columns are.
        samples: (n, D) in physical units; the values reach as far as theirs.
        nodes: values of each parameter of interest.
        stretch: how much further they reach, by the distance from the mode, within the bounds.
    """
    root = np.linalg.inv(expansion.whitening)
    center = expansion.center
    found: list[Floats] = []
    columns: list[int] = []
    with jax.enable_x64(True):
        slope = jax.jit(jax.value_and_grad(lambda x: -function(jnp.asarray(center) + jnp.asarray(root) @ x)))
        for column, parameter in enumerate(parameters):
            if parameter.role != "poi":
                continue
            ends = np.array([samples[:, column].min(), samples[:, column].max()])
            ends = center[column] + stretch * (ends - center[column])
            ends = np.clip(ends, parameter.lower, parameter.upper)
            values = np.linspace(float(ends[0]), float(ends[1]), nodes)
            above = values >= center[column]
            for side in (values[above], values[~above][::-1]):
                found += _walk(slope, root[column], side - center[column])
            columns += [column] * (len(found) - len(columns))
    points = np.stack(found) if found else np.empty((0, len(parameters)))
    return ProfileNodes(points, np.asarray(columns, np.int64))


def _walk(slope: Callable[[Array], tuple[Array, Array]], along: Floats, offsets: Floats) -> list[Floats]:
    """Maxima with `along @ x` held at each offset, every search from the end of the one before."""
    direction = along / (along @ along)
    aside, found = np.zeros(len(along)), list[Floats]()

    def across(x: Floats) -> Floats:
        return x - direction * (along @ x)

    for offset in offsets:
        # By `offset` as a default: the search is over before the next one begins.
        def cost(u: Floats, offset: float = float(offset)) -> tuple[float, Floats]:
            value, gradient = slope(jnp.asarray(direction * offset + across(u)))
            number, force = float(value), np.asarray(gradient)
            if not (np.isfinite(number) and np.isfinite(force).all()):
                return _WORST, np.zeros_like(u)
            return number, across(force)

        options = {"maxiter": 200, "ftol": 1e-12, "gtol": 1e-6}
        end = minimize(cost, aside, jac=True, method="L-BFGS-B", options=options)
        if end.fun < _WORST:
            aside = across(np.asarray(end.x, np.float64))
            found.append(direction * offset + aside)
    return found
