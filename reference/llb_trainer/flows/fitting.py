"""The rule by which the unit map of a flow is chosen from samples."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import ArrayLike, NDArray

from llb_schema import FindingError, finding
from llb_trainer.flows.units import Tail, UnitMap, Wall

__all__ = ["fit_units"]

Floats = NDArray[np.float64]

_EXPONENTIAL, _POWER = 3.75, 7.0
"""Ratio of the distances of the 0.1 % and the 16 % quantile from the median, from which a tail counts as
exponential, and as a power. A normal distribution has 3.1, a logistic 4.2, a double exponential 5.5, a
Student t of three degrees of freedom 8.6."""


def fit_units(
    samples: ArrayLike,
    lower: ArrayLike | None = None,
    upper: ArrayLike | None = None,
    *,
    tails: Mapping[int, tuple[Tail, Tail]] | None = None,
    walls: Mapping[int, Wall] | None = None,
) -> UnitMap:
    """A unit map that makes each parameter alone as normal as its few numbers can.

    Every finite bound is mapped. Of a parameter with two, both count as near where the outermost samples come
    within one standard deviation of each; otherwise the map is made for the nearer one. Each side of the
    median gets the tail that the quantiles say (`llb_trainer.flows.units`).

    Args:
        samples: (n, D), in physical units.
        lower, upper: (D,) bounds, infinite where there is none; None for none at all.
        tails: (below, above) of the parameters, by column, that are not left to the rule.
        walls: likewise, which bounds are near.

    Raises:
        FindingError: LLB-T050 there are too few samples, or they are not finite, lie outside of their bounds
            or do not vary.
    """
    points = np.asarray(samples, np.float64)
    if points.ndim != 2 or len(points) < 2 or not points.size:
        _refuse("they are not at least two rows with a column per parameter", f"shape {points.shape}")
    n = points.shape[1]
    low = np.full(n, -np.inf) if lower is None else np.array(lower, np.float64).reshape(n)
    high = np.full(n, np.inf) if upper is None else np.array(upper, np.float64).reshape(n)
    _check(points, low, high)
    near: tuple[Wall, ...] = tuple(
        (walls or {}).get(column, _wall(points[:, column], low[column], high[column])) for column in range(n)
    )
    _check_walls(near, np.isfinite(low), np.isfinite(high))
    single = np.array([wall in {"lower", "upper"} for wall in near])
    width = np.where(single, points.std(axis=0), 1.0)
    zeros, ones, light = np.zeros(n), np.ones(n), ("light",) * n
    bare = UnitMap(low, high, near, width, zeros, light, light, np.ones((2, n)), zeros, ones)
    y = bare.unwalled(points)[0]
    center = np.median(y, axis=0)
    below: list[Tail] = []
    above: list[Tail] = []
    crossover = np.ones((2, n))
    for column in range(n):
        given = (tails or {}).get(column, (None, None))
        for side, (sign, chosen) in enumerate(((-1.0, below), (1.0, above))):
            tail, crossover[side, column] = _tail(sign * (y[:, column] - center[column]), given[side])
            chosen.append(tail)
    bent = UnitMap(low, high, near, width, center, tuple(below), tuple(above), crossover, zeros, ones)
    x = bent.standard(points)[0]
    return UnitMap(
        low, high, near, width, center, tuple(below), tuple(above), crossover, x.mean(axis=0), x.std(axis=0)
    )


def _check(points: Floats, lower: Floats, upper: Floats) -> None:
    if not np.isfinite(points).all():
        _refuse("some are not finite", f"{int((~np.isfinite(points)).any(axis=1).sum())} rows")
    outside = np.any((points < lower) | (points > upper), axis=1)
    if outside.any():
        _refuse("some lie outside of the bounds", f"{int(outside.sum())} rows")
    still = np.flatnonzero(points.std(axis=0) <= 1e-12 * np.abs(points).max(axis=0))
    if len(still):
        _refuse("a parameter has the same value in all of them", f"column {still[0]}")


def _check_walls(walls: tuple[Wall, ...], below: NDArray[np.bool_], above: NDArray[np.bool_]) -> None:
    """Every wall needs its bound, and bounds without a wall would cut off some of the density."""
    for column, wall in enumerate(walls):
        possible = {"none": not (below[column] or above[column]), "both": below[column] and above[column]}
        possible |= {"lower": below[column], "upper": above[column]}
        if not possible[wall]:
            _refuse(f"the bounds of column {column} are not those of the wall {wall!r}", f"column {column}")


def _wall(values: Floats, lower: float, upper: float) -> Wall:
    if not np.isfinite(lower) and not np.isfinite(upper):
        return "none"
    left, right = values.min() - lower, upper - values.max()
    if max(left, right) <= values.std():
        return "both"
    return "lower" if left <= right else "upper"


def _tail(outwards: Floats, given: Tail | None) -> tuple[Tail, float]:
    """Kind and crossover of a tail, from distances that are positive on its side."""
    near, far, outermost = np.quantile(outwards, [0.84, 0.99, 0.999]).tolist()
    tail: Tail = "light"
    if given is not None:
        tail = given
    elif outermost > _POWER * near:
        tail = "power"
    elif outermost > _EXPONENTIAL * near:
        tail = "exponential"
    # The length in which an exponential falls by e, of which 1 % to 0.1 % takes ln 10. Half as much again
    # is what leaves logistic, double exponential and Student's distributions nearest to a normal one.
    length = (outermost - far) / np.log(10.0) if tail == "exponential" else near
    return tail, 1.5 * float(length) if length > 0 else 1.0


def _refuse(why: str, actual: str) -> None:
    raise FindingError(finding("LLB-T050", f"the samples cannot be learned: {why}", actual=actual))
