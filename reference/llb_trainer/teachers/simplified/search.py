"""The right minimum: one start where the model is convex, several where it is not.

With linear rates the negative log likelihood is strictly convex on a convex set: a proven minimum is the
global one. A third moment bends the rate of its bin, which then turns round at its *fold* `theta = -b / 2c`:
the same rate is reached on both sides of it. The far side costs at least half the squared distance of the
fold from the auxiliary measurement, whatever the other parameters do, so folds further away than the value
that was reached allows hold no lower minimum. Beyond the others one looks.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from llb_trainer.teachers.simplified.fit import FitResult, FitSettings, fit
from llb_trainer.teachers.simplified.model import DataSet, Model

__all__ = ["Search", "draws"]

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

_DRAWS = 4
"""Random starts of a label, where the model is not convex."""
_FOLDS, _ROUNDS = 8, 3
"""Folds beyond which one looks from the lowest minimum, the nearest ones, and how often while that helps."""
_HIGHER = 1e-9
"""A minimum that is lower by less than this, in NLL units, is the same one."""


def draws(model: Model, item: DataSet, count: int, seed: int) -> Floats:
    """(count, n_bins) parameters from the Gaussian constraint of a data set."""
    normal = np.random.default_rng(seed).standard_normal((count, len(item.main)))
    return item.auxiliary + normal @ model.factor.T


@dataclass(frozen=True, eq=False)
class Search:
    """Looks for the lowest minimum of one data set.

    Attributes:
        model: the model.
        item: the data set.
        settings: of the fits.
    """

    model: Model
    item: DataSet
    settings: FitSettings

    def lowest(self, signal: Floats) -> tuple[FitResult, Ints]:
        """The lowest minimum of each signal (n, n_bins), and the number of fits (n,) compared to find it."""
        best = self.fit(signal, self.linearised(signal))
        fits = np.ones(len(signal), dtype=np.int64)
        if not self.model.bends:
            return best, fits
        # the same for every signal, so that a label does not depend on its neighbours
        best = self.among(signal, draws(self.model, self.item, _DRAWS, 0), best)
        return self.unfolded(signal, best, fits + _DRAWS)

    def fit(self, signal: Floats, start: Floats) -> FitResult:
        """A fit for each signal and start, both (n, n_bins)."""
        return fit(self.model, self.item, signal, start, self.settings)

    def linearised(self, signal: Floats) -> Floats:
        """(n, n_bins) minimum for each signal if counts were normally distributed, and rates linear."""
        model, item = self.model, self.item
        expected = model.constant + (model.linear + model.quadratic * item.auxiliary) * item.auxiliary
        slope = model.linear + 2.0 * model.quadratic * item.auxiliary
        response = slope[:, None] * (model.factor @ model.factor.T)
        total = response * slope + np.diag(np.maximum(item.main, 1.0))
        return item.auxiliary + (item.main - expected - signal) @ np.linalg.solve(total, response)

    def among(self, signal: Floats, starts: Floats, best: FitResult) -> FitResult:
        """The lower of what is known and what each of these starts (k, n_bins) leads to, of every signal."""
        n = len(signal)
        many = np.repeat(signal, len(starts), axis=0)
        return _lowest(best.joined(self.fit(many, np.tile(starts, (n, 1)))), _owners(n, len(starts)), n)

    def unfolded(self, signal: Floats, best: FitResult, fits: Ints) -> tuple[FitResult, Ints]:
        """The same, looking beyond one fold at a time for as long as that leads lower."""
        rows, n = np.arange(len(signal)), len(signal)
        for _ in range(_ROUNDS):
            owner, column = self._folds(best.take(rows))
            owner = rows[owner]
            if not len(owner):
                break
            start = best.theta[owner].copy()
            place = np.arange(len(owner)), column
            start[place] = 2.0 * self.model.fold[column] - start[place]
            found = _lowest(
                best.joined(self.fit(signal[owner], start)), np.concatenate([np.arange(n), owner]), n
            )
            fits = fits + np.bincount(owner, minlength=n)
            lower = ~(found.nll > best.nll - _HIGHER) | (found.converged & ~best.converged)
            best, rows = found, np.flatnonzero(lower)
        return best, fits

    def _folds(self, best: FitResult) -> tuple[Ints, Ints]:
        """Which fits, and which of their folds, might hide a lower minimum."""
        cost = 0.5 * (self.model.fold - self.item.auxiliary) ** 2
        near = np.argsort(cost, kind="stable")[:_FOLDS]
        owner, which = np.nonzero(cost[near] < (best.nll - self.item.constant)[:, None])
        return owner, near[which]


def _owners(n: int, each: int) -> Ints:
    """Whose fit it is: first one for each of `n` signals, then `each` for each of them."""
    return np.concatenate([np.arange(n), np.repeat(np.arange(n), each)])


def _lowest(fits: FitResult, owner: Ints, n: int) -> FitResult:
    """The lowest converged fit of each of the `n` owners, or any where none has converged."""
    height = np.where(fits.converged, fits.nll, np.inf)
    order = np.lexsort((np.arange(len(owner)), height, owner))
    return fits.take(order[np.searchsorted(owner[order], np.arange(n))])
