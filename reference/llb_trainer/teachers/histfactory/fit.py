"""Batched profile fits with a convergence proof for each: cheap steps first, then exact ones.

Converged fits leave the batch and waiting ones take their place, so that stragglers cost only themselves.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import jax.numpy as jnp
import numpy as np
from numpy.typing import NDArray

from llb_trainer.teachers.histfactory.rates import Data, Tables
from llb_trainer.teachers.histfactory.steps import Box, advance, envelope

__all__ = ["FitProblem", "FitResult", "FitSettings", "fit_batch"]

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class FitSettings:
    """How fits are run and what counts as converged.

    Attributes:
        edm: largest estimated distance to the minimum, in NLL units, of a converged fit, whose projected
            gradient must be as small. The proof is taken before the last Newton step, so the value itself
            is closer by orders of magnitude.
        near: estimated distance at which a fit is close enough to be compared with other starts.
        switch: estimated distance at which Newton steps take over from Gauss-Newton steps.
        gauss_newton: most Gauss-Newton steps before they take over anyway.
        newton: most Newton steps before a fit is given up.
        batch: fits that advance together; a few dozen stay in the processor's cache and waste little
            on stragglers.
    """

    edm: float = 1e-9
    near: float = 1e-7
    switch: float = 1e-3
    gauss_newton: int = 15
    newton: int = 25
    batch: int = 32


@dataclass(frozen=True)
class FitProblem:
    """Fits to be done.

    Attributes:
        signal: (n_fits, n_bins) signal yields.
        dataset: (n_fits,) row of the data tables.
        start: (n_fits, n_parameters) starting points, inside the bounds.
        fixed: (n_fits, n_parameters) parameters held at their start.
    """

    signal: Floats
    dataset: NDArray[np.int64]
    start: Floats
    fixed: NDArray[np.bool_]

    def __len__(self) -> int:
        return len(self.signal)

    def take(self, rows: NDArray[np.int64]) -> FitProblem:
        """Only these rows."""
        return FitProblem(self.signal[rows], self.dataset[rows], self.start[rows], self.fixed[rows])


@dataclass(frozen=True)
class FitResult:
    """What came of the fits, one entry per fit.

    Attributes:
        theta: (n_fits, n_parameters) optimum.
        nll: (n_fits,) value there.
        gradient: (n_fits, n_bins) envelope gradient d NLL / d signal.
        edm: (n_fits,) estimated distance to the minimum in NLL units; infinite if the Hessian on the
            free parameters is not positive definite.
        projected_gradient: (n_fits,) largest component that the bounds do not hold, in units of the
            square root of the parameter's own curvature.
        converged: (n_fits,) whether the proof holds.
        steps: (n_fits,) steps taken.
    """

    theta: Floats
    nll: Floats
    gradient: Floats
    edm: Floats
    projected_gradient: Floats
    converged: NDArray[np.bool_]
    steps: NDArray[np.int64]


def fit_batch(
    t: Tables,
    lower: Floats,
    upper: Floats,
    datasets: Data,
    problem: FitProblem,
    settings: FitSettings,
    *,
    proof: bool,
    progress: Callable[[int], None] | None = None,
) -> FitResult:
    """Minimise the NLL of every fit of `problem` over its parameters, from one start each.

    Args:
        t: the model.
        lower, upper: (n_parameters,) bounds.
        datasets: stacked data sets, `main` (n_sets, n_bins), `auxiliary` (n_sets, n_parameters).
        problem: what to fit.
        settings: steps and tolerances.
        proof: whether to go on to a proven minimum (`settings.edm`), from starts that are near one;
            otherwise to come near one (`settings.near`), which is all that comparing starts takes.
        progress: called with the number of fits finished since the last call.
    """
    run = _Run(t, Box(jnp.asarray(lower), jnp.asarray(upper)), datasets, problem, settings)
    everything = np.arange(len(problem))
    if proof:
        run.drain(everything, settings.edm, gauss_newton=False, most=settings.newton, progress=progress)
        return run.result(settings.edm)
    run.drain(everything, settings.switch, gauss_newton=True, most=settings.gauss_newton)
    rest = np.flatnonzero(~run.near(everything, settings.near))
    run.damping[rest] = 0.0
    run.drain(rest, settings.near, gauss_newton=False, most=settings.gauss_newton + settings.newton)
    if progress:
        progress(len(problem))
    return run.result(settings.near)


class _Run:
    """The fits under way, as arrays on the host, and the batches that advance them."""

    def __init__(
        self, t: Tables, box: Box, datasets: Data, problem: FitProblem, settings: FitSettings
    ) -> None:
        self.t, self.box, self.datasets, self.problem, self.settings = t, box, datasets, problem, settings
        n = len(problem)
        self.size = settings.batch
        self.theta, self.value, self.damping = problem.start.copy(), np.full(n, np.inf), np.zeros(n)
        self.edm, self.projected = np.full(n, np.inf), np.full(n, np.inf)
        self.steps = np.zeros(n, dtype=np.int64)

    def near(self, rows: NDArray[np.int64], edm: float) -> NDArray[np.bool_]:
        """Whether these fits are closer to their minimum than `edm`, by distance and by gradient."""
        return (self.edm[rows] < edm) & (self.projected[rows] < 10 * np.sqrt(2 * edm))

    def drain(
        self,
        rows: NDArray[np.int64],
        edm: float,
        *,
        gauss_newton: bool,
        most: int,
        progress: Callable[[int], None] | None = None,
    ) -> None:
        """Advance these fits until each is this close to its minimum or has had `most` steps in all."""
        waiting, active = rows, rows[:0]
        while len(waiting) or len(active):
            room = self.size - len(active)
            active, waiting = np.concatenate([active, waiting[:room]]), waiting[room:]
            self.advance(active, gauss_newton, 3 if gauss_newton else 1)
            stay = ~self.near(active, edm) & (self.steps[active] < most)
            if progress:
                progress(int(np.sum(~stay)))
            active = active[stay]

    def advance(self, rows: NDArray[np.int64], gauss_newton: bool, steps: int) -> None:
        """Advance these fits together; the batch is padded, so that it is compiled once."""
        padded = np.concatenate([rows, np.repeat(rows[-1:], self.size - len(rows))])
        out = advance(
            self.t, self.box, self.datasets, self.theta[padded], self.damping[padded],
            self.problem.signal[padded], self.problem.dataset[padded], self.problem.fixed[padded],
            gauss_newton, steps,
        )  # fmt: skip
        own = (self.theta, self.value, self.damping, self.edm, self.projected)
        for target, new in zip(own, out, strict=True):
            target[rows] = np.asarray(new)[: len(rows)]
        self.steps[rows] += steps

    def result(self, edm: float) -> FitResult:
        """The fits as they stand; converged are those closer to their minimum than `edm`."""
        gradient = np.zeros_like(self.problem.signal)
        for first in range(0, len(self.problem), self.size):
            rows = np.arange(first, min(first + self.size, len(self.problem)))
            padded = np.concatenate([rows, np.repeat(rows[-1:], self.size - len(rows))])
            gradient[rows] = envelope(
                self.t,
                self.datasets,
                self.theta[padded],
                self.problem.signal[padded],
                self.problem.dataset[padded],
            )[: len(rows)]
        proven = self.near(np.arange(len(self.problem)), edm)
        return FitResult(
            self.theta,
            self.value,
            gradient,
            self.edm,
            self.projected,
            proven & np.isfinite(self.value),
            self.steps,
        )
