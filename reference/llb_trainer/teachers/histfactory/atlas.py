"""The atlas of minima: what is known of where fits end, and which of it a new signal should start from.

Every minimum that was ever found is a start for every other signal. How good a start it is, is cheap to
know: at a stationary point the gradient of another signal's NLL is `J^T d`, where `d` is how much the
residuals `1 - n / nu` differ, so the NLL that one Gauss-Newton step would reach needs only matrices of the
bins. Minima that exist at the same signal belong to different *basins*. Basins are told apart by *switches*:
parameters that take two values at coexisting minima (a free normalisation at its bound or not, a one-sided
systematic on either side). The best start of each basin is tried.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

__all__ = ["Atlas", "Minima", "Switch", "find_switches"]

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


@dataclass(frozen=True)
class Switch:
    """A parameter that takes two values at minima that exist at the same signal.

    Attributes:
        parameter: index among the moving parameters.
        threshold: between the two.
    """

    parameter: int
    threshold: float


@dataclass(frozen=True)
class Minima:
    """Minima on one data set.

    Attributes:
        theta: (L, P) moving parameters.
        background: (L, n_bins) events without signal.
        scale: (L,) what multiplies the signal.
        rest: (L,) constraint terms and constants of the NLL.
        residual: (L, n_bins), `1 - n / nu` at the signal where the minimum was found.
        spread: (L, n_bins, n_bins) covariance of the events over the parameters that were free there.
    """

    theta: Floats
    background: Floats
    scale: Floats
    rest: Floats
    residual: Floats
    spread: Floats

    def __len__(self) -> int:
        return len(self.theta)

    def take(self, rows: Ints) -> Minima:
        """Only these."""
        return Minima(*(getattr(self, name)[rows] for name in self.__dataclass_fields__))


def find_switches(pairs: Floats, scale: Floats, apart: float = 0.3, most: int = 6) -> tuple[Switch, ...]:
    """The parameters that tell coexisting minima apart, the most frequent first.

    Args:
        pairs: (n_pairs, 2, P) minima that exist at the same signal.
        scale: (P,) prior widths.
        apart: how far two values must be apart, in units of `scale`.
        most: how many switches to keep.
    """
    rest = pairs
    found: list[Switch] = []
    while len(rest) and len(found) < most:
        distance = np.abs(rest[:, 1] - rest[:, 0]) / scale
        first = np.argmax(distance, axis=1)
        first[np.max(distance, axis=1) < apart] = -1
        names, counts = np.unique(first[first >= 0], return_counts=True)
        if not len(names):
            break
        parameter = int(names[np.argmax(counts)])
        own = rest[first == parameter][:, :, parameter]
        threshold = float(np.median(np.mean(own, axis=1)))
        found.append(Switch(parameter, threshold))
        sides = rest[:, :, parameter] > threshold
        rest = rest[(sides[:, 0] == sides[:, 1]) & (first != parameter)]
    return tuple(found)


@dataclass(frozen=True)
class Atlas:
    """Minima on one data set, with what tells their basins apart.

    Attributes:
        main: (n_bins,) the data.
        minima: all that is known.
        switches: what tells basins apart.
    """

    main: Floats
    minima: Minima
    switches: tuple[Switch, ...]

    def basin(self, theta: Floats) -> Ints:
        """Number of the basin of each of `theta` (n, P): one bit per switch."""
        bits = [
            (theta[:, s.parameter] > s.threshold).astype(np.int64) << i for i, s in enumerate(self.switches)
        ]
        return np.sum(bits, axis=0) if bits else np.zeros(len(theta), dtype=np.int64)

    def choose(self, signal: Floats, most: int, margin: float, *, looked: int = 24) -> tuple[Ints, Ints]:
        """Starts for signals (n, n_bins): the best minimum of each basin that may win.

        Args:
            signal: (n, n_bins).
            most: starts per signal.
            margin: a basin is tried if its predicted NLL is above the lowest by less than this.
            looked: minima per signal and basin whose NLL is predicted.

        Returns:
            (row of the signal, minimum to start from), one entry per start.
        """
        basins = self.basin(self.minima.theta)
        raw = self._nll(signal)
        rows = np.arange(len(signal))
        best, value = [], []
        for basin in np.unique(basins):
            own = np.flatnonzero(basins == basin)
            here = raw[:, own]
            if len(own) > looked:
                near = own[np.argpartition(here, looked, axis=1)[:, :looked]]
            else:
                near = np.tile(own, (len(signal), 1))
            predicted = raw[rows[:, None], near] - self._decrease(signal, near)
            choice = np.argmin(predicted, axis=1)
            best.append(near[rows, choice])
            value.append(predicted[rows, choice])
        ends, heights = np.stack(best, axis=1), np.stack(value, axis=1)
        order = np.argsort(heights, axis=1, kind="stable")[:, :most]
        ends, heights = np.take_along_axis(ends, order, 1), np.take_along_axis(heights, order, 1)
        tried = np.isfinite(heights) & (heights <= heights[:, :1] + margin)
        return np.nonzero(tried)[0], ends[tried]

    def _nll(self, signal: Floats) -> Floats:
        """NLL of every signal at every minimum, (n, L); infinite where a bin is empty."""
        expected = self.minima.background[None] + signal[:, None] * self.minima.scale[None, :, None]
        good = ((expected > 0) | (self.main == 0)).all(axis=2)
        logarithm = np.log(np.where(expected > 0, expected, 1.0))
        return np.where(good, np.sum(expected - self.main * logarithm, axis=2) + self.minima.rest, np.inf)

    def _decrease(self, signal: Floats, chosen: Ints) -> Floats:
        """What one Gauss-Newton step from each of the chosen minima (n, k) gains."""
        m = self.minima
        expected = m.background[chosen] + signal[:, None] * m.scale[chosen][:, :, None]
        safe = np.where((expected > 0) & (self.main > 0), expected, 1.0)
        d = 1.0 - self.main / safe - m.residual[chosen]
        weight = self.main / safe**2
        spread = m.spread[chosen]
        matrix = np.eye(len(self.main)) + weight[..., None] * spread
        right = np.einsum("nkbc,nkc->nkb", spread, d)
        inner = np.linalg.solve(np.swapaxes(matrix, -1, -2), right[..., None])[..., 0]
        return 0.5 * np.sum(d * inner, axis=-1)
