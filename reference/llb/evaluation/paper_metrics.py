"""The metrics of arXiv:2309.09743 by their own definitions, for comparison with published numbers.

They are p-values, distances in physical units and errors relative to the ends of intervals; batches are
consecutive disjoint slices of both samples, and "+-" is a standard deviation over the batches, not an error.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from llb.evaluation.distances import random_directions, wasserstein_distances
from llb.evaluation.intervals import edge_error, shortest_intervals

__all__ = ["PAPER_CREDIBILITIES", "PaperMetrics", "paper_metrics"]

Array = NDArray[np.float64]

PAPER_CREDIBILITIES = (0.68, 0.954, 0.997)
"""As the paper has them; those of a normal distribution are 0.6827, 0.9545 and 0.9973."""

_SLICES = 100


@dataclass(frozen=True)
class PaperMetrics:
    """The numbers of the paper's tables.

    Attributes:
        mean_ks: p-value of the two-sample Kolmogorov-Smirnov test, mean over columns and batches; 0.5 for
            equal distributions.
        mean_ks_std: over the batches.
        swd: sliced Wasserstein distance in the units that were given, mean over 100 slices and the batches.
        swd_std: over the batches.
        hpdi_errors: by credibility, median over the columns of `llb.evaluation.intervals.edge_error`.
    """

    mean_ks: float
    mean_ks_std: float
    swd: float
    swd_std: float
    hpdi_errors: tuple[float, ...]


def paper_metrics(drawn: Array, truth: Array, *, batches: int = 100, seed: int = 0) -> PaperMetrics:
    """The paper's metrics of samples (n, columns) of one size, in physical units.

    Args:
        drawn: of the model.
        truth: of the truth.
        batches: at least 1; what does not fill a batch is left out of KS and SWD.
        seed: of the directions.
    """
    # Imported here: it takes longer than most of what this package is asked for.
    from scipy import stats

    size = min(len(drawn), len(truth)) // batches
    generator = np.random.default_rng(seed)
    values, distances = np.empty(batches), np.empty(batches)
    for batch in range(batches):
        rows = slice(batch * size, (batch + 1) * size)
        one, two = drawn[rows], truth[rows]
        values[batch] = np.mean([_pvalue(stats.ks_2samp(*pair)) for pair in zip(one.T, two.T, strict=True)])
        to = random_directions(_SLICES, drawn.shape[1], generator)
        distances[batch] = np.mean(wasserstein_distances(one @ to, two @ to))
    errors = (
        np.median(edge_error(shortest_intervals(drawn, part), shortest_intervals(truth, part)))
        for part in PAPER_CREDIBILITIES
    )
    return PaperMetrics(
        float(values.mean()),
        float(values.std()),
        float(distances.mean()),
        float(distances.std()),
        tuple(float(error) for error in errors),
    )


def _pvalue(result: Any) -> float:
    """Of a result of scipy, whose type does not name it."""
    return float(result.pvalue)
