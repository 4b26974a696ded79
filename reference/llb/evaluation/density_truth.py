"""The held-out points of a density, and what its own graphs say of them."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from llb.bundle import DensityBundle, LogProbMetric, SampleMetric
from llb.evaluation.log_prob_errors import log_prob_error
from llb.evaluation.null_tests import QUANTITIES, Sample, Scale, compare_with_null
from llb.evaluation.table import read_table
from llb.runtime import Density

__all__ = [
    "LOG_PROB_COLUMNS",
    "DensityHeldOut",
    "density_accuracy",
    "density_distances",
    "density_errors",
    "read_density_heldout",
]

Array = NDArray[np.float64]

LOG_PROB_COLUMNS = ("log_prob", "log_prob_unnormalized")
"""Columns for the teacher's log density, of which a table has at most one (HELDOUT-4)."""


@dataclass(frozen=True)
class DensityHeldOut:
    """Points that training never saw.

    Attributes:
        names: (n,).
        points: (n, parameters), by column.
        conditions: (n, conditions); None of a density that has none.
        log_prob: (n,) the teacher's log density; None where it is not known.
        is_normalized: whether that has every constant; if not, one is unknown.
    """

    names: tuple[str, ...]
    points: Array
    conditions: Array | None
    log_prob: Array | None
    is_normalized: bool


def read_density_heldout(bundle: DensityBundle) -> DensityHeldOut:
    """The held-out table of a bundle.

    Raises:
        FindingError: `LLB-I...`, `LLB-M026`, `LLB-M027`: the table was changed, or cannot be used.
    """
    manifest, path = bundle.manifest, bundle.manifest.validation.heldout
    header = ["name", *manifest.columns, *manifest.condition_names]
    first = next(csv.reader(io.StringIO(bundle.read(path).decode("utf-8", "replace"), newline="")), [])
    known = [name for name in first[len(header) :] if name in LOG_PROB_COLUMNS][:1]
    names, table = read_table(bundle, path, [*header, *known])
    count, width = len(manifest.columns), len(header) - 1
    return DensityHeldOut(
        names,
        table[:, :count],
        table[:, count:width] if manifest.conditions else None,
        table[:, width] if known else None,
        known == [LOG_PROB_COLUMNS[0]],
    )


def density_errors(density: Density, heldout: DensityHeldOut) -> Array | None:
    """The graph's log density minus the teacher's, (n,), or None where the teacher's is not known.

    Of a truth that lacks a constant, the median is subtracted.
    """
    if heldout.log_prob is None:
        return None
    found = density.log_density(heldout.points, heldout.conditions)
    return log_prob_error(found, heldout.log_prob, is_normalized=heldout.is_normalized)


def density_accuracy(density: Density, heldout: DensityHeldOut) -> tuple[LogProbMetric, ...]:
    """The quantiles of the absolute error of the log density (CLAIM-6): one metric, or none."""
    error = density_errors(density, heldout)
    if error is None:
        return ()
    quantiles = np.quantile(np.abs(error), [0.5, 0.95, 0.99, 1.0])
    return (LogProbMetric(len(error), *(float(value) for value in quantiles)),)


def density_distances(
    density: Density,
    heldout: DensityHeldOut,
    *,
    count: int | None = None,
    quantities: Sequence[str] = tuple(QUANTITIES),
    repetitions: int = 20,
    seed: int = 0,
) -> tuple[SampleMetric, ...]:
    """Distances between samples of a density and its held-out points, each beside its null (CLAIM-4).

    Args:
        density: one that can sample.
        heldout: independent draws of the truth.
        count: points of each sample; None takes half of the held-out ones.
        quantities: which distances.
        repetitions: of the null.
        seed: of all that is drawn.

    Raises:
        FindingError: the density makes no samples, or a graph fails.
        ValueError: `count` is more than half of the held-out points.
    """
    size = len(heldout.points) // 2 if count is None else count
    given = None if heldout.conditions is None else heldout.conditions[:size]
    drawn = density.sample(size, seed, given)
    scale = Scale.of(heldout.points)
    samples = (
        Sample(scale.apply(points), density.log_prob(points, conditions))
        for points, conditions in ((drawn, given), (heldout.points, heldout.conditions))
    )
    return compare_with_null(*samples, quantities=quantities, repetitions=repetitions, seed=seed)
