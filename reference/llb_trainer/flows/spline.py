"""Monotonic rational-quadratic splines in numpy.

J. Gregory and R. Delbourgo (1982); C. Durkan et al., Neural Spline Flows, arXiv:1906.04032. The spline takes
the box [-B, B] onto itself, has slope 1 at both ends and is the identity outside. Bins and slopes have
floors, so that it can be inverted whatever the raw numbers are.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

__all__ = ["MIN_SIZE", "MIN_SLOPE", "spline", "spline_inverse"]

Floats = NDArray[np.float64]

MIN_SIZE = 1e-3
"""Least width and height of a bin, as a fraction of the box."""

MIN_SLOPE = 1e-3
"""Least slope at a knot."""


class _Bin(NamedTuple):
    """The bin that a point is in: corner, size, slopes at its ends, and the slope across."""

    x: Floats
    y: Floats
    width: Floats
    height: Floats
    left: Floats
    right: Floats
    across: Floats
    bend: Floats


def spline(x: Floats, raw: Floats, box: float) -> tuple[Floats, Floats]:
    """Spline of x and ln of its derivative.

    Args:
        x: (...,).
        raw: (..., 3 K - 1), widths, heights and inner slopes as a network gives them; all 0 is the identity.
        box: B.
    """
    within = np.clip(x, -box, box)
    at = _bin(within, raw, box, 0)
    xi = np.clip((within - at.x) / at.width, 0.0, 1.0)
    product = xi * (1.0 - xi)
    below = at.across + at.bend * product
    y = at.y + at.height * (at.across * xi * xi + at.left * product) / below
    slope = at.right * xi * xi + 2.0 * at.across * product + at.left * (1.0 - xi) ** 2
    log_slope = 2.0 * np.log(at.across) + np.log(slope) - 2.0 * np.log(below)
    inside = within == x
    return np.where(inside, y, x), np.where(inside, log_slope, 0.0)


def spline_inverse(y: Floats, raw: Floats, box: float) -> Floats:
    """The x of which `spline` makes y; shapes as there."""
    within = np.clip(y, -box, box)
    at = _bin(within, raw, box, 1)
    rise = within - at.y
    a = at.height * (at.across - at.left) + rise * at.bend
    b = at.height * at.left - rise * at.bend
    product = at.across * rise
    # The root of a xi^2 + b xi - product = 0 that does not cancel.
    xi = 2.0 * product / (b + np.sqrt(np.maximum(b * b + 4.0 * a * product, 0.0)))
    return np.where(within == y, xi * at.width + at.x, y)


def _bin(at: Floats, raw: Floats, box: float, axis: int) -> _Bin:
    """The bin whose x (axis 0) or y (axis 1) range holds the point."""
    bins = (raw.shape[-1] + 1) // 3
    sizes = [_sizes(raw[..., part * bins : (part + 1) * bins], box) for part in (0, 1)]
    edges = [np.cumsum(size, axis=-1) - size - box for size in sizes]
    inner = raw[..., 2 * bins :]
    rising = MIN_SLOPE + (1.0 - MIN_SLOPE) * 0.5 * (inner + np.sqrt(inner * inner + 4.0))
    ends = np.ones((*inner.shape[:-1], 1))
    slopes = np.concatenate([ends, rising, ends], axis=-1)
    index = np.sum(at[..., None] >= edges[axis][..., 1:], axis=-1, keepdims=True)

    def pick(values: Floats) -> Floats:
        return np.take_along_axis(values, index, axis=-1)[..., 0]

    width, height = pick(sizes[0]), pick(sizes[1])
    left, right = pick(slopes[..., :-1]), pick(slopes[..., 1:])
    across = height / width
    bend = left + right - 2.0 * across
    return _Bin(pick(edges[0]), pick(edges[1]), width, height, left, right, across, bend)


def _sizes(raw: Floats, box: float) -> Floats:
    weights = np.exp(raw - raw.max(axis=-1, keepdims=True))
    shares = weights / weights.sum(axis=-1, keepdims=True)
    return 2.0 * box * (MIN_SIZE + (1.0 - MIN_SIZE * raw.shape[-1]) * shares)
