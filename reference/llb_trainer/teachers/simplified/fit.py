"""Batched profile fits with a convergence proof for each.

Fits that have arrived leave, so that stragglers cost only themselves.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Self

import numpy as np
from numpy.typing import NDArray

from llb_trainer.teachers.simplified.model import DataSet, Model, interval, rates
from llb_trainer.teachers.simplified.steps import Problem, newton

__all__ = ["FitResult", "FitSettings", "fit"]

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Flags = NDArray[np.bool_]

_WORTHWHILE = 0.05
"""Part of the observed events that a start expects at least."""


_ROUNDING = 1e-9


@dataclass(frozen=True)
class FitSettings:
    """How fits are run and what counts as converged.

    Attributes:
        edm: largest estimated distance to the minimum, in NLL units, of a proven fit, whose projected
            gradient must be as small.
        steps: most Newton steps.
        batch: fits that advance together.
    """

    edm: float = 1e-9
    steps: int = 200
    batch: int = 64


@dataclass(frozen=True, eq=False)
class FitResult:
    """What came of the fits, one entry per fit.

    Attributes:
        theta: (n, n_bins) optimum.
        nll: (n,) value there.
        edm: (n,) estimated distance to the minimum in NLL units, one step before the optimum; infinite if the
            Hessian on the free parameters is not positive definite.
        projected_gradient: (n,) largest component there that no bound holds, in units of the square root of
            the parameter's own curvature.
        converged: (n,) whether both are small enough.
    """

    theta: Floats
    nll: Floats
    edm: Floats
    projected_gradient: Floats
    converged: Flags

    def take(self, rows: Ints) -> Self:
        """Only these."""
        return type(self)(**{f.name: getattr(self, f.name)[rows] for f in fields(self)})

    def joined(self, more: FitResult) -> Self:
        """These, and then those."""
        columns = {f.name: (getattr(self, f.name), getattr(more, f.name)) for f in fields(self)}
        return type(self)(**{name: np.concatenate(parts) for name, parts in columns.items()})


def fit(model: Model, item: DataSet, signal: Floats, start: Floats, settings: FitSettings) -> FitResult:
    """Bring every fit to the minimum of its side.

    Args:
        model: the model.
        item: the data set of all fits.
        signal: (n, n_bins) yields.
        start: (n, n_bins) parameters to start from; moved to where they are possible. A rate that is negative
            in between is fitted on the side of its start.
        settings: steps and tolerances.
    """
    box = interval(model, start, signal)
    theta = _possible(model, item, signal, start, box.lower, box.upper)
    n, size = len(theta), min(settings.batch, 1 << max(0, len(theta) - 1).bit_length())
    value, edm, projected = (np.full(n, np.inf) for _ in range(3))
    damping, rows = np.zeros(n), np.arange(n)
    for _ in range(settings.steps):
        for first in range(0, len(rows), size):
            batch = rows[first : first + size]
            # one compiled shape: the last batch is filled up with its first fit
            full = np.concatenate([batch, np.repeat(batch[:1], size - len(batch))])
            given = (signal[full], box.lower[full], box.upper[full], item.main, item.auxiliary)
            step = newton(model, Problem(*given), theta[full], damping[full])  # pyright: ignore[reportArgumentType]
            columns = (theta, value, damping, edm, projected)
            for column, part in zip(columns, step, strict=True):
                column[batch] = np.asarray(part)[: len(batch)]
        arrived = (edm[rows] < settings.edm) & (projected[rows] < 10.0 * np.sqrt(2.0 * settings.edm))
        rows = rows[~arrived]
        if not len(rows):
            break
    # a signal can be so negative that no rate is left: the interval is then a point, and no minimum
    left = np.all(rates(model, theta, signal) >= -_ROUNDING * (item.main + np.abs(signal) + 1.0), axis=1)
    converged = np.isfinite(value) & left
    converged[rows] = False
    return FitResult(theta, value + item.constant, edm, projected, converged)


def _possible(
    model: Model, item: DataSet, signal: Floats, start: Floats, lower: Floats, upper: Floats
) -> Floats:
    """The starts, moved to where what was observed is possible."""
    inside = np.clip(start, lower, upper)
    # the rate that a start should have, as a signal that is less by so much
    wanted = interval(model, inside, signal - np.where(item.main > 0, _WORTHWHILE * item.main, 0.0))
    # where it is never reached, the fold is best
    low, high = np.minimum(wanted.lower, upper), np.maximum(wanted.upper, lower)
    return np.clip(inside, low, np.maximum(low, high))
