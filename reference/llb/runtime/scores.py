"""Derivatives of a log density: by its own graph, or by central differences."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from llb.runtime.density import Density
from llb.runtime.density_input import Points, condition_rows

__all__ = ["density_score", "difference_score"]

Array = NDArray[np.float64]

# Of the width of the domain. The error of a central difference is its square beside rounding over it: the
# cube root of the precision is the best that both can have.
_STEPS = {"float64": 1e-5, "float32": 5e-3}


def density_score(density: Density, theta: Points, condition: Points | None = None) -> Array:
    """The derivatives of `log_prob` by the parameters, (n, parameters): exact ones if the bundle has them.

    Raises:
        FindingError: as `Density.log_prob`.
    """
    if density.has_score:
        return density.score(theta, condition)
    return difference_score(density, theta, condition)


def difference_score(density: Density, theta: Points, condition: Points | None = None) -> Array:
    """The same by differences of `log_prob`, central ones but at the bounds; steps follow the domain's width.

    Raises:
        FindingError: as `Density.log_prob`.
    """
    points = density.points(theta)
    count, size = points.shape
    domain = density.manifest.domain
    step = _STEPS[density.dtype.name] * (np.array(domain.upper) - np.array(domain.lower))
    # One step in each column, all columns of a point in one call.
    shifts = np.eye(size) * step
    above = np.minimum(points[:, np.newaxis] + shifts, density.upper).reshape(-1, size)
    below = np.maximum(points[:, np.newaxis] - shifts, density.lower).reshape(-1, size)
    rows = condition_rows(condition, density.conditions, count)
    repeated = None if rows is None else np.repeat(rows, size, axis=0)
    rise = density.log_prob(above, repeated) - density.log_prob(below, repeated)
    run = np.einsum("nij,ij->ni", (above - below).reshape(count, size, size), np.eye(size))
    return rise.reshape(count, size) / run
