"""The profile of a density: its largest value for each value of one parameter, over all the others."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from llb.runtime.density import Density
from llb.runtime.density_height import DensityHeight
from llb.runtime.density_input import Points
from llb_schema import Finding, FindingError, finding

__all__ = ["DensityProfile", "profile_density"]

Array = NDArray[np.float64]

_PROBES = 4096
_SEED = 20230917
_TOLERANCE = 1e-12
_DEVIATIONS, _MARGIN = 6.0, 6.0
"""How far above typical draws a top may be, in standard deviations and in units of ln density."""


@dataclass(frozen=True)
class DensityProfile:
    """A profile in one parameter.

    Attributes:
        parameter: its name.
        values: (n,) where it was held, ascending.
        log_density: (n,) the largest logarithm found over the other parameters, in the domain.
        points: (n, parameters) where.
        prior_divided: whether the prior was divided out, so that it is a likelihood's up to a constant.
        findings: warnings.
    """

    parameter: str
    values: Array
    log_density: Array
    points: Array
    prior_divided: bool
    findings: tuple[Finding, ...] = ()

    @property
    def drop(self) -> Array:
        """(n,) by how much the logarithm is below its largest value in the list, at least 0."""
        return self.log_density.max() - self.log_density

    def intervals(self, drop: float) -> tuple[tuple[float, float], ...]:
        """Where the logarithm is at most that much below the largest, with straight lines between the values.

        An end at the first or last value is where the list ends. 0.5 and 1.92 are 68.3 % and 95 % of a
        likelihood that is normal.
        """
        level = drop - self.drop
        inside = np.flatnonzero(level >= 0.0)
        runs = np.split(inside, np.flatnonzero(np.diff(inside) > 1) + 1)
        return tuple((self._edge(level, run[0], -1), self._edge(level, run[-1], 1)) for run in runs)

    def _edge(self, level: Array, row: int, side: int) -> float:
        """Where a run of values ends: between its last value and the next one."""
        beyond = row + side
        if not 0 <= beyond < len(level):
            return float(self.values[row])
        part = level[row] / (level[row] - level[beyond])
        return float(self.values[row] + part * (self.values[beyond] - self.values[row]))


def profile_density(
    density: Density,
    parameter: str,
    values: ArrayLike,
    *,
    condition: Points | None = None,
    divide_prior: bool = False,
    starts: int = 3,
) -> DensityProfile:
    """The profile of a density in one parameter, over all others within the domain.

    Each value is maximised from the best of many probes and from the optima of its neighbours, along the list
    and back: a profile of several maxima jumps from one to the other. Gradients are those of the bundle's
    score, or differences.

    Args:
        density: the bundle.
        parameter: a name.
        values: where it is held, within its domain.
        condition: one row, of a conditional density.
        divide_prior: profile the likelihood in a posterior, whose prior the manifest has formulas for.
        starts: probes from which a maximum is looked for, at each value.

    Raises:
        FindingError: `LLB-Y101`, there is no such parameter; `LLB-Y108`, the prior cannot be divided out; a
            graph fails.
    """
    if parameter not in density.parameters:
        message, expected = f"there is no parameter {parameter!r}", ", ".join(density.parameters)[:200]
        raise FindingError(finding("LLB-Y101", message, expected=expected, actual=parameter))
    height = DensityHeight(density, condition, divide_prior)
    search = _Search(height, density.parameters.index(parameter))
    grid = np.sort(np.atleast_1d(np.asarray(values, dtype=np.float64)))
    found = [search.best(value, search.probes(value, starts)) for value in grid]
    neighbours = [(row, row - 1) for row in range(1, len(grid))]
    neighbours += [(row, row + 1) for row in range(len(grid) - 2, -1, -1)]
    for row, beside in neighbours:
        near = found[beside][1]
        found[row] = max(found[row], search.best(grid[row], near[np.newaxis]), key=lambda item: item[0])
    heights, points = np.array([item[0] for item in found]), np.array([item[1] for item in found])
    return DensityProfile(parameter, grid, heights, points, divide_prior, search.doubts(heights.max()))


class _Search:
    """Maxima of a density with one parameter held, in coordinates in which the domain is the unit box."""

    def __init__(self, height: DensityHeight, held: int) -> None:
        self.height, self.held = height, held
        density = height.density
        domain = density.manifest.domain
        self.lower, self.upper = np.array(domain.lower), np.array(domain.upper)
        self.width = self.upper - self.lower
        self.free = np.arange(len(self.lower)) != held
        generator = np.random.Generator(np.random.PCG64(_SEED))
        self.pool = self.lower + self.width * generator.random((_PROBES, len(self.lower)))
        if density.can_sample:
            self.pool = np.clip(density.sample(_PROBES, _SEED, height.condition), self.lower, self.upper)

    def probes(self, value: float, count: int) -> Array:
        """The points of the pool that are highest with the parameter held, (count, parameters)."""
        points = self.pool.copy()
        points[:, self.held] = value
        heights = self.height.value(points)
        return points[np.argsort(np.where(np.isnan(heights), -np.inf, heights))[::-1][:count]]

    def doubts(self, top: float) -> tuple[Finding, ...]:
        """What speaks against a profile of that height: draws that lie far below it.

        Of n normal parameters draws lie n / 2 below the top on average, and scatter by the root of that.
        """
        if not self.height.density.can_sample:
            return ()
        expected = 0.5 * len(self.lower)
        most = expected + _DEVIATIONS * np.sqrt(expected) + _MARGIN
        heights = self.height.value(self.pool)
        above = float(top - np.median(heights[np.isfinite(heights)]))
        if above <= most:
            return ()
        message = f"the top of the profile is {above:.0f} above typical draws in ln density"
        expectation = f"about {expected:.0f}, as of {len(self.lower)} normal parameters"
        return (finding("LLB-Y109", message, expected=expectation, actual=f"{above:.0f}"),)

    def best(self, value: float, starts: Array) -> tuple[float, Array]:
        """The highest point that is reached from any of the starts, and its height."""
        ends = [self._climb(value, start) for start in starts]
        return max(ends, key=lambda item: item[0])

    def _climb(self, value: float, start: Array) -> tuple[float, Array]:
        # Imported here: it takes longer than to open a bundle.
        from scipy.optimize import minimize

        point = start.copy()
        point[self.held] = value
        if not self.free.any():
            return float(self.height.value(point[np.newaxis])[0]), point

        def fall(unit: Array) -> tuple[float, Array]:
            there = point.copy()
            there[self.free] = self._physical(unit)
            height = float(self.height.value(there[np.newaxis])[0])
            slope = self.height.slope(there[np.newaxis])[0] * self.width
            if not np.isfinite(height):
                return 1e300, np.zeros(int(self.free.sum()))
            return -height, -np.nan_to_num(slope[self.free])

        first = (point[self.free] - self.lower[self.free]) / self.width[self.free]
        bounds: Sequence[tuple[float, float]] = [(0.0, 1.0)] * len(first)
        options = {"ftol": _TOLERANCE, "gtol": 1e-8, "maxiter": 500}
        result = minimize(fall, first, jac=True, method="L-BFGS-B", bounds=bounds, options=options)
        end = point.copy()
        end[self.free] = self._physical(np.asarray(result.x))
        # The start counts as well: a search that fails must not end lower.
        heights = self.height.value(np.stack([end, point]))
        better = int(np.argmax(np.where(np.isnan(heights), -np.inf, heights)))
        return float(heights[better]), (end, point)[better]

    def _physical(self, unit: Array) -> Array:
        """Free parameters of coordinates in the unit box; never beyond the domain by rounding."""
        lower, upper = self.lower[self.free], self.upper[self.free]
        return np.clip(lower + unit * (upper - lower), lower, upper)
