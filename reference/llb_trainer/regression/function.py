"""The learned function: ln L(theta) of a trained ensemble, in plain numpy.

    ln L(theta) = value + slope . x - |x|^2 / 2 + scale d(u) psi(p) N(z(p))

`x = whitening @ (theta - center)` makes the curvature at the maximum round: without its last term this is the
Taylor expansion there. In the last term, what a network has to learn,

- `psi(p) = sqrt(1 + |p|^2 / 4) - 1` vanishes at the maximum, with its gradient;
- N is the mean of the members' networks at `z = p / (1 + p^2)^(1/4)`, column by column;
- `u = |x|^2 / reach^2` says how far out a point is. Up to the farthest training point, u = 1, p is x and d is
  1. Beyond, with m = u - 1, `p = x / sqrt(1 + m^2 / (1 + m))` never gets longer than 1.2 reach and
  `d = 1 / (1 + m^2)`: networks are not asked where they have learned nothing, and the parabola takes over.

Both joints have continuous derivatives.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import ArrayLike, NDArray

from llb_trainer.regression.expansion import Expansion

__all__ = ["Regression"]

Floats = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Regression:
    """A trained regression of ln L.

    Attributes:
        expansion: what is known at the maximum.
        scale: of what was learned, in units of ln L.
        reach: largest |x| of a training point.
        kernels: per layer (members, n_in, n_out); hidden layers are followed by squareplus, 0 at 0.
        biases: per layer (members, n_out).
    """

    expansion: Expansion
    scale: float
    reach: float
    kernels: tuple[Floats, ...] = field(repr=False)
    biases: tuple[Floats, ...] = field(repr=False)

    @property
    def columns(self) -> int:
        """How many parameters there are."""
        return len(self.expansion.center)

    @property
    def offset(self) -> float:
        """ln L at the maximum: what `relative` lacks."""
        return self.expansion.value

    def log_prob(self, theta: ArrayLike) -> Floats:
        """ln L with every constant, (n,), of points (n, D) in physical units."""
        return self.offset + self.relative(theta)

    def relative(self, theta: ArrayLike) -> Floats:
        """ln L less `offset`, (n,): what the graph of a bundle gives."""
        x = self._white(theta)
        return self.expansion.relative(x) + self._remainder(x)[0]

    def remainder(self, theta: ArrayLike) -> Floats:
        """What was learned beyond the parabola, (n,)."""
        return self._remainder(self._white(theta))[0]

    def score(self, theta: ArrayLike) -> Floats:
        """The derivatives of ln L by the parameters, (n, D)."""
        x = self._white(theta)
        return (self.expansion.gradient(x) + self._remainder(x)[1]) @ self.expansion.whitening

    def _white(self, theta: ArrayLike) -> Floats:
        points = np.asarray(theta, np.float64)
        if points.ndim != 2 or points.shape[1] != self.columns:
            raise ValueError(f"theta has shape {points.shape}, not (n, {self.columns})")
        return self.expansion.white(points)

    def _remainder(self, x: Floats) -> tuple[Floats, Floats]:
        """Value (n,) and derivatives by x (n, D)."""
        u = np.sum(x * x, axis=1, keepdims=True) / self.reach**2
        m = np.maximum(u - 1.0, 0.0)
        h, h_slope = 1.0 + m * m / (1.0 + m), m * (2.0 + m) / (1.0 + m) ** 2
        damp = 1.0 / (1.0 + m * m)
        damp_slope, shrink = -2.0 * m * damp * damp, 1.0 / np.sqrt(h)
        value, force = self._inner(shrink * x)
        # By u, whose own derivative is 2 x / reach^2.
        by_u = damp_slope * value - 0.5 * damp * shrink / h * h_slope * np.sum(x * force, 1, keepdims=True)
        slope = damp * shrink * force + by_u * 2.0 * x / self.reach**2
        return self.scale * (damp * value)[:, 0], self.scale * slope

    def _inner(self, p: Floats) -> tuple[Floats, Floats]:
        """psi N, (n, 1), and its derivatives by p (n, D)."""
        root = np.sqrt(1.0 + 0.25 * np.sum(p * p, axis=1, keepdims=True))
        square = 1.0 + p * p
        network, slope = self._network(p / np.sqrt(np.sqrt(square)))
        by_p = slope * (1.0 + 0.5 * p * p) / square**1.25
        return (root - 1.0) * network, 0.25 * p / root * network + (root - 1.0) * by_p

    def _network(self, z: Floats) -> tuple[Floats, Floats]:
        """The members' mean, (n, 1), and its derivatives by z (n, D)."""
        hidden, slopes = np.broadcast_to(z, (self.kernels[0].shape[0], *z.shape)), list[Floats]()
        last = len(self.kernels) - 1
        for layer, (kernel, bias) in enumerate(zip(self.kernels, self.biases, strict=True)):
            hidden = hidden @ kernel + bias[:, None, :]
            if layer < last:
                root = np.sqrt(hidden * hidden + 1.0)
                slopes.append(0.5 * (1.0 + hidden / root))
                hidden = 0.5 * (hidden + root - 1.0)
        back = np.broadcast_to(
            self.kernels[-1].swapaxes(1, 2), (len(self.kernels[0]), len(z), slopes[-1].shape[2])
        )
        for kernel, slope in zip(reversed(self.kernels[:-1]), reversed(slopes), strict=True):
            back = (back * slope) @ kernel.swapaxes(1, 2)
        return hidden.mean(axis=0), back.mean(axis=0)
