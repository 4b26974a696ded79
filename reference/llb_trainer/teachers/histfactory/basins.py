"""The right minimum of each signal: fits from the atlas, the lowest of them proven.

Where an atlas has nothing to start from, or nothing it offers ends in a proven minimum, the signal is
searched thoroughly on its own.
"""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from llb_trainer.teachers.histfactory.atlas import Atlas
from llb_trainer.teachers.histfactory.datasets import DataSet
from llb_trainer.teachers.histfactory.explore import Hold, all_holds, random_starts
from llb_trainer.teachers.histfactory.fit import FitProblem, FitResult, Fitter
from llb_trainer.teachers.histfactory.likelihood import Likelihood

__all__ = ["BasinFits", "Basins", "winning_holds"]

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

_MOST, _MARGIN = 12, 8.0
_RESCUE = 16


@dataclass(frozen=True)
class BasinFits:
    """Fits of the same signals, (n, ...).

    Attributes:
        best: the lowest, proven.
        interior: the lowest that ends at none of the holds; infinite NLL where there is none.
        held: per hold, the fit with the normalisation held there.
        starts: (n,) fits that were compared.
    """

    best: FitResult
    interior: FitResult
    held: tuple[FitResult, ...]
    starts: Ints


@dataclass(frozen=True)
class Basins:
    """Fits on one data set.

    Attributes:
        likelihood: the model.
        fitter: its fits.
        row: the data set among those of the fitter.
        item: that data set.
        atlas: where minima are known.
        holds: normalisations that are held at a bound in one more fit of every signal.
    """

    likelihood: Likelihood
    fitter: Fitter
    row: int
    item: DataSet
    atlas: Atlas
    holds: tuple[Hold, ...]

    def fit(self, signals: Floats) -> BasinFits:
        """The lowest minimum of each signal (n, n_bins), and the lowest of each basin."""
        n = len(signals)
        owner, start = self._inside(*self.atlas.choose(signals, _MOST, _MARGIN))
        # a branch keeps its lowest fit even where another one wins
        rival = 2 * owner + self._at_a_hold(start)
        parts = [(owner, self._from(signals[owner], start, rival))]
        held = []
        for hold in self.holds:
            held.append(self._held(signals, hold))
            parts.append((np.arange(n), self._from(signals, held[-1].theta)))
        owner = np.concatenate([rows for rows, _ in parts])
        ends = _joined([found for _, found in parts])
        best = self._proven(signals, _lowest(n, owner, ends))
        starts = np.bincount(owner, minlength=n)
        lost = np.flatnonzero(~best.converged)
        if len(lost):
            found, more = self.thorough(signals[lost], _RESCUE, seed=0)
            best = _put(best, lost, found)
            starts[lost] += more
        interior = _lowest(n, owner, _only(ends, ~self._at_a_hold(ends.theta)))
        return BasinFits(best, interior, tuple(held), starts)

    def _inside(self, owner: Ints, start: Floats) -> tuple[Ints, Floats]:
        return owner, np.clip(start, self.likelihood.lower, self.likelihood.upper)

    def _at_a_hold(self, theta: Floats) -> NDArray[np.bool_]:
        there = [theta[:, hold.parameter] == hold.value for hold in self.holds]
        return np.any(there, axis=0) if there else np.zeros(len(theta), dtype=bool)

    def thorough(self, signals: Floats, draws: int, seed: int) -> tuple[FitResult, int]:
        """The lowest minimum of each signal from starts that no atlas knows, and the number of those."""
        n = len(signals)
        everyone = np.arange(n)
        starts = [np.tile(self.likelihood.start, (n, 1))]
        starts.extend(self._held(signals, hold).theta for hold in all_holds(self.likelihood))
        rng = np.random.default_rng([seed, self.row])
        starts.extend(random_starts(self.likelihood, self.item, signals, rng) for _ in range(draws))
        owner = np.tile(everyone, len(starts))
        ends = self._from(signals[owner], np.concatenate(starts))
        return self._proven(signals, _lowest(n, owner, ends)), len(starts)

    def _from(self, signals: Floats, start: Floats, rival: Ints | None = None) -> FitResult:
        return self.fitter.fit(replace(self._problem(signals, start), rival=rival))

    def _held(self, signals: Floats, hold: Hold) -> FitResult:
        """Fits with a normalisation held, from the minima there that suit the signals best."""
        there = np.flatnonzero(self.atlas.minima.theta[:, hold.parameter] == hold.value)
        if len(there):
            local = replace(self.atlas, minima=self.atlas.minima.take(there), switches=())
            owner, chosen = self._inside(*local.choose(signals, 1, np.inf))
            start = np.tile(self.likelihood.start, (len(signals), 1))
            start[owner] = chosen
        else:
            start = np.tile(self.likelihood.start, (len(signals), 1))
        start[:, hold.parameter] = hold.value
        problem = self._problem(signals, start)
        problem.fixed[:, hold.parameter] = True
        return self.fitter.fit(problem)

    def _problem(self, signals: Floats, start: Floats) -> FitProblem:
        return FitProblem(signals, np.full(len(signals), self.row), start, np.zeros(start.shape, dtype=bool))

    def _proven(self, signals: Floats, best: FitResult) -> FitResult:
        """The same minima with the exact proof; where there is none, nothing has converged."""
        there = np.flatnonzero(np.isfinite(best.nll))
        proven = self.fitter.prove(self._problem(signals[there], best.theta[there]))
        return _put(replace(best, converged=np.zeros(len(signals), dtype=bool)), there, proven)


def winning_holds(likelihood: Likelihood, atlases: list[Atlas], fraction: float = 0.02) -> tuple[Hold, ...]:
    """The holds at which a noticeable part of the minima lies."""
    theta = np.concatenate([atlas.minima.theta for atlas in atlases])
    return tuple(
        hold for hold in all_holds(likelihood) if np.mean(theta[:, hold.parameter] == hold.value) >= fraction
    )


def _lowest(n: int, owner: Ints, ends: FitResult) -> FitResult:
    """Of each signal the converged fit with the lowest NLL; infinite where there is none."""
    value = np.where(ends.converged, ends.nll, np.inf)
    order = np.lexsort((value, owner))
    first = np.searchsorted(owner[order], np.arange(n))
    known = np.bincount(owner, minlength=n) > 0
    if not len(order):
        return _nothing(n, ends.theta.shape[1])
    rows = order[np.minimum(first, len(order) - 1)]
    lowest = FitResult(**{f.name: getattr(ends, f.name)[rows] for f in fields(FitResult)})
    good = known & lowest.converged
    return replace(lowest, nll=np.where(good, lowest.nll, np.inf), converged=good)


def _nothing(n: int, n_moving: int) -> FitResult:
    far, no = np.full(n, np.inf), np.zeros(n, dtype=bool)
    return FitResult(np.zeros((n, n_moving)), far, far.copy(), far.copy(), no, np.zeros(n, dtype=np.int64))


def _joined(parts: list[FitResult]) -> FitResult:
    return FitResult(
        **{f.name: np.concatenate([getattr(part, f.name) for part in parts]) for f in fields(FitResult)}
    )


def _only(ends: FitResult, mask: NDArray[np.bool_]) -> FitResult:
    return replace(ends, converged=ends.converged & mask)


def _put(fits: FitResult, rows: Ints, better: FitResult) -> FitResult:
    """`fits` with those of `better` in these rows."""

    def put(name: str) -> Any:
        values = getattr(fits, name).copy()
        values[rows] = getattr(better, name)
        return values

    return FitResult(**{f.name: put(f.name) for f in fields(FitResult)})
