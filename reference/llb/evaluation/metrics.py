"""Accuracy in NLL units: quantiles of |error of Delta NLL|, by curve and region.

Never a relative error: a Delta NLL is compared with thresholds of order one, and near zero a relative
error measures nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from llb.bundle import Coverage, Metric

__all__ = [
    "DECISION_MAX",
    "ONE_PERCENT_ON_CLS",
    "REGIONS",
    "TWO_SIDED_95",
    "Comparison",
    "accuracy",
    "coverage",
    "running_quantiles",
]

Floats = NDArray[np.float64]

ONE_PERCENT_ON_CLS = 0.008
"""Error of Delta NLL, in NLL units, that moves CLs by about 1 % at the limit."""

DECISION_MAX = 6.0
"""Exclusions at any usual level are decided below this Delta NLL."""

TWO_SIDED_95 = 1.96
"""Standard deviations within which 95 % of a normal distribution lie."""

_NEAR_ZERO = 0.1

REGIONS: Mapping[str, Callable[[Floats], NDArray[np.bool_]]] = {
    "decision": lambda truth: truth <= DECISION_MAX,
    "tail": lambda truth: truth > DECISION_MAX,
    "near_zero": lambda truth: np.abs(truth) < _NEAR_ZERO,
    "all": lambda truth: np.ones(truth.shape, np.bool_),
}
"""The regions of CLAIM-1: from the teacher's Delta NLL, whether a point belongs to the region."""


@dataclass(frozen=True)
class Comparison:
    """One curve at the same points twice.

    Attributes:
        curve: name of the curve.
        truth: (n,) the teacher's Delta NLL.
        predicted: (n,) the graph's.
        sigma: (n,) one standard deviation of its error as the graph states it, in NLL units; None where it
            states none.
    """

    curve: str
    truth: Floats
    predicted: Floats
    sigma: Floats | None = None

    @property
    def error(self) -> Floats:
        """(n,) |predicted - truth|, in NLL units."""
        return np.abs(self.predicted - self.truth)


def accuracy(comparisons: Iterable[Comparison]) -> tuple[Metric, ...]:
    """The metrics of a manifest (CLAIM-1); regions without a point are left out."""
    return tuple(metric for comparison in comparisons for metric in _by_region(comparison))


def _by_region(comparison: Comparison) -> Iterator[Metric]:
    for region, inside in REGIONS.items():
        error = comparison.error[inside(comparison.truth)]
        if error.size:
            quantiles = (float(value) for value in np.quantile(error, [0.5, 0.95, 0.99, 1.0]))
            yield Metric(comparison.curve, region, int(error.size), *quantiles)


def coverage(comparisons: Iterable[Comparison]) -> tuple[Coverage, ...]:
    """How often the stated errors cover the true ones in the region `decision` (UNCERTAINTY-3).

    Comparisons without a stated error, and those without a point in the region, are left out.
    """
    return tuple(found for comparison in comparisons for found in _covered(comparison))


def _covered(comparison: Comparison) -> Iterator[Coverage]:
    rows = REGIONS["decision"](comparison.truth)
    if comparison.sigma is not None and rows.any():
        error, sigma = comparison.error[rows], comparison.sigma[rows]
        within = (float(np.mean(error <= factor * sigma)) for factor in (1.0, TWO_SIDED_95))
        yield Coverage(comparison.curve, int(error.size), *within)


def running_quantiles(
    comparison: Comparison, levels: tuple[float, ...], *, bins: int = 16
) -> tuple[Floats, Floats]:
    """Quantiles of the error along the truth, in bins of equal population.

    Args:
        comparison: of one curve, at least one point.
        levels: which quantiles.
        bins: at most this many bins; fewer where there are not ten points for each.

    Returns:
        (n,) median truth of each bin, and (len(levels), n) quantiles of the error in it.
    """
    order = np.argsort(comparison.truth, kind="stable")
    groups = np.array_split(order, max(1, min(bins, len(order) // 10)))
    centre = np.array([np.median(comparison.truth[rows]) for rows in groups])
    return centre, np.stack([np.quantile(comparison.error[rows], levels) for rows in groups], axis=1)
