"""Many cubic splines at once: nodes per ray, vectorised evaluation, closed-form minimum, continuation."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.interpolate import CubicHermiteSpline, CubicSpline

__all__ = ["SplineStack", "stack_splines"]

Array = NDArray[np.float64]
Index = NDArray[np.intp]

# Beyond its ends a curve bends at least as much as this fraction of its mean curvature: a straight
# continuation would let root finders wander off, and a curve that bends down would not be convex.
_LEAST_BEND = 1e-3
# Points further out are taken for this one: cubes of it are still far from the largest double.
_FAR = 1e80


@dataclass(frozen=True)
class SplineStack:
    """Cubic splines of N rays with C curves each, over t; 0 is a node of every ray.

    Attributes:
        breaks: nodes, shape (N, K), increasing, padded with infinity.
        pieces: coefficients of (t - break)^3 .. (t - break)^0, shape (N, K - 1, 4, C), padded with zeros.
        count: number of nodes of each ray, shape (N,).
        tails: value, slope and half the curvature at the (low, high) end, shape (N, 2, 3, C).
    """

    breaks: Array
    pieces: Array
    count: Index
    tails: Array

    def __call__(self, ray: Index, t: Array, curve: Index | int, order: int = 0) -> Array:
        """Value (or first or second derivative in t) at points of one-dimensional, equally long arguments."""
        t = np.clip(t, -_FAR, _FAR)
        piece = self._piece(ray, t)
        x = t - self.breaks[ray, piece]
        a, b, c, d = np.moveaxis(self.pieces[ray, piece, :, curve], -1, 0)
        value = _cubic(a, b, c, d, x, order)
        for side, end in ((0, self.breaks[ray, 0]), (1, self.breaks[ray, self.count[ray] - 1])):
            outside = t < end if side == 0 else t > end
            if outside.any():
                d, c, b = np.moveaxis(self.tails[ray, side, :, curve], -1, 0)
                value = np.where(outside, _cubic(np.zeros_like(b), b, c, d, t - end, order), value)
        return value

    def _piece(self, ray: Index, t: Array) -> Index:
        """The interval that holds each t, the first or last one for t outside: bisection of all at once."""
        last = self.count[ray] - 2
        piece = np.zeros_like(last)
        for bit in reversed(range(self.breaks.shape[1].bit_length())):
            higher = piece + (1 << bit)
            inside = np.minimum(higher, last)
            piece = np.where((higher <= last) & (self.breaks[ray, inside] <= t), higher, piece)
        return piece

    def minimum(self, curve: int) -> tuple[Array, Array]:
        """Where each ray's curve is lowest over t >= 0, and that value; the continuation is never lower.

        Between nodes the minimum is the closed-form root of the cubic's derivative. A minimum at t = 0
        has exactly the value of that node.
        """
        start = self.breaks[:, :-1]
        with np.errstate(invalid="ignore"):
            width = self.breaks[:, 1:] - start
        a, b, c, d = np.moveaxis(self.pieces[:, :, :, curve], 2, 0)
        used = (start >= 0.0) & np.isfinite(width)
        width = np.where(used, width, 0.0)
        x = np.stack([np.zeros_like(width), _lowest_inside(a, b, c, width), width])
        value = np.where(used, _cubic(a, b, c, d, x, 0), np.inf)
        best = value.transpose(1, 2, 0).reshape(len(start), -1)
        where = (start + x).transpose(1, 2, 0).reshape(best.shape)
        rows = np.arange(len(best))
        lowest = np.argmin(best, axis=1)
        return where[rows, lowest], best[rows, lowest]


def _cubic(a: Array, b: Array, c: Array, d: Array, x: Array, order: int) -> Array:
    if order == 0:
        return ((a * x + b) * x + c) * x + d
    if order == 1:
        return (3.0 * a * x + 2.0 * b) * x + c
    return 6.0 * a * x + 2.0 * b


def _lowest_inside(a: Array, b: Array, c: Array, width: Array) -> Array:
    """The local minimum of a x^3 + b x^2 + c x in [0, width], or 0 where there is none."""
    # 3a x^2 + 2b x + c = 0; the root with positive second derivative, in the form without cancellation.
    square = b * b - 3.0 * a * c
    root = np.sqrt(np.maximum(square, 0.0))
    with np.errstate(divide="ignore", invalid="ignore"):
        x = np.where(b >= 0.0, -c / (b + root), (root - b) / (3.0 * a))
    inside = (square > 0.0) & (x > 0.0) & (x < width)
    return np.where(inside, x, 0.0)


def stack_splines(
    nodes: Sequence[Array],
    values: Sequence[Array],
    bounded: NDArray[np.bool_],
    slopes: Sequence[Array] | None = None,
) -> SplineStack:
    """Splines through the nodes of each ray, with their continuations: C2, or C1 with given slopes.

    Args:
        nodes: per ray, increasing t, shape (K_n,), K_n >= 4, with slopes K_n >= 2.
        values: per ray, shape (K_n, C); a ray with a value that is not finite becomes NaN as a whole.
        bounded: whether a ray ends at its last node. Others (the zero signal) have no edge and stay flat.
        slopes: per ray, exact derivatives in t at the nodes, shape (K_n, C), where they are known.
    """
    rays, curves = len(nodes), values[0].shape[1] if values else 0
    longest = max((len(item) for item in nodes), default=4)
    breaks = np.full((rays, longest), np.inf)
    pieces = np.zeros((rays, longest - 1, 4, curves))
    tails = np.zeros((rays, 2, 3, curves))
    for n, (t, y) in enumerate(zip(nodes, values, strict=True)):
        breaks[n, : len(t)] = t
        if not np.all(np.isfinite(y)):
            pieces[n], tails[n] = np.nan, np.nan
            continue
        spline = CubicSpline(t, y) if slopes is None else CubicHermiteSpline(t, y, slopes[n])
        pieces[n, : len(t) - 1] = spline.c.transpose(1, 0, 2)
        if bounded[n]:
            tails[n, 0] = _tail(spline, t, 0)
            tails[n, 1] = _tail(spline, t, 1)
    return SplineStack(breaks, pieces, np.array([len(item) for item in nodes], dtype=np.intp), tails)


def _tail(spline: CubicSpline | CubicHermiteSpline, t: Array, side: int) -> Array:
    """Value, outward-rising slope and half the curvature at an end; the slope never drops there."""
    end = t[-side]
    value, slope, curvature = (spline(end, order) for order in range(3))
    slope = np.maximum(slope, 0.0) if side else np.minimum(slope, 0.0)
    spread = np.max(np.abs(value)) / (t[-1] - t[0]) ** 2
    least = _LEAST_BEND * max(spread, np.finfo(np.float64).tiny * 1e10)
    return np.stack([value, slope, np.maximum(0.5 * curvature, least)])
