"""The right minimum: fits from several starts, one per basin.

Profile likelihoods of real searches are multi-modal. What splits them are free normalisations: at a
bound the model is a different one. So every free normalisation is held at each of its bounds, fitted,
and released. Which of these starts matter is found on a pilot sample; the value of each basin is kept.
What these starts still miss, neighbours find: a signal's optimum is tried at the signals beside it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, fields
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array
from numpy.typing import NDArray
from scipy.spatial import KDTree

from llb_trainer.teachers.histfactory.compile import CompiledModel
from llb_trainer.teachers.histfactory.fit import FitProblem, FitResult, FitSettings, fit_batch
from llb_trainer.teachers.histfactory.rates import Data, Tables, nll

__all__ = ["BasinFits", "Hold", "all_holds", "fit_basins", "fit_from_neighbours", "winning_holds"]

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
        best: the fit with the lowest NLL, signal by signal, taken to a proven minimum.
        interior: the fit from the default start.
        held: per hold, the fit with the normalisation held.
        released: per further start, the fit continued from there with every normalisation free.
    """

    best: FitResult
    interior: FitResult
    held: tuple[FitResult, ...]
    released: tuple[FitResult, ...]


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
        progress: told how many of the `n * (2 + 2 * len(holds))` fits were finished.
    """
    n = len(signal)
    start = np.clip(np.tile(model.init, (n, 1)), model.lower, model.upper)
    fixed = np.tile(model.fixed, (n, 1))

    def fit(start: Floats, fixed: NDArray[np.bool_], *, proof: bool = False) -> FitResult:
        problem = FitProblem(signal, dataset, start, fixed)
        return fit_batch(
            t, model.lower, model.upper, datasets, problem, settings, proof=proof, progress=progress
        )

    interior = fit(start, fixed)
    held: list[FitResult] = []
    released: list[FitResult] = []
    for hold in holds:
        there, held_fixed = interior.theta.copy(), fixed.copy()
        there[:, hold.parameter] = hold.value
        held_fixed[:, hold.parameter] = True
        held.append(fit(there, held_fixed))
        released.append(fit(held[-1].theta, fixed))
    best = fit(_lowest([interior, *released]).theta, fixed, proof=True)
    return BasinFits(best, interior, tuple(held), tuple(released))


def fit_from_neighbours(
    model: CompiledModel,
    t: Tables,
    datasets: Data,
    signal: Floats,
    row: int,
    fits: BasinFits,
    settings: FitSettings,
    neighbours: int = 12,
) -> BasinFits:
    """Fit every signal once more, from the optimum of the neighbour that suits it best.

    Args:
        model, t, datasets, signal, settings: as in `fit_basins`.
        row: the data set of all these fits.
        fits: what is known of them.
        neighbours: how many signals around each are asked for their optimum.

    Returns:
        The same fits with one more released start.
    """
    n = len(signal)
    scaled = signal / np.sqrt(np.asarray(datasets.main[row]) + 1.0)
    nearest = np.asarray(KDTree(scaled).query(scaled, k=min(neighbours, n - 1) + 1)[1])[:, 1:]
    data = Data(datasets.main[row], datasets.auxiliary[row])
    start = np.empty_like(fits.best.theta)
    for first in range(0, n, 256):  # blocks of one size, compiled once
        block = np.minimum(np.arange(first, first + 256), n - 1)
        values = _try_optima(t, data, signal[block], fits.best.theta[nearest[block]])
        choice = np.argmin(np.asarray(values), axis=1)
        start[block] = fits.best.theta[nearest[block, choice]]
    problem = FitProblem(signal, np.full(n, row), start, np.tile(model.fixed, (n, 1)))
    found = fit_batch(t, model.lower, model.upper, datasets, problem, settings, proof=False)
    lower = np.flatnonzero(found.converged & (found.nll < fits.best.nll - settings.near))
    better = FitProblem(signal, problem.dataset, found.theta, problem.fixed).take(lower)
    proven = fit_batch(t, model.lower, model.upper, datasets, better, settings, proof=True)
    return BasinFits(_replaced(fits.best, lower, proven), fits.interior, fits.held, (*fits.released, found))


@jax.jit
def _try_optima(t: Tables, data: Data, signal: Array, thetas: Array) -> Array:
    """NLL of each signal (n, n_bins) at each of its candidate optima (n, k, n_parameters)."""

    def one(signal: Array, candidates: Array) -> Array:
        return jax.vmap(lambda theta: nll(t, theta, signal, data))(candidates)

    values = jax.vmap(one)(signal, thetas)
    return jnp.where(jnp.isfinite(values), values, jnp.inf)


def winning_holds(
    fits: BasinFits, holds: tuple[Hold, ...], tolerance: float = 1e-6, fraction: float = 0.04
) -> tuple[Hold, ...]:
    """The holds that are needed so that few signals miss their lowest NLL.

    Greedy: the hold that mends most is added first; of equals, the one whose held fit lies lowest,
    for it starts nearest to the minimum.

    Args:
        fits: from every one of `holds`.
        holds: the candidates.
        tolerance: a signal misses its minimum if it ends higher by more, in NLL units.
        fraction: of the signals that may miss theirs.
    """
    reached = fits.interior.nll
    height = {hold: float(np.median(fit.nll)) for hold, fit in zip(holds, fits.held, strict=True)}
    released = {hold: fit.nll for hold, fit in zip(holds, fits.released, strict=True)}
    kept: list[Hold] = []

    def missed(values: Floats) -> int:
        return int(np.sum(values > fits.best.nll + tolerance))

    while missed(reached) > fraction * len(reached) and len(kept) < len(holds):
        rest = [hold for hold in holds if hold not in kept]
        best = min(rest, key=lambda hold: (missed(np.minimum(reached, released[hold])), height[hold]))
        kept.append(best)
        reached = np.minimum(reached, released[best])
    return tuple(kept)


def _lowest(ends: list[FitResult]) -> FitResult:
    values = np.stack([np.where(np.isfinite(end.nll), end.nll, np.inf) for end in ends])
    choice, rows = np.argmin(values, axis=0), np.arange(values.shape[1])

    def pick(name: str) -> Any:
        return np.stack([getattr(end, name) for end in ends])[choice, rows]

    return FitResult(**{field.name: pick(field.name) for field in fields(FitResult)})


def _replaced(fits: FitResult, rows: NDArray[np.int64], better: FitResult) -> FitResult:
    """`fits` with those of `better` in these rows, where they converged."""
    good = better.converged

    def put(name: str) -> Any:
        values = getattr(fits, name).copy()
        values[rows[good]] = getattr(better, name)[good]
        return values

    return FitResult(**{field.name: put(field.name) for field in fields(FitResult)})
