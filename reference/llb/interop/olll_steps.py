"""The transforms of OLLL v0.1 as numbers: forward, back, and how fast the way back is.

Here for NumPy, in `llb.interop.olll_nodes` for graphs; test vectors of imported bundles hold the second to
the first. The formulae are those of the published training code.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

__all__ = ["Asinh", "Log", "LogitBounded", "SignedLog", "Standardize", "Step", "undo"]

Floats = NDArray[np.float64]


class Step(Protocol):
    """One transform, by element; parameters with a column each apply along the last axis."""

    def forward(self, x: Floats) -> Floats:
        """What training made of a physical number."""
        ...

    def inverse(self, y: Floats) -> Floats:
        """The physical number back."""
        ...

    def slope(self, y: Floats) -> Floats:
        """|d inverse / d y|: what an uncertainty of y is multiplied by, to first order."""
        ...


@dataclass(frozen=True)
class Standardize:
    """`standardization`: (x - mean) / std, a mean and a std for each column."""

    mean: tuple[float, ...]
    std: tuple[float, ...]

    def forward(self, x: Floats) -> Floats:
        """See `Step`."""
        return (x - np.asarray(self.mean)) / np.asarray(self.std)

    def inverse(self, y: Floats) -> Floats:
        """See `Step`."""
        return y * np.asarray(self.std) + np.asarray(self.mean)

    def slope(self, y: Floats) -> Floats:
        """See `Step`."""
        return np.broadcast_to(np.asarray(self.std), y.shape)


@dataclass(frozen=True)
class SignedLog:
    """`log_w_negatives`: sign(x) ln(1 + |x|)."""

    def forward(self, x: Floats) -> Floats:
        """See `Step`."""
        return np.sign(x) * np.log1p(np.abs(x))

    def inverse(self, y: Floats) -> Floats:
        """See `Step`."""
        return np.sign(y) * np.expm1(np.abs(y))

    def slope(self, y: Floats) -> Floats:
        """See `Step`."""
        return np.exp(np.abs(y))


@dataclass(frozen=True)
class Log:
    """`log`: ln x."""

    def forward(self, x: Floats) -> Floats:
        """See `Step`; NaN or -infinity where x is not positive."""
        with np.errstate(invalid="ignore", divide="ignore"):
            return np.log(x)

    def inverse(self, y: Floats) -> Floats:
        """See `Step`."""
        return np.exp(y)

    def slope(self, y: Floats) -> Floats:
        """See `Step`."""
        return np.exp(y)


@dataclass(frozen=True)
class Asinh:
    """`asinh`: arsinh(x / scale), one scale for all columns."""

    scale: float

    def forward(self, x: Floats) -> Floats:
        """See `Step`."""
        return np.arcsinh(x / self.scale)

    def inverse(self, y: Floats) -> Floats:
        """See `Step`."""
        return self.scale * np.sinh(y)

    def slope(self, y: Floats) -> Floats:
        """See `Step`."""
        return abs(self.scale) * np.cosh(y)


@dataclass(frozen=True)
class LogitBounded:
    """`logit_bounded`: the logit of (x - lo) / (hi - lo), kept 1e-6 away from both ends."""

    lo: tuple[float, ...]
    hi: tuple[float, ...]

    def forward(self, x: Floats) -> Floats:
        """See `Step`."""
        p = np.clip((x - np.asarray(self.lo)) / self._width, 1e-6, 1.0 - 1e-6)
        return np.log(p / (1.0 - p))

    def inverse(self, y: Floats) -> Floats:
        """See `Step`; the ends are not kept away from, as in the published code."""
        return np.asarray(self.lo) + self._width * _logistic(y)

    def slope(self, y: Floats) -> Floats:
        """See `Step`."""
        p = _logistic(y)
        return np.abs(self._width) * p * (1.0 - p)

    @property
    def _width(self) -> Floats:
        return np.asarray(self.hi) - np.asarray(self.lo)


def _logistic(y: Floats) -> Floats:
    with np.errstate(over="ignore"):
        return 1.0 / (1.0 + np.exp(-y))


def undo(steps: Sequence[Step], y: Floats) -> tuple[Floats, Floats]:
    """A pipeline backwards.

    Args:
        steps: in the order in which training applied them.
        y: what the network gives, (..., columns).

    Returns:
        The physical numbers, and the factor by which an uncertainty of `y` becomes one of them.
    """
    slope = np.ones_like(y)
    for step in reversed(steps):
        slope = slope * step.slope(y)
        y = step.inverse(y)
    return y, slope
