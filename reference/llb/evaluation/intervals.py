"""Credible intervals of samples: shortest, central, of several modes; and how far two of them are apart."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

__all__ = [
    "CREDIBILITIES",
    "central_intervals",
    "edge_error",
    "hpd_regions",
    "interval_error",
    "shortest_intervals",
    "shortest_of_sorted",
    "width_errors",
]

Array = NDArray[np.float64]

CREDIBILITIES = (0.6827, 0.9545, 0.9973)
"""One, two and three standard deviations of a normal distribution."""

_BINS = 512
# Of the rule-of-thumb bandwidth, which smears modes that are far apart.
_NARROWER = 0.5


def shortest_intervals(points: Array, credibility: float) -> Array:
    """The shortest interval from one value to another that holds at least that fraction, by column.

    Args:
        points: (n, columns).
        credibility: above 0, at most 1.

    Returns:
        (2, columns): lower and upper ends.
    """
    return shortest_of_sorted(np.sort(np.ascontiguousarray(points.T), axis=1), credibility)


def shortest_of_sorted(ordered: Array, credibility: float) -> Array:
    """`shortest_intervals` of values in ascending order, (columns, n)."""
    size = ordered.shape[1]
    held = min(max(math.ceil(credibility * size), 1), size)
    first = np.argmin(ordered[:, held - 1 :] - ordered[:, : size - held + 1], axis=1)[:, np.newaxis]
    ends = [np.take_along_axis(ordered, first + shift, axis=1)[:, 0] for shift in (0, held - 1)]
    return np.stack(ends)


def central_intervals(points: Array, credibility: float) -> Array:
    """The interval with the same fraction beyond either end, by column: (2, columns)."""
    tail = 0.5 * (1.0 - credibility)
    return np.quantile(points, [tail, 1.0 - tail], axis=0)


def width_errors(found: Array, truth: Array) -> Array:
    """Half the sum of the differences of both ends, over the width of the truth's interval, by column.

    Unlike a difference over an end, it is defined where an end is 0, and does not depend on where 0 is.

    Args:
        found: (2, columns).
        truth: (2, columns).

    Returns:
        (columns,); infinite where the truth's interval has no width and the ends differ.
    """
    width = truth[1] - truth[0]
    moved = 0.5 * np.abs(found - truth).sum(axis=0)
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(moved > 0.0, moved / width, 0.0)


def edge_error(found: Array, truth: Array) -> Array:
    """The relative error of arXiv:2309.09743, for comparison: the mean of |difference| / |truth's end|.

    It is infinite where an end of the truth is 0.
    """
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.mean(np.abs(found - truth) / np.abs(truth), axis=0)


def hpd_regions(values: Array, credibility: float, *, bins: int = _BINS) -> Array:
    """The intervals of highest density that together hold the fraction, of a density with several modes.

    The density is a kernel estimate on a grid, cut at the level above which the fraction of the values lies.

    Args:
        values: (n,) of one quantity.
        credibility: the fraction.
        bins: of the grid from the smallest to the largest value.

    Returns:
        (intervals, 2), in ascending order.
    """
    low, high = float(values.min()), float(values.max())
    if not low < high:
        return np.array([[low, high]])
    counts, edges = np.histogram(values, bins=bins, range=(low, high))
    step = (high - low) / bins
    spread = min(float(np.std(values)), float(np.subtract(*np.quantile(values, [0.75, 0.25]))) / 1.349)
    scale = max(_NARROWER * 0.9 * (spread or step) * len(values) ** -0.2, step)
    reach = math.ceil(4.0 * scale / step)
    kernel = np.exp(-0.5 * (np.arange(-reach, reach + 1) * step / scale) ** 2)
    # Reflected at both ends: a density that is cut off there does not fall towards them.
    padded = np.pad(counts.astype(np.float64), reach, mode="symmetric")
    density = np.convolve(padded, kernel / kernel.sum(), mode="valid")
    place = np.minimum(((values - low) / step).astype(np.intp), bins - 1)
    level = np.quantile(density[place], 1.0 - credibility)
    inside = np.concatenate([[False], density >= level, [False]])
    turns = np.flatnonzero(inside[1:] != inside[:-1])
    return np.stack([edges[turns[::2]], edges[turns[1::2]]], axis=1)


def interval_error(
    found: Sequence[Sequence[float]] | Array, truth: Sequence[Sequence[float]] | Array
) -> float:
    """How far two lists of intervals are apart: the length in one of them alone, over twice the truth's.

    For one interval each that overlap it is the number of `width_errors`. Intervals are matched by what they
    share, so that a mode more or less costs its own length and no other interval is compared with it.
    """
    cuts = np.unique(np.concatenate([np.ravel(found), np.ravel(truth)]))
    middles, lengths = 0.5 * (cuts[1:] + cuts[:-1]), np.diff(cuts)
    one, two = (
        _covered(np.asarray(item, dtype=np.float64).reshape(-1, 2), middles) for item in (found, truth)
    )
    apart, total = float(lengths[one != two].sum()), float(lengths[two].sum())
    return 0.0 if apart == 0.0 else 0.5 * apart / total if total > 0.0 else math.inf


def _covered(intervals: Array, points: Array) -> NDArray[np.bool_]:
    return np.any(
        (points[:, np.newaxis] > intervals[:, 0]) & (points[:, np.newaxis] < intervals[:, 1]), axis=1
    )
