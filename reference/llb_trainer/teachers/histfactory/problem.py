"""Fits to be done, and what came of them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, fields, replace
from typing import Self

import numpy as np
from numpy.typing import NDArray

__all__ = ["FitProblem", "FitResult"]

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Flags = NDArray[np.bool_]


@dataclass(frozen=True)
class FitProblem:
    """Fits to be done, over the moving parameters.

    Attributes:
        signal: (n, n_bins) signal yields.
        dataset: (n,) row of the data sets.
        start: (n, P) starting points, inside the bounds.
        fixed: (n, P) parameters held at their start.
        rival: (n,) fits with the same number compete for the lowest minimum: one that cannot win any more is
            given up. Every fit is brought to its end if there is none.
    """

    signal: Floats
    dataset: Ints
    start: Floats
    fixed: Flags
    rival: Ints | None = None

    def __len__(self) -> int:
        return len(self.signal)

    @classmethod
    def joined(cls, problems: Iterable[FitProblem]) -> FitProblem:
        """All of these, in their order; they compete if they all say with whom."""
        parts = list(problems)
        signal, dataset, start, fixed = (
            np.concatenate([getattr(part, name) for part in parts])
            for name in ("signal", "dataset", "start", "fixed")
        )
        rivals = [part.rival for part in parts if part.rival is not None]
        rival = np.concatenate(rivals) if len(rivals) == len(parts) else None
        return cls(signal, dataset, start, fixed, rival)

    def take(self, rows: Ints) -> FitProblem:
        """Only these."""
        rival = None if self.rival is None else self.rival[rows]
        return FitProblem(self.signal[rows], self.dataset[rows], self.start[rows], self.fixed[rows], rival)


@dataclass(frozen=True)
class FitResult:
    """What came of the fits, one entry per fit.

    Attributes:
        theta: (n, P) optimum.
        nll: (n,) value there.
        edm: (n,) estimated distance to the minimum in NLL units; infinite if the Hessian on the free
            parameters is not positive definite.
        projected_gradient: (n,) largest component that no bound holds, in units of the square root of the
            parameter's own curvature.
        converged: (n,) whether both are small enough.
    """

    theta: Floats
    nll: Floats
    edm: Floats
    projected_gradient: Floats
    converged: Flags

    @classmethod
    def nothing(cls, n: int, n_moving: int) -> Self:
        """In place of `n` fits that found nothing."""
        far = np.full(n, np.inf)
        return cls(np.zeros((n, n_moving)), far, far.copy(), far.copy(), np.zeros(n, dtype=bool))

    def take(self, rows: Ints) -> Self:
        """Only these."""
        return type(self)(**{f.name: getattr(self, f.name)[rows] for f in fields(self)})

    def put(self, rows: Ints, better: FitResult) -> Self:
        """The same with those of `better` in these rows."""
        columns = {f.name: getattr(self, f.name).copy() for f in fields(self)}
        for name, values in columns.items():
            values[rows] = getattr(better, name)
        return type(self)(**columns)

    def joined(self, more: FitResult) -> Self:
        """These, and then those."""
        columns = {f.name: (getattr(self, f.name), getattr(more, f.name)) for f in fields(self)}
        return type(self)(**{name: np.concatenate(parts) for name, parts in columns.items()})

    def only(self, mask: Flags) -> Self:
        """The same, as if the others had not converged."""
        return replace(self, converged=self.converged & mask)
