"""Fits on one curve: of many signals, from many starts, free or with a normalisation held at a bound."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from llb_trainer.teachers.histfactory.datasets import DataSet
from llb_trainer.teachers.histfactory.fit import FitSettings, Fitter
from llb_trainer.teachers.histfactory.likelihood import Likelihood
from llb_trainer.teachers.histfactory.problem import FitProblem, FitResult
from llb_trainer.teachers.histfactory.sides import Sides

__all__ = ["FREE", "CurveFits", "Hold", "all_holds", "curve_fits"]

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Flags = NDArray[np.bool_]

FREE = -1
"""In place of the number of a hold: nothing is held."""


@dataclass(frozen=True)
class Hold:
    """A free normalisation at one of its bounds.

    Attributes:
        parameter: index among the moving parameters.
        value: the bound.
    """

    parameter: int
    value: float

    def at(self, theta: Floats) -> Flags:
        """Which of the parameters (n, P) are there."""
        return theta[:, self.parameter] == self.value


def all_holds(likelihood: Likelihood) -> tuple[Hold, ...]:
    """Every free normalisation at each finite bound."""
    free = likelihood.model.constraints.kind[likelihood.order.parameters] == 0
    return tuple(
        Hold(int(i), float(bound[i]))
        for i in np.flatnonzero(free)
        for bound in (likelihood.lower, likelihood.upper)
        if np.isfinite(bound[i])
    )


@dataclass(frozen=True)
class CurveFits:
    """The fits of one curve.

    Attributes:
        likelihood: the model.
        fitter: its fits.
        row: the curve's data set among those of the fitter.
        item: that data set.
        sides: looks from its minima.
    """

    likelihood: Likelihood
    fitter: Fitter
    row: int
    item: DataSet
    sides: Sides

    def default_start(self, n: int) -> Floats:
        """(n, P) the measurement's own start, for each of `n` fits."""
        return np.tile(self.likelihood.start, (n, 1))

    def problem(
        self,
        signals: Floats,
        start: Floats,
        *,
        holds: tuple[Hold, ...] = (),
        held: Ints | int = FREE,
        rival: Ints | None = None,
    ) -> FitProblem:
        """Fits to be done.

        Args:
            signals: (n, n_bins).
            start: (n, P), moved inside the bounds and to what is held.
            holds: what may be held.
            held: (n,) number of the hold of each fit, or `FREE`.
            rival: (n,) see `FitProblem`.
        """
        # near zero the logarithm of a Poisson term bends so sharply that steps only double its parameter
        terms, own = self.likelihood.model.constraints, self.likelihood.order.parameters
        tenth = 0.1 * self.item.auxiliary[own] / terms.factor[own]
        least = np.where(terms.kind[own] == 2, tenth, self.likelihood.lower)
        start = np.clip(start, np.maximum(least, self.likelihood.lower), self.likelihood.upper)
        fixed = np.zeros(start.shape, dtype=bool)
        for number, hold in enumerate(holds):
            rows = np.flatnonzero(np.broadcast_to(np.asarray(held) == number, len(start)))
            start[rows, hold.parameter] = hold.value
            fixed[rows, hold.parameter] = True
        return FitProblem(signals, np.full(len(signals), self.row), start, fixed, rival)

    def fit(self, signals: Floats, start: Floats) -> FitResult:
        """Fits (n, n_bins) from starts (n, P)."""
        return self.fitter.fit(self.problem(signals, start))

    def held(self, signals: Floats, start: Floats, holds: tuple[Hold, ...], held: Ints | int) -> Floats:
        """(n, P) starts whose other parameters have followed something that is held; as for `problem`."""
        return self.fitter.approach(self.problem(signals, start, holds=holds, held=held))

    def from_bounds(self, signals: Floats, start: Floats) -> tuple[Ints, Floats]:
        """Row of the signal (k,) and start (k, P), from each free normalisation at each bound."""
        holds = all_holds(self.likelihood)
        owner = np.repeat(np.arange(len(signals)), len(holds))
        number = np.tile(np.arange(len(holds)), len(signals))
        return owner, self.held(signals[owner], start[owner], holds, number)


def curve_fits(
    likelihood: Likelihood, sets: Sequence[DataSet], settings: FitSettings
) -> tuple[CurveFits, ...]:
    """The fits of each data set; they share a fitter, so that they can run together, and looks."""
    fitter = Fitter(
        likelihood.device_tables, likelihood.lower, likelihood.upper, likelihood.data(list(sets)), settings
    )
    sides = Sides(likelihood)
    return tuple(CurveFits(likelihood, fitter, row, item, sides) for row, item in enumerate(sets))
