"""The atlas of minima: what is known of where fits end, and which of it a new signal should start from.

The minima of the pilots that are most like a signal are starts for it. How good a start each is, is cheap to
know: with the events linearised there, the profiled NLL of another signal needs only matrices of the bins.
Those that may win are tried, and of those that lead to one place the most promising.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import KDTree

__all__ = ["Atlas", "Minima"]

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

_NEIGHBOURS = 16
"""Pilots whose minima are looked at for each signal."""
_MEMORY = 20_000_000
"""Bytes of minima that are looked at together."""
_APART = 0.1
"""Half the squared distance, in prior widths, below which two predicted minima are one."""


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
        spread: (L, n_bins, n_bins), `K = J D^-1 J^T`: covariance of the events over these parameters.
        damping: (L, n_bins, n_bins), `(1 + W K)^-1`, `W` being the second derivatives of the Poisson terms.
    """

    theta: Floats
    background: Floats
    scale: Floats
    rest: Floats
    residual: Floats
    response: Floats
    spread: Floats
    damping: Floats

    def __len__(self) -> int:
        return len(self.theta)

    def take(self, rows: Ints) -> Minima:
        """Only these."""
        return Minima(*(getattr(self, name)[rows] for name in self.__dataclass_fields__))


@dataclass(frozen=True)
class Atlas:
    """Where minima lie on one data set.

    Attributes:
        main: (n_bins,) the data.
        weight: (P,) what distances between parameters are measured with: one over the squared prior width.
        pilots: (n_pilots, n_bins) the signals where they were found.
        owner: (L,) pilot of each minimum, ascending.
        minima: all that is known, the lowest of each pilot first.
    """

    main: Floats
    weight: Floats
    pilots: Floats
    owner: Ints
    minima: Minima

    def take(self, rows: Ints) -> Atlas:
        """Only these minima."""
        return replace(self, owner=self.owner[rows], minima=self.minima.take(rows))

    def lowest(self) -> Minima:
        """The lowest minimum of each pilot."""
        return self.minima.take(np.unique(self.owner, return_index=True)[1])

    def choose(self, signal: Floats, most: int, margin: float) -> tuple[Ints, Floats]:
        """Starts for signals (n, n_bins): where the minima nearby have moved to.

        Args:
            signal: (n, n_bins).
            most: starts per signal.
            margin: a start is tried if its predicted NLL is above the lowest by less than this.

        Returns:
            (row of the signal (k,), parameters (k, P)), one entry per start, the most promising first.
        """
        owner, minimum = self._near(signal)
        blocks = range(0, len(owner), max(1, _MEMORY // (8 * len(self.main) ** 2)))[1:]
        pieces = zip(np.split(owner, blocks), np.split(minimum, blocks), strict=True)
        parts = [self._predicted(signal[rows], known) for rows, known in pieces]
        height, z = (np.concatenate([part[i] for part in parts]) for i in (0, 1))
        lowest = np.full(len(signal), np.inf)
        np.minimum.at(lowest, owner, height)
        tried = np.isfinite(height) & (height <= lowest[owner] + margin)
        order = np.flatnonzero(tried)
        order = order[np.lexsort((height[order], owner[order]))]
        owner, minimum, height, z = owner[order], minimum[order], height[order], z[order]
        theta = self._moved(minimum, z)
        place = theta * np.sqrt(0.5 * self.weight)
        left, chosen = np.arange(len(owner)), [np.empty(0, dtype=np.int64)]
        for _ in range(most):
            # the best that is left of each signal takes away all that lead to the same place
            there, first = np.unique(owner[left], return_index=True)
            chosen.append(left[first])
            best = np.zeros(len(signal), dtype=np.int64)
            best[there] = left[first]
            apart = place[left] - place[best[owner[left]]]
            left = left[np.einsum("mp,mp->m", apart, apart) >= _APART]
        rows = np.concatenate(chosen)
        rows = rows[np.lexsort((height[rows], owner[rows]))]
        return owner[rows], theta[rows]

    def _near(self, signal: Floats) -> tuple[Ints, Ints]:
        """Pairs of a signal and a minimum of one of the pilots that are most like it, (m,) rows of each."""
        pilots, first, count = np.unique(self.owner, return_index=True, return_counts=True)
        if not len(pilots):
            return np.empty(0, dtype=np.int64), np.empty(0, dtype=np.int64)
        tree = KDTree(self._place(self.pilots[pilots]))
        looked = min(_NEIGHBOURS, len(pilots))
        near = np.reshape(tree.query(self._place(signal), k=looked)[1], (len(signal), looked))
        known = count[near]
        owner = np.repeat(np.arange(len(signal)), known.sum(axis=1))
        ends = np.cumsum(known)
        within = np.arange(len(owner)) - np.repeat(ends - known.ravel(), known.ravel())
        return owner, np.repeat(first[near].ravel(), known.ravel()) + within

    def _place(self, signal: Floats) -> Floats:
        """Coordinates in which distances count standard deviations of the data."""
        return 2.0 * np.sqrt(np.maximum(signal + self.main, 0.0) + 1.0)

    def _predicted(self, signal: Floats, chosen: Ints, steps: int = 2) -> tuple[Floats, Floats]:
        """Profiled NLL (m,) of signals (m, n_bins), with the events linearised at minima (m,), and `z`.

        With `nu` the events, `r` the residuals at the minimum, which is stationary, and `K` the covariance
        of the events over the parameters, the parameters move by `-D^-1 J^T z`: the events by `-K z`, and the
        constraint terms by `r K z + z K z / 2`. The best `z` (m, n_bins) has `z = r(nu - K z) - r`; it is
        found by Newton steps with the curvature of the minimum, each as long as it helps.
        """
        m = self.minima
        nu = m.background[chosen] + signal * m.scale[chosen][:, None]
        rest, residual, spread, damping = (
            m.rest[chosen],
            m.residual[chosen],
            m.spread[chosen],
            m.damping[chosen],
        )
        z, moved = np.zeros_like(nu), np.zeros_like(nu)
        lowest = self._at(nu, z, moved, rest, residual)
        for _ in range(steps):
            safe = np.where((nu + moved > 0) & (self.main > 0), nu + moved, 1.0)
            off = 1.0 - self.main / safe - residual - z
            step = (damping @ off[..., None])[..., 0]
            further = -(spread @ step[..., None])[..., 0]
            start, there = z, moved
            for length in (1.0, 0.5, 0.2, 0.05):
                tried, shift = start + length * step, there + length * further
                value = self._at(nu, tried, shift, rest, residual)
                better = value < lowest
                z, moved = (np.where(better[:, None], new, old) for new, old in ((tried, z), (shift, moved)))
                lowest = np.where(better, value, lowest)
        return lowest, z

    def _moved(self, minimum: Ints, z: Floats) -> Floats:
        """(m, P) where minima (m,) move with `z` (m, n_bins)."""
        theta = self.minima.theta[minimum]
        block = max(1, _MEMORY // (8 * len(self.main) * len(self.weight)))
        for first in range(0, len(minimum), block):
            rows = slice(first, first + block)
            theta[rows] -= np.einsum("mb,mbp->mp", z[rows], self.minima.response[minimum[rows]])
        return theta

    def _at(self, nu: Floats, z: Floats, moved: Floats, rest: Floats, residual: Floats) -> Floats:
        expected = nu + moved
        good = ((expected > 0) | (self.main == 0)).all(axis=-1)
        logarithm = np.log(np.where(expected > 0, expected, 1.0))
        main = np.sum(expected - self.main * logarithm, axis=-1)
        return np.where(good, main + rest - np.sum((residual + 0.5 * z) * moved, axis=-1), np.inf)
