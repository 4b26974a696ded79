"""Whether the graphs of a density belong to each other, by differences: no derivative is believed."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from llb.runtime import Density, difference_score
from llb_schema import Finding, finding

__all__ = ["check_change_of_variables", "check_score"]

Array = NDArray[np.float64]

_SEED = 14710
# Rows that the graphs are run for at most: a point takes two for each column.
_ROWS = 8192
_MIN_POINTS, _MAX_POINTS = 4, 64
# By element type: step in z, and how far off a sum of logarithms over that many columns may be.
_STEPS = {"float64": 1e-5, "float32": 1e-2}
_PRECISION = {"float64": 1e-3, "float32": 5e-2}
_ROUNDING = {"float64": 2.3e-16, "float32": 1.2e-7}


def check_change_of_variables(density: Density, condition: Array | None) -> Iterator[Finding]:
    """NUMERICS-8 at a few points: log_prob(theta) + ln |det dtheta/dz| is the log density of the noise.

    The median over the points is compared: at the kinks of a network differences are no derivatives.

    Args:
        density: the bundle with its graphs; without `sample` there is nothing to check.
        condition: (conditions,) under which it is checked; None of a density without any.
    """
    if not density.can_sample:
        return
    size = len(density.parameters)
    count = min(max(_ROWS // (2 * size), _MIN_POINTS), _MAX_POINTS)
    dtype = density.graphs["sample"].dtype.name
    step = _STEPS[dtype]
    noise = np.random.Generator(np.random.PCG64(_SEED)).standard_normal((count, size))
    shifts = step * np.vstack([np.eye(size), -np.eye(size)])
    moved = density.sample_from((noise[:, np.newaxis] + shifts).reshape(-1, size), condition)
    moved = moved.reshape(count, 2, size, size)
    jacobian = (moved[:, 0] - moved[:, 1]) / (2.0 * step)
    theta = density.sample_from(noise, condition)
    # Samples that are no numbers are a finding of their own.
    rows = np.isfinite(theta).all(axis=1) & np.isfinite(jacobian).all(axis=(1, 2))
    if not rows.any():
        return
    _, volume = np.linalg.slogdet(jacobian[rows])
    base = -0.5 * np.sum(noise[rows] ** 2, axis=1) - 0.5 * size * np.log(2.0 * np.pi)
    given = density.log_prob(theta[rows], condition) + volume
    off = float(np.median(given - base))
    # A parameter far from 0 and narrow loses digits in the difference, each column for itself.
    spread = np.maximum(theta[rows].std(axis=0), np.finfo(np.float64).tiny)
    lost = _ROUNDING[dtype] * np.abs(theta[rows]).max(axis=0) / spread / step
    allowed = _PRECISION[dtype] * np.sqrt(size) + 4.0 * float(np.sqrt(np.sum(lost**2)))
    # Written so that NaN is caught.
    if not abs(off) <= allowed:
        points = int(rows.sum())
        message = f"log_prob and sample differ by {off:.3g} in the logarithm, the median of {points} points"
        yield finding(
            "LLB-N022", message, pointer="/graphs", expected=f"0 within {allowed:.2g}", actual=repr(off)
        )


def check_score(density: Density, points: Array, conditions: Array | None) -> Iterator[Finding]:
    """NUMERICS-9: the graph `score` against differences of `log_prob`, in the median over some of the points.

    Args:
        density: the bundle with its graphs; without `score` there is nothing to check.
        points: (n, parameters) in the domain.
        conditions: (n, conditions), or None.
    """
    if not density.has_score or not len(points):
        return
    size = len(density.parameters)
    count = min(max(_ROWS // (2 * size), _MIN_POINTS), _MAX_POINTS)
    rows = np.unique(np.linspace(0, len(points) - 1, count).astype(np.intp))
    under = None if conditions is None else conditions[rows]
    width = np.array(density.manifest.domain.upper) - np.array(density.manifest.domain.lower)
    exact = width * difference_score(density, points[rows], under)
    got = width * density.score(points[rows], under)
    scale = _PRECISION[density.dtype.name] * (1.0 + np.abs(exact).max(axis=1, keepdims=True))
    off = np.median(np.abs(got - exact) / scale, axis=0)
    for column in np.flatnonzero(~(off <= 1.0)):
        name, place = density.parameters[column], points[rows][0, column]
        wanted, given = (float(value[0, column] / width[column]) for value in (exact, got))
        yield finding(
            "LLB-N023",
            f"the score by {name} is not the derivative of log_prob",
            pointer="/graphs",
            expected=f"{wanted:.6g} at {name} = {place:g}",
            actual=f"{given:.6g}",
        )
