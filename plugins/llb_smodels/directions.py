"""Rays for somebody who asks point by point: a signal vector is found again on the ray that it lies on.

SModelS asks for one total yield vector after the other, in fact for many mu of one signal, and runs
optimisers on the answers. Asked directly, a float32 graph would show them its steps, and no graph knows
anything beyond its domain. On a ray both are settled (`llb.runtime.rays`), so points are answered from rays.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from llb.runtime import ProfileLikelihood, Rays, rays
from llb_schema import FindingError, has_errors

__all__ = ["Directions", "Point"]

Array = NDArray[np.float64]

# Of one signal there is one direction, and one or two more while it is known from small mu only.
_KEPT = 8
# How far apart, relative in every bin, points of one ray may be; a spline is good to 1e-6.
_COLLINEAR = 1e-9


@dataclass(frozen=True)
class Point:
    """What a bundle says of one signal.

    Attributes:
        delta: Delta NLL by output column, in NLL units.
        sigma: its stated error, by column; zeros where the bundle states none. Beyond the domain that of
            the edge.
        inside: whether the signal is in the domain; outside, `delta` is the loader's continuation.
    """

    delta: Array
    sigma: Array
    inside: bool


@dataclass(frozen=True, eq=False)
class _Direction:
    """A ray and the signal at its mu = 1, the largest bin of which has 1 event or -1."""

    ray: Rays
    signal: Array

    def mu(self, signal: Array, precision: Array) -> float | None:
        """Where a signal lies on the ray, or None if it does not, to a precision by bin in events."""
        # Least squares: a bin of large background must not spoil what a small one knows exactly.
        weight = self.signal / precision
        mu = float(weight @ (signal / precision) / (weight @ weight))
        along = mu * self.signal
        close = np.abs(signal - along) <= precision + _COLLINEAR * np.abs(along)
        return mu if bool(close.all()) else None


class Directions:
    """The rays that a bundle was last asked about; memory does not grow with the signals.

    Args:
        model: the bundle.
        name: of the bundle's file, for findings.
    """

    def __init__(self, model: ProfileLikelihood, name: str) -> None:
        self._model, self._name = model, name
        self._width = len(model.bundle.manifest.own_curves)
        self._known: deque[_Direction] = deque(maxlen=_KEPT)

    def at(self, signal: Array, precision: Array) -> Point:
        """What the bundle says of a signal.

        Args:
            signal: events by column, shape (n_bins,).
            precision: what of them may be rounding, in events, >= 0.

        Raises:
            FindingError: `LLB-L001`, the signal and its opposite both point out of the domain; `LLB-L002`,
                the graph is not a number along the ray.
        """
        if not signal.any():
            return Point(np.zeros(self._width), np.zeros(self._width), inside=True)
        direction, mu = self._find(signal, precision)
        ray, nothing = direction.ray, np.zeros(1, dtype=np.intp)
        every = np.arange(self._width)
        t = np.full(self._width, mu / ray.scale[0])
        low, high = float(ray.mu_low[0]), float(ray.mu_edge[0])
        sigma = np.zeros(self._width)
        if self._model.has_uncertainty:
            sigma = ray.sigma(nothing, np.array([min(max(mu, low), high)]))[0]
        return Point(ray.splines(np.zeros_like(every), t, every), sigma, inside=low <= mu <= high)

    def _find(self, signal: Array, precision: Array) -> tuple[_Direction, float]:
        # A bin without background or signal has no rounding, and 0/0 is to be 0.
        precision = np.maximum(precision, np.finfo(np.float64).eps * np.abs(signal).max())
        for direction in self._known:
            mu = direction.mu(signal, precision)
            if mu is not None:
                return direction, mu
        direction = self._new(signal)
        self._known.appendleft(direction)
        return direction, float(np.copysign(np.abs(signal).max(), direction.signal @ signal))

    def _new(self, signal: Array) -> _Direction:
        unit = signal / np.abs(signal).max()
        # Asked for negative mu of a signal, it is still the ray of the signal, the same for all mu.
        unit = unit if unit.sum() >= 0.0 else -unit
        ray = rays(self._model, unit[np.newaxis])
        if ray.mu_edge[0] <= 0.0:
            # Where the domain has this side only, the other is its continuation.
            opposite = rays(self._model, -unit[np.newaxis])
            if opposite.mu_edge[0] > 0.0:
                ray, unit = opposite, -unit
        if has_errors(ray.findings):
            raise FindingError([replace(item, pointer=self._name) for item in ray.findings])
        return _Direction(ray, unit)
