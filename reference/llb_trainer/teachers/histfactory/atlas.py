"""The atlas of minima: what is known of where fits end, and which of it a new signal should start from.

Every minimum that was ever found is a start for every other signal. How good a start it is, is cheap to
know: with the events linearised there, the profiled NLL of another signal needs only matrices of the bins.
Minima that exist at the same signal belong to different *basins*. Basins are told apart by *switches*:
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
        response: (L, n_bins, P), `J D^-1` with the Jacobian `J` of the events and the curvature `D` of the
            constraint terms, of the parameters that were free there.
        spread: (L, n_bins, n_bins), `J D^-1 J^T`: covariance of the events over these parameters.
    """

    theta: Floats
    background: Floats
    scale: Floats
    rest: Floats
    residual: Floats
    response: Floats
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

    def choose(self, signal: Floats, most: int, margin: float) -> tuple[Ints, Floats]:
        """Starts for signals (n, n_bins), from the best minimum of each basin that may win.

        Args:
            signal: (n, n_bins).
            most: starts per signal.
            margin: a basin is tried if its predicted NLL is above the lowest by less than this.

        Returns:
            (row of the signal (k,), parameters (k, P)), one entry per start.
        """
        basins = self.basin(self.minima.theta)
        looked = int(np.clip(2000 / len(self.main) ** 2, 6, 24))
        raw = self._nll(signal)
        rows = np.arange(len(signal))
        best, move, value = [], [], []
        for basin in np.unique(basins):
            own = np.flatnonzero(basins == basin)
            here = raw[:, own]
            if len(own) > looked:
                near = own[np.argpartition(here, looked, axis=1)[:, :looked]]
            else:
                near = np.tile(own, (len(signal), 1))
            predicted, z = self._predicted(signal, near)
            choice = np.argmin(predicted, axis=1)
            best.append(near[rows, choice])
            move.append(z[rows, choice])
            value.append(predicted[rows, choice])
        ends, heights = np.stack(best, axis=1), np.stack(value, axis=1)
        order = np.argsort(heights, axis=1, kind="stable")[:, :most]
        heights = np.take_along_axis(heights, order, 1)
        tried = np.isfinite(heights) & (heights <= heights[:, :1] + margin)
        owner, column = np.nonzero(tried)[0], order[tried]
        minimum, z = ends[owner, column], np.stack(move, axis=1)[owner, column]
        step = np.einsum("kb,kbp->kp", z, self.minima.response[minimum])
        return owner, self.minima.theta[minimum] - step

    def _nll(self, signal: Floats) -> Floats:
        """NLL of every signal at every minimum, (n, L); infinite where a bin is empty."""
        expected = self.minima.background[None] + signal[:, None] * self.minima.scale[None, :, None]
        good = ((expected > 0) | (self.main == 0)).all(axis=2)
        logarithm = np.log(np.where(expected > 0, expected, 1.0))
        return np.where(good, np.sum(expected - self.main * logarithm, axis=2) + self.minima.rest, np.inf)

    def _predicted(self, signal: Floats, chosen: Ints, steps: int = 2) -> tuple[Floats, Floats]:
        """Profiled NLL of the signals from the chosen minima (n, k), the events linearised there, and `z`.

        With `nu` the events, `r` the residuals at the minimum, which is stationary, and `K` the covariance
        of the events over the parameters, the parameters move by `-D^-1 J^T z`: the events by `-K z`, and the
        constraint terms by `r K z + z K z / 2`. The best `z` (n, k, n_bins) has `z = r(nu - K z) - r`; it is
        found by Newton steps, each as long as it helps.
        """
        m = self.minima
        nu = m.background[chosen] + signal[:, None] * m.scale[chosen][:, :, None]
        rest, residual, spread = m.rest[chosen], m.residual[chosen], m.spread[chosen]
        z = np.zeros_like(nu)
        lowest = self._at(nu, z, rest, residual, spread)
        for _ in range(steps):
            moved = -np.einsum("nkbc,nkc->nkb", spread, z)
            safe = np.where((nu + moved > 0) & (self.main > 0), nu + moved, 1.0)
            weight = self.main / safe**2
            matrix = np.eye(len(self.main)) + weight[..., None] * spread
            right = 1.0 - self.main / safe - residual - weight * moved
            step = np.linalg.solve(matrix, right[..., None])[..., 0] - z
            start = z
            for length in (1.0, 0.5, 0.2, 0.05):
                tried = start + length * step
                value = self._at(nu, tried, rest, residual, spread)
                better = value < lowest
                z = np.where(better[..., None], tried, z)
                lowest = np.where(better, value, lowest)
        return lowest, z

    def _at(self, nu: Floats, z: Floats, rest: Floats, residual: Floats, spread: Floats) -> Floats:
        shift = np.einsum("nkbc,nkc->nkb", spread, z)
        expected = nu - shift
        good = ((expected > 0) | (self.main == 0)).all(axis=-1)
        logarithm = np.log(np.where(expected > 0, expected, 1.0))
        main = np.sum(expected - self.main * logarithm, axis=-1)
        return np.where(good, main + rest + np.sum((residual + 0.5 * z) * shift, axis=-1), np.inf)
