"""The right minimum of each signal: fits from the atlases, the lowest of them proven.

Fits of all curves run together, so that none waits for the last of another. Where nothing that an atlas
offers ends in a proven minimum, the signal is searched thoroughly on its own.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import reduce

import numpy as np
from numpy.typing import NDArray

from llb_trainer.teachers.histfactory.atlas import Atlas
from llb_trainer.teachers.histfactory.curvefits import FREE, CurveFits, Hold, all_holds
from llb_trainer.teachers.histfactory.explore import random_starts
from llb_trainer.teachers.histfactory.likelihood import Likelihood
from llb_trainer.teachers.histfactory.problem import FitProblem, FitResult

__all__ = ["BasinFits", "Basins", "fit_basins", "winning_holds"]

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

_MOST, _MARGIN = 12, 8.0
_LOOKS, _VALLEYS, _DEEP = 4, 6, 1.0
"""Times that other sides are looked at, fits at each minimum, and the NLL above it that is worth a fit."""
_RESCUE = 16


@dataclass(frozen=True)
class BasinFits:
    """Fits of the same signals on one curve, (n, ...).

    Attributes:
        best: the lowest, proven.
        interior: the lowest that ends at none of the holds; infinite NLL where there is none.
        held: per hold, the lowest with the normalisation held there.
        starts: (n,) fits that were compared.
    """

    best: FitResult
    interior: FitResult
    held: tuple[FitResult, ...]
    starts: Ints


@dataclass(frozen=True)
class Basins:
    """Where the fits of a curve begin.

    Attributes:
        fits: of the curve.
        atlas: where minima are known.
        holds: normalisations that are held at a bound in fits of every signal; a branch each.
    """

    fits: CurveFits
    atlas: Atlas
    holds: tuple[Hold, ...]

    def starts(self, signals: Floats) -> tuple[Ints, Ints, Floats]:
        """Row of the signal, number of the hold or `FREE`, and parameters (k, P) of every start."""
        owner, theta = self.atlas.choose(signals, _MOST, _MARGIN)
        held = self.held(theta)
        parts = [(owner, held, theta)]
        for number, hold in enumerate(self.holds):
            without = np.setdiff1d(np.arange(len(signals)), owner[held == number])
            start = self._at(hold, signals[without])
            parts.append((without, np.full(len(without), number), start))
        owner, held, theta = (np.concatenate(columns) for columns in zip(*parts, strict=True))
        order = np.argsort(owner, kind="stable")
        return owner[order], held[order], theta[order]

    def held(self, theta: Floats) -> Ints:
        """(n,) number of the hold at which each of `theta` (n, P) is, or `FREE`."""
        found = np.full(len(theta), FREE)
        for number, hold in reversed(list(enumerate(self.holds))):
            found[hold.at(theta)] = number
        return found

    def _at(self, hold: Hold, signals: Floats) -> Floats:
        """The start that suits each signal best among the minima at a hold."""
        start = self.fits.default_start(len(signals))
        there = np.flatnonzero(hold.at(self.atlas.minima.theta))
        if len(there) and len(signals):
            owner, chosen = self.atlas.take(there).choose(signals, 1, np.inf)
            start[owner] = chosen
        return start

    def thorough(self, signals: Floats) -> tuple[FitResult, int]:
        """The lowest minimum of each signal from starts that no atlas knows, and the number of those."""
        likelihood, n = self.fits.likelihood, len(signals)
        default = self.fits.default_start(n)
        starts = [default]
        starts.extend(self.fits.fit(signals, default, hold).theta for hold in all_holds(likelihood))
        rng = np.random.default_rng([0, self.fits.row])
        starts.extend(random_starts(likelihood, self.fits.item, signals, rng) for _ in range(_RESCUE))
        owner = np.tile(np.arange(n), len(starts))
        return _lowest(n, owner, self.fits.fit(signals[owner], np.concatenate(starts))), len(starts)


def fit_basins(basins: Sequence[Basins], signals: Floats) -> tuple[BasinFits, ...]:
    """The lowest minimum of each signal (n, n_bins) on every curve, and the lowest of each of its basins.

    Args:
        basins: of each curve, with the same fitter and the same holds.
        signals: (n, n_bins).
    """
    fitter, n_curves, n = basins[0].fits.fitter, len(basins), len(signals)
    n_held = len(basins[0].holds)
    started = [one.starts(signals) for one in basins]
    # a branch keeps its lowest fit even where another one wins
    branch = [(curve * n + owner) * (1 + n_held) + held + 1 for curve, (owner, held, _) in enumerate(started)]
    ends = fitter.fit(
        FitProblem.joined(
            one.fits.problem(signals[owner], theta, holds=one.holds, held=held, rival=rival)
            for one, (owner, held, theta), rival in zip(basins, started, branch, strict=True)
        )
    )
    held_of = np.concatenate([held for _, held, _ in started])
    case = np.concatenate(branch) // (1 + n_held)
    beyond, more = _other_sides(basins, signals, _lowest(n_curves * n, case, ends))
    case, ends = np.concatenate([case, beyond]), ends.joined(more)
    held_of = np.concatenate([held_of, np.full(len(beyond), FREE)])
    free_end = (held_of == FREE) & (basins[0].held(ends.theta) == FREE)
    interior = _lowest(n_curves * n, case, ends.only(free_end))
    held = [_lowest(n_curves * n, case, ends.only(held_of == number)) for number in range(n_held)]
    best, released = _proven(basins, signals, _lowest(n_curves * n, case, ends))
    # what was lowest with something held, and goes on downhill when released, is a free minimum
    lower = released & (best.nll < interior.nll) & (basins[0].held(best.theta) == FREE)
    interior = interior.put(np.flatnonzero(lower), best.take(np.flatnonzero(lower)))
    starts = np.bincount(case, minlength=n_curves * n) + released
    for curve, one in enumerate(basins):
        lost = curve * n + np.flatnonzero(~best.converged[curve * n : (curve + 1) * n])
        if len(lost):
            found, more = one.thorough(signals[lost - curve * n])
            problem = one.fits.problem(signals[lost - curve * n], found.theta)
            best = best.put(lost, fitter.rescue(problem))
            starts[lost] += more
    rows = [np.arange(curve * n, (curve + 1) * n) for curve in range(n_curves)]
    return tuple(
        BasinFits(best.take(own), interior.take(own), tuple(end.take(own) for end in held), starts[own])
        for own in rows
    )


def _other_sides(basins: Sequence[Basins], signals: Floats, best: FitResult) -> tuple[Ints, FitResult]:
    """Fits from what is seen beyond the minima of all curves, and again beyond what is lower there.

    Returns:
        (case of each fit (k,), fits).
    """
    fits, n = basins[0].fits, len(signals)
    cases, found = [np.empty(0, dtype=np.int64)], [FitResult.nothing(0, best.theta.shape[1])]
    rows = np.flatnonzero(best.converged)
    for _ in range(_LOOKS):
        seen, start = fits.sides.beyond(
            best.theta[rows], signals[rows % n], fits.fitter.data_of(rows // n), _VALLEYS, _DEEP
        )
        if not len(seen):
            break
        case = rows[seen]
        problem = FitProblem.joined(
            one.fits.problem(signals[case[own] % n], start[own], rival=case[own])
            for one, own in ((one, case // n == curve) for curve, one in enumerate(basins))
        )
        ends = fits.fitter.fit(problem, leaders=best)
        cases.append(case)
        found.append(ends)
        after = _lowest(len(best.nll), np.concatenate([np.arange(len(best.nll)), case]), best.joined(ends))
        rows = np.flatnonzero(after.nll < best.nll - 1e-6)
        best = after
    return np.concatenate(cases), reduce(FitResult.joined, found)


def _proven(
    basins: Sequence[Basins], signals: Floats, best: FitResult
) -> tuple[FitResult, NDArray[np.bool_]]:
    """The minima of all curves with the exact proof, and which of them were fitted once more before it."""
    fitter, n = basins[0].fits.fitter, len(signals)
    theta = np.where(np.isfinite(best.nll)[:, None], best.theta, basins[0].fits.likelihood.start)
    problem = FitProblem.joined(
        one.fits.problem(signals, theta[curve * n : (curve + 1) * n]) for curve, one in enumerate(basins)
    )
    proven = fitter.prove(problem)
    again = ~proven.converged
    rows = np.flatnonzero(again)
    if len(rows):
        problem = problem.take(rows)
        found = fitter.rescue(replace(problem, start=fitter.fit(problem).theta))
        proven = proven.put(rows, found)
    return proven, again


def winning_holds(likelihood: Likelihood, atlases: list[Atlas], fraction: float = 0.02) -> tuple[Hold, ...]:
    """The holds at which a noticeable part of the minima lies."""
    theta = np.concatenate([atlas.minima.theta for atlas in atlases])
    return tuple(hold for hold in all_holds(likelihood) if np.mean(hold.at(theta)) >= fraction)


def _lowest(n: int, owner: Ints, ends: FitResult) -> FitResult:
    """Of each signal the converged fit with the lowest NLL; infinite where there is none."""
    value = np.where(ends.converged, ends.nll, np.inf)
    order = np.lexsort((value, owner))
    first = np.searchsorted(owner[order], np.arange(n))
    known = np.bincount(owner, minlength=n) > 0
    if not len(order):
        return FitResult.nothing(n, ends.theta.shape[1])
    lowest = ends.take(order[np.minimum(first, len(order) - 1)])
    good = known & lowest.converged
    return replace(lowest, nll=np.where(good, lowest.nll, np.inf), converged=good)
