"""Simulation-based calibration of a conditional density (Talts et al., arXiv:1804.06788).

Draw parameters from the prior, data at the parameters, and the density under the data: the rank of the true
value among the draws is uniform if, and only if on average, the density is the posterior.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from llb.runtime import Density

__all__ = ["Calibration", "rank_calibration"]

Array = NDArray[np.float64]
Ints = NDArray[np.int64]

_BLOCK = 200_000
"""Draws made at once."""
_PER_BIN = 40
"""Experiments in a bin of the test, at least: a chi2 of fewer is not one."""
_MOST_BINS = 20


@dataclass(frozen=True, eq=False)
class Calibration:
    """Ranks of true values among draws of a density.

    Attributes:
        names: (D,) of the parameters.
        ranks: (n, D) how many of the draws are below the true value, 0 to `draws`.
        draws: of the density under each of the n conditions.
        p_values: (D,) of a chi2 test that ranks are uniform.
        common_p_value: that the p-values are uniform themselves (Kolmogorov-Smirnov): one number for all;
            parameters that are correlated make it smaller than it should be.
    """

    names: tuple[str, ...]
    ranks: Ints
    draws: int
    p_values: Array
    common_p_value: float


def rank_calibration(
    density: Density, points: Array, conditions: Array, *, draws: int = 255, seed: int = 0
) -> Calibration:
    """The ranks of true parameters among draws under what was seen at them.

    Args:
        density: a conditional one that can sample.
        points: (n, D) true parameters, independent draws of the prior.
        conditions: (n, C) data at them.
        draws: under each condition.
        seed: of the draws.

    Raises:
        FindingError: as `Density.sample_from`.
        ValueError: there are too few points for a test.
    """
    # Imported here: it takes longer than most of what this package is asked for.
    from scipy import stats

    count, width = points.shape
    bins = min(_MOST_BINS, count // _PER_BIN)
    if bins < 2:
        raise ValueError(f"{count} points are too few: the test needs at least {2 * _PER_BIN}")
    ranks = np.empty((count, width), np.int64)
    generator = np.random.default_rng(seed)
    step = max(1, _BLOCK // draws)
    for start in range(0, count, step):
        rows = slice(start, start + step)
        given = np.repeat(conditions[rows], draws, axis=0)
        drawn = density.sample_from(generator.standard_normal((len(given), width)), given)
        below = drawn.reshape(-1, draws, width) < points[rows, None, :]
        ranks[rows] = below.sum(axis=1)
    edges = np.linspace(0.0, draws + 1, bins + 1)
    # Bins of whole ranks are not all of one width.
    share = np.diff(np.ceil(edges)) / (draws + 1)
    heights = np.stack([np.histogram(column, np.ceil(edges))[0] for column in ranks.T])
    expected = count * share
    p_values = stats.chi2.sf(((heights - expected) ** 2 / expected).sum(axis=1), bins - 1)
    common = float(stats.kstest(p_values, "uniform").pvalue) if width > 1 else float(p_values[0])
    return Calibration(density.parameters, ranks, draws, np.asarray(p_values, np.float64), common)
