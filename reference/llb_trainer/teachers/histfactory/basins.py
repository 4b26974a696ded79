"""The right minimum of each signal: fits from the atlases, the lowest of them proven.

Fits of all curves run together, so that none waits for the last of another. Where nothing that an atlas
offers ends in a proven minimum, the signal is searched thoroughly on its own.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

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
_LOOKS, _VALLEYS, _DEEP = 4, 8, 0.5
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
        each, default = np.arange(n), self.fits.default_start(n)
        held, bound = self.fits.from_bounds(signals, default)
        rng = np.random.default_rng([0, self.fits.row])
        random = [random_starts(likelihood, self.fits.item, signals, rng) for _ in range(_RESCUE)]
        owner = np.concatenate([each, held, np.tile(each, _RESCUE)])
        start = np.concatenate([default, bound, *random])
        return _lowest(n, owner, self.fits.fit(signals[owner], start)), len(owner) // n


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
    branch_of, more = _other_sides(basins, signals, np.concatenate(branch), ends)
    ends = ends.joined(more)
    case, held_of = branch_of // (1 + n_held), branch_of % (1 + n_held) - 1
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


def _other_sides(
    basins: Sequence[Basins], signals: Floats, branch: Ints, ends: FitResult
) -> tuple[Ints, FitResult]:
    """Fits from what is seen beyond the minima of all curves, and again beyond what is lower there.

    Args:
        basins, signals: as for `fit_basins`.
        branch: (k,) branch in which each fit was made.
        ends: of these fits.

    Returns:
        (branch of the given fits and of the new ones, the new ones).
    """
    fits, n, n_branches = basins[0].fits, len(signals), 1 + len(basins[0].holds)
    every = np.arange(len(basins) * n * n_branches)
    curve, signal = every // (n * n_branches), every // n_branches % n
    best, made = _lowest(len(every), branch, ends), ends.take(every[:0])
    before = np.full(len(every), np.inf)
    for _ in range(_LOOKS):
        # a branch that is far from winning at its signal is not worth it
        lowest = np.repeat(best.nll.reshape(-1, n_branches).min(axis=1), n_branches)
        rows = np.flatnonzero((best.nll < before - 1e-6) & (best.nll < lowest + _DEEP))
        seen, start, left = fits.sides.beyond(
            best.theta[rows], signals[signal[rows]], fits.fitter.data.take(curve[rows]), _VALLEYS, _DEEP
        )
        if not len(seen):
            break
        # what leaves its bound is free
        rival = np.where(left, rows[seen] // n_branches * n_branches, rows[seen])
        found = fits.fitter.fit(
            FitProblem.joined(
                one.fits.problem(
                    signals[signal[rival[own]]],
                    start[own],
                    holds=one.holds,
                    held=rival[own] % n_branches - 1,
                    rival=rival[own],
                )
                for one, own in ((one, curve[rival] == number) for number, one in enumerate(basins))
            ),
            leaders=best,
        )
        branch, made = np.concatenate([branch, rival]), made.joined(found)
        before, best = best.nll, _lowest(len(every), np.concatenate([every, rival]), best.joined(found))
    return branch, made


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
    """The holds at which the lowest minimum of a noticeable part of the pilots lies."""
    theta = np.concatenate([atlas.lowest().theta for atlas in atlases])
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
