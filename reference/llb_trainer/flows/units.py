"""Physical units to a standard scale, parameter by parameter: walls, heavy tails, standardisation.

A flow starts from independent normal numbers, and is good where its target, parameter by parameter, is not
far from that already. Three smooth maps with closed inverses, none of them trained, take care of it:

1. A wall (a bound of the parameter) is moved to infinity. With both walls near, `y = ln t - ln(1 - t)` of the
   fraction t of the way. With one, `y = ln(exp(t) - 1)`, the inverse of softplus, of the distance in units of
   `width`, which is a logarithm at the wall and leaves alone what is far from it; the distance is
   `t = a / (1 - a / range) / width`, a = theta - lower: a far wall on the other side is at infinity too.
2. A density that is finite at a wall falls like exp(-|y|) there. Each side of the `center` has a tail map:
   `light` leaves y alone, `exponential` takes exp(-|y|) to exp(-x^2 / 2), and `power` is asinh followed by
   the former. With v = |y - center| / crossover, g(v) = v sqrt(2 / (1 + sqrt(1 + v^2))) is v for small v,
   sqrt(2 v) for large, and has the inverse g sqrt(1 + g^2 / 4).
3. Mean 0 and standard deviation 1.

Every map adds the logarithm of its derivative; that is the part of the density that gets lost most often.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

__all__ = ["FARTHEST", "LARGEST_POWER", "NEAREST", "OUTERMOST", "Tail", "UnitMap", "Wall"]

Floats = NDArray[np.float64]

Wall = Literal["none", "lower", "upper", "both"]
"""Which bound of a parameter the map is made for; the other one may be far, or not there."""

Tail = Literal["light", "exponential", "power"]
"""How the density falls on one side of the center: like a normal one or faster, exponentially, as a power."""

NEAREST = 1e-12
"""Nearest to a wall that points are told apart, in units of the map: the density is finite on the wall."""

FARTHEST = 1e6
"""Farthest point of the standard scale; beyond, the density stays what it is there."""

OUTERMOST = 1e18
"""Farthest point of a tail map, in crossovers: its square is finite in float32. Beyond is nothing."""

LARGEST_POWER = 42.0
"""Largest argument of the hyperbolic sine that undoes a power; it ends there."""


@dataclass(frozen=True)
class UnitMap:
    """One map per parameter; arrays have one entry per parameter, in its units where nothing else is said.

    Attributes:
        lower, upper: bounds, infinite where there is none.
        walls: which of them are mapped.
        width: scale of the distance from the wall, for one wall; 1 elsewhere.
        center: where the tails part, on the scale y that has no walls.
        below, above: tail on each side of it.
        crossover: (2, n) where the tail maps take over, below and above, on the scale y.
        shift, scale: what is subtracted and divided by last.
    """

    lower: Floats
    upper: Floats
    walls: tuple[Wall, ...]
    width: Floats
    center: Floats
    below: tuple[Tail, ...]
    above: tuple[Tail, ...]
    crossover: Floats
    shift: Floats
    scale: Floats

    def __len__(self) -> int:
        """How many parameters there are."""
        return len(self.lower)

    def inside(self, theta: ArrayLike) -> NDArray[np.bool_]:
        """Whether points (n, D) are finite and within all bounds, the bounds included; (n,)."""
        points = np.asarray(theta, np.float64)
        return np.all((points >= self.lower) & (points <= self.upper) & np.isfinite(points), axis=1)

    def standard(self, theta: ArrayLike) -> tuple[Floats, Floats]:
        """Points (n, D) inside the bounds on the standard scale, and ln |det| of the derivative, (n,)."""
        y, log_slope = self.unwalled(np.asarray(theta, np.float64))
        v = y - self.center
        x = v.copy()
        for sign, tails, crossover in self._sides():
            for tail in ("exponential", "power"):
                distance = np.abs(v) / crossover
                # What is left as it is out there is so far away that its density is 0.
                on = (np.asarray(tails) == tail) & (sign * v > 0) & (distance <= OUTERMOST)
                straight, more = _bent(np.minimum(distance, OUTERMOST), tail)
                x = np.where(on, sign * crossover * straight, x)
                log_slope = log_slope + np.where(on, more, 0.0)
        x = np.clip((x + self.center - self.shift) / self.scale, -FARTHEST, FARTHEST)
        return x, np.sum(log_slope - np.log(self.scale), axis=1)

    def physical(self, x: ArrayLike) -> Floats:
        """The inverse: points (n, D) of the standard scale in physical units."""
        v = np.asarray(x, np.float64) * self.scale + self.shift - self.center
        y = v.copy()
        for sign, tails, crossover in self._sides():
            for tail in ("exponential", "power"):
                on = (np.asarray(tails) == tail) & (sign * v > 0)
                # What is not selected must not overflow.
                bent = _unbent(np.where(on, np.abs(v) / crossover, 0.0), tail)
                y = np.where(on, sign * crossover * bent, y)
        return self._walled(y + self.center)

    def unwalled(self, theta: Floats) -> tuple[Floats, Floats]:
        """The first step alone: (n, D) on the scale without walls, and ln of each derivative, (n, D)."""
        y, log_slope = theta.copy(), np.zeros_like(theta)
        for column, wall in enumerate(self.walls):
            if wall == "none":
                continue
            left, right = theta[:, column] - self.lower[column], self.upper[column] - theta[:, column]
            whole = self.upper[column] - self.lower[column]
            if wall == "both":
                t, rest = np.maximum(left / whole, NEAREST), np.maximum(right / whole, NEAREST)
                y[:, column] = np.log(t) - np.log(rest)
                log_slope[:, column] = -np.log(whole) - np.log(t) - np.log(rest)
                continue
            sign, near = (1.0, left) if wall == "lower" else (-1.0, right)
            rest = np.maximum(1.0 - near / whole, NEAREST)
            t = np.maximum(near / self.width[column] / rest, NEAREST)
            # 1 - exp(-t) by way of tanh, which is exact for small t without a function expm1.
            half = np.tanh(0.5 * t)
            log_gap = np.log(2.0 * half) - np.log(1.0 + half)
            y[:, column] = sign * (t + log_gap)
            log_slope[:, column] = -log_gap - np.log(self.width[column]) - 2.0 * np.log(rest)
        return y, log_slope

    def _walled(self, y: Floats) -> Floats:
        theta = y.copy()
        for column, wall in enumerate(self.walls):
            lower, upper = self.lower[column], self.upper[column]
            if wall == "both":
                theta[:, column] = _between(y[:, column], lower, upper)
            elif wall != "none":
                sign = 1.0 if wall == "lower" else -1.0
                near = self.width[column] * _softplus(sign * y[:, column])
                near = near / (1.0 + near / (upper - lower))
                theta[:, column] = lower + near if wall == "lower" else upper - near
        # Rounding must not carry a point over its bound.
        return np.clip(theta, self.lower, self.upper)

    def _sides(self) -> tuple[tuple[float, tuple[Tail, ...], Floats], ...]:
        return ((-1.0, self.below, self.crossover[0]), (1.0, self.above, self.crossover[1]))


def _softplus(y: Floats) -> Floats:
    """ln(1 + exp(y)), without overflow."""
    return np.maximum(y, 0.0) + np.log1p(np.exp(-np.abs(y)))


def _between(y: Floats, lower: float, upper: float) -> Floats:
    """From the nearer bound, so that a point very near to either keeps its digits."""
    small = np.exp(-np.abs(y))
    near = (upper - lower) * small / (1.0 + small)
    return np.where(y < 0, lower + near, upper - near)


def _bent(v: Floats, tail: str) -> tuple[Floats, Floats]:
    """The tail map of v >= 0 and ln of its derivative."""
    extra = np.zeros_like(v)
    if tail == "power":
        root = np.sqrt(1.0 + v * v)
        v, extra = np.log(v + root), -np.log(root)
    g = v * np.sqrt(2.0 / (1.0 + np.sqrt(1.0 + v * v)))
    square = 0.25 * g * g
    return g, extra + 0.5 * np.log(1.0 + square) - np.log(1.0 + 2.0 * square)


def _unbent(g: Floats, tail: str) -> Floats:
    v = g * np.sqrt(1.0 + 0.25 * g * g)
    return v if tail == "exponential" else np.sinh(np.minimum(v, LARGEST_POWER))
