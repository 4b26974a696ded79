"""The right minimum: fits from several starts, one per basin.

Profile likelihoods of real searches are multi-modal. What splits them are free normalisations: at a
bound the model is a different one. So every free normalisation is held at each of its bounds, fitted,
and released. Which of these starts matter is found on a pilot sample; the value of each basin is kept.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from llb_trainer.teachers.histfactory.compile import CompiledModel
from llb_trainer.teachers.histfactory.fit import FitProblem, FitResult, FitSettings, fit_batch
from llb_trainer.teachers.histfactory.rates import Data, Tables

__all__ = ["BasinFits", "Hold", "all_holds", "fit_basins", "winning_holds"]

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Hold:
    """A free normalisation held at one of its bounds."""

    parameter: int
    value: float


@dataclass(frozen=True)
class BasinFits:
    """Fits of the same signals from every start.

    Attributes:
        best: the fit with the lowest NLL, signal by signal.
        interior: the fit from the default start.
        held: per hold, the fit with the normalisation held.
        released: per hold, the fit continued from there with the normalisation free.
        converged: (n,) whether every fit with all normalisations free converged.
    """

    best: FitResult
    interior: FitResult
    held: tuple[FitResult, ...]
    released: tuple[FitResult, ...]
    converged: NDArray[np.bool_]


def all_holds(model: CompiledModel) -> tuple[Hold, ...]:
    """Every free normalisation at each finite bound."""
    return tuple(
        Hold(i, float(bound))
        for i in model.free_norms
        for bound in (model.lower[i], model.upper[i])
        if np.isfinite(bound)
    )


def fit_basins(
    model: CompiledModel,
    t: Tables,
    datasets: Data,
    signal: Floats,
    dataset: NDArray[np.int64],
    holds: tuple[Hold, ...],
    settings: FitSettings,
    progress: Callable[[int], None] | None = None,
) -> BasinFits:
    """Fit from the default start and from every hold.

    Args:
        model: the compiled model.
        t: its tables.
        datasets: stacked data sets.
        signal: (n, n_bins).
        dataset: (n,) row of `datasets` of each fit.
        holds: normalisations to hold and release.
        settings: of the fits.
        progress: told how many of the `n * (1 + 2 * len(holds))` fits were finished.
    """
    n = len(signal)
    start = np.clip(np.tile(model.init, (n, 1)), model.lower, model.upper)
    fixed = np.tile(model.fixed, (n, 1))

    def fit(start: Floats, fixed: NDArray[np.bool_]) -> FitResult:
        problem = FitProblem(signal, dataset, start, fixed)
        return fit_batch(t, model.lower, model.upper, datasets, problem, settings, progress)

    interior = fit(start, fixed)
    held: list[FitResult] = []
    released: list[FitResult] = []
    for hold in holds:
        there, held_fixed = interior.theta.copy(), fixed.copy()
        there[:, hold.parameter] = hold.value
        held_fixed[:, hold.parameter] = True
        held.append(fit(there, held_fixed))
        released.append(fit(held[-1].theta, fixed))
    ends = [interior, *released]
    converged = np.logical_and.reduce([end.converged for end in ends])
    return BasinFits(_lowest(ends), interior, tuple(held), tuple(released), converged)


def winning_holds(fits: BasinFits, holds: tuple[Hold, ...], tolerance: float = 1e-7) -> tuple[Hold, ...]:
    """The holds without which some signal's lowest NLL would be missed by more than `tolerance`.

    Greedy: holds are dropped one by one, the least needed first.
    """
    values = {None: fits.interior.nll} | dict(
        zip(holds, (fit.nll for fit in fits.released), strict=True)
    )
    kept = list(holds)

    def loss(without: Hold) -> float:
        rest = [values[None], *(values[hold] for hold in kept if hold != without)]
        return float(np.max(np.min(rest, axis=0) - fits.best.nll, initial=0.0))

    while kept:
        least = min(kept, key=loss)
        if loss(least) > tolerance:
            break
        kept.remove(least)
    return tuple(kept)


def _lowest(ends: list[FitResult]) -> FitResult:
    values = np.stack([np.where(end.converged, end.nll, np.inf) for end in ends])
    choice, rows = np.argmin(values, axis=0), np.arange(values.shape[1])

    def pick(name: str) -> NDArray[np.generic]:
        return np.stack([getattr(end, name) for end in ends])[choice, rows]

    return FitResult(**{name: pick(name) for name in FitResult.__dataclass_fields__})
