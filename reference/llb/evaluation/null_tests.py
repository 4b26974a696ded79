"""Distances between samples of a density and of the truth, each beside its null (CLAIM-4)."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from llb.bundle import SampleMetric
from llb.evaluation.distances import (
    correlation_distance,
    frechet_distance,
    ks_distances,
    ks_of_sorted,
    random_directions,
    sorted_columns,
    wasserstein_of_sorted,
)
from llb.evaluation.intervals import CREDIBILITIES, shortest_of_sorted, width_errors

__all__ = ["QUANTITIES", "Sample", "Scale", "compare_with_null"]

Array = NDArray[np.float64]

_DIRECTIONS = 100


@dataclass(frozen=True)
class Scale:
    """Mean and standard deviation by column, (columns,), in which samples are compared."""

    centre: Array
    width: Array

    @classmethod
    def of(cls, points: Array) -> Scale:
        """Those of points (n, columns); a column that is constant keeps its unit."""
        width = points.std(axis=0)
        return cls(points.mean(axis=0), np.where(width > 0.0, width, 1.0))

    def apply(self, points: Array) -> Array:
        """The points in it."""
        return (points - self.centre) / self.width


@dataclass(frozen=True, eq=False)
class Sample:
    """Points of one distribution; what several distances need of them is computed once.

    Attributes:
        points: (n, columns), standardised.
        log_prob: (n,) the model's log density at them.
    """

    points: Array
    log_prob: Array

    def rows(self, chosen: NDArray[np.intp] | slice) -> Sample:
        """Some of the points."""
        return Sample(self.points[chosen], self.log_prob[chosen])

    @cached_property
    def ordered(self) -> Array:
        """(columns, n) the values of each column in ascending order."""
        return sorted_columns(self.points)


class _Slices:
    """Samples along directions, each projection in ascending order."""

    def __init__(self, directions: Array) -> None:
        self._directions = directions
        self._known: dict[int, tuple[Sample, Array]] = {}

    def of(self, sample: Sample) -> Array:
        """(slices, n), once for each sample; the last two are kept."""
        if id(sample) not in self._known:
            if len(self._known) == 2:
                self._known.pop(next(iter(self._known)))
            # With the sample itself, whose place no other can take then.
            self._known[id(sample)] = sample, sorted_columns(sample.points @ self._directions)
        return self._known[id(sample)][1]


_Distance = Callable[[Sample, Sample, _Slices], float]


def _hpd(credibility: float) -> _Distance:
    def distance(one: Sample, two: Sample, _: _Slices) -> float:
        ends = (shortest_of_sorted(item.ordered, credibility) for item in (one, two))
        return float(np.mean(width_errors(*ends)))

    return distance


def _ks(first: Array, second: Array) -> float:
    return float(np.mean(ks_of_sorted(first, second)))


def _wasserstein(first: Array, second: Array) -> float:
    return float(np.mean(wasserstein_of_sorted(first, second)))


QUANTITIES: Mapping[str, _Distance] = {
    "mean_ks": lambda one, two, _: _ks(one.ordered, two.ordered),
    "sliced_ks": lambda one, two, slices: _ks(slices.of(one), slices.of(two)),
    "mean_wasserstein": lambda one, two, _: _wasserstein(one.ordered, two.ordered),
    "sliced_wasserstein": lambda one, two, slices: _wasserstein(slices.of(one), slices.of(two)),
    "hpd_68": _hpd(CREDIBILITIES[0]),
    "hpd_95": _hpd(CREDIBILITIES[1]),
    "hpd_99": _hpd(CREDIBILITIES[2]),
    "correlation": lambda one, two, _: correlation_distance(one.points, two.points),
    "frechet": lambda one, two, _: frechet_distance(one.points, two.points),
    "log_prob_ks": lambda one, two, _: float(
        ks_distances(one.log_prob[:, np.newaxis], two.log_prob[:, np.newaxis])[0]
    ),
}
"""The distances of CLAIM-4: of a model's sample, the truth's, and slices through both."""


def compare_with_null(
    drawn: Sample,
    truth: Sample,
    *,
    quantities: Sequence[str] = tuple(QUANTITIES),
    repetitions: int = 20,
    seed: int = 0,
) -> tuple[SampleMetric, ...]:
    """Distances between a sample of a model and the truth, beside those between samples of the truth.

    Args:
        drawn: n points of the model.
        truth: at least 2 n points; the first n are compared with those of the model, which under conditions
            were drawn with theirs.
        quantities: names in `QUANTITIES`.
        repetitions: pairs of disjoint samples of n points that are chosen from the truth.
        seed: of the directions and of the choice.

    Returns:
        The metrics, in the order of the quantities.

    Raises:
        ValueError: there is less truth than two samples take.
    """
    count = len(drawn.points)
    if 2 * count > len(truth.points):
        raise ValueError(f"two samples of {count} points, and {len(truth.points)} points of the truth")
    generator = np.random.Generator(np.random.PCG64((seed, 1)))
    directions = random_directions(_DIRECTIONS, drawn.points.shape[1], generator)
    slices, beside = _Slices(directions), truth.rows(slice(count))
    values = [QUANTITIES[name](drawn, beside, slices) for name in quantities]
    nulls = np.empty((repetitions, len(quantities)))
    for repetition in range(repetitions):
        order = generator.permutation(len(truth.points))
        halves = truth.rows(order[:count]), truth.rows(order[count : 2 * count])
        nulls[repetition] = [QUANTITIES[name](*halves, slices) for name in quantities]
    means, widths = nulls.mean(axis=0), nulls.std(axis=0)
    return tuple(
        SampleMetric(name, value, float(mean), float(width), count, repetitions, seed)
        for name, value, mean, width in zip(quantities, values, means, widths, strict=True)
    )
