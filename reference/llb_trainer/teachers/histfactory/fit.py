"""Batched, bounded profile fits with a convergence proof for each.

Two kinds of step share one loop: Gauss-Newton steps with the linear algebra in the space of the bins
(cheap, always downhill), then Newton steps with the exact Hessian (quadratic convergence, and the
proof: positive definite on the free parameters, estimated distance to the minimum). Bounds are kept by
an active set, descent by Levenberg-Marquardt damping.

Literature: J. Nocedal and S. Wright, Numerical Optimization (2006), chapters 10, 16, 18; D. Bertsekas,
SIAM J. Control Optim. 20 (1982) 221 (projected Newton); F. James, MINUIT (estimated distance to minimum).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array
from numpy.typing import NDArray

from llb_trainer.teachers.histfactory.rates import (
    Data,
    Tables,
    constraint_slopes,
    expectation,
    hessian,
    nll,
    signal_scale,
)

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


class _State(NamedTuple):
    """One fit on its way."""

    theta: Array
    value: Array
    damping: Array


class _Proof(NamedTuple):
    """What a step learns about the point it starts from; a proof only if a Newton step says it."""

    edm: Array
    projected: Array


class _Box(NamedTuple):
    lower: Array
    upper: Array


def _free(theta: Array, slope: Array, box: _Box, fixed: Array) -> Array:
    """Parameters that may move: not fixed, and not pressed against a bound."""
    pressed = ((theta <= box.lower) & (slope > 0)) | ((theta >= box.upper) & (slope < 0))
    return ~fixed & ~pressed


def _accept(
    t: Tables, state: _State, step: Array, model_gain: Array, signal: Array, data: Data, box: _Box
) -> _State:
    """Take the step if it lowers the NLL enough, else stay and damp more."""
    moved = jnp.clip(state.theta + step, box.lower, box.upper)
    value = nll(t, moved, signal, data)
    noise = 1e-13 * (1.0 + jnp.abs(state.value))
    better = jnp.isfinite(value) & (value <= state.value - 1e-4 * model_gain + noise)
    return _State(
        jnp.where(better, moved, state.theta),
        jnp.where(better, value, state.value),
        jnp.where(better, jnp.where(state.damping < 1e-6, 0.0, 0.1 * state.damping), _more(state.damping)),
    )


def _more(damping: Array) -> Array:
    return jnp.minimum(jnp.maximum(8.0 * damping, 1e-3), 1e12)


def _gauss_newton(
    t: Tables, box: _Box, state: _State, signal: Array, data: Data, fixed: Array
) -> tuple[_State, _Proof]:
    """A damped Gauss-Newton step; the matrix to solve has one row per bin (Woodbury)."""
    found = expectation(t, state.theta, signal)
    slope_c, curvature = constraint_slopes(t, state.theta, data.auxiliary)
    slope = found.jacobian.T @ (1.0 - data.main / found.events) + slope_c
    free = _free(state.theta, slope, box, fixed)
    scaled = jnp.sqrt(data.main)[:, None] / found.events[:, None] * jnp.where(free, found.jacobian, 0.0)
    own = jnp.sum(scaled**2, axis=0)
    # a free normalisation has no constraint: a touch of its own curvature keeps the diagonal regular
    diagonal = curvature + jnp.where(curvature > 0, 0.0, 1e-6 * own + 1e-12)
    diagonal = diagonal + state.damping * (diagonal + own)
    down = jnp.where(free, -slope, 0.0)
    inner = jnp.eye(scaled.shape[0]) + (scaled / diagonal) @ scaled.T
    correction = jax.scipy.linalg.cho_solve((jnp.linalg.cholesky(inner), True), scaled @ (down / diagonal))
    step = (down - scaled.T @ correction) / diagonal
    gain = 0.5 * down @ step
    distance = jnp.where(state.damping == 0.0, gain, jnp.inf)
    largest = jnp.max(jnp.abs(down) / jnp.sqrt(diagonal + own))
    return _accept(t, state, step, gain, signal, data, box), _Proof(distance, largest)


def _newton(
    t: Tables, box: _Box, state: _State, signal: Array, data: Data, fixed: Array
) -> tuple[_State, _Proof]:
    """A damped Newton step on the free parameters, and the proof for the point it started from."""
    found = expectation(t, state.theta, signal)
    slope_c, curvature = constraint_slopes(t, state.theta, data.auxiliary)
    slope = found.jacobian.T @ (1.0 - data.main / found.events) + slope_c
    free = _free(state.theta, slope, box, fixed)
    full = hessian(t, found, data, curvature)
    own = jnp.where(free, jnp.maximum(jnp.abs(jnp.diag(full)), 1e-12), 1.0)
    scale = 1.0 / jnp.sqrt(own)
    both = free[:, None] & free[None, :]
    unit = jnp.where(both, full * scale[:, None] * scale[None, :], jnp.eye(len(scale)))
    down = jnp.where(free, -slope * scale, 0.0)
    factor = jnp.linalg.cholesky(unit + state.damping * jnp.eye(len(scale)))
    solved = jax.scipy.linalg.cho_solve((factor, True), down)
    definite = jnp.all(jnp.isfinite(factor))
    step = jnp.where(definite, solved * scale, 0.0)
    gain = 0.5 * down @ solved
    undamped = definite & (state.damping == 0.0)
    proof = _Proof(jnp.where(undamped, gain, jnp.inf), jnp.max(jnp.abs(down)))
    moved = _accept(t, state, step, gain, signal, data, box)
    # an indefinite matrix cannot be stepped on: damp until it is definite
    return moved._replace(damping=jnp.where(definite, moved.damping, _more(state.damping))), proof


@partial(jax.jit, static_argnames=("gauss_newton", "steps"))
def _advance(
    t: Tables,
    box: _Box,
    datasets: Data,
    theta: Array,
    damping: Array,
    signal: Array,
    dataset: Array,
    fixed: Array,
    gauss_newton: bool,
    steps: int,
) -> tuple[Array, Array, Array, Array, Array]:
    """Advance a batch by some steps; returns theta, NLL, damping, EDM, projected gradient."""

    def one(theta: Array, damping: Array, signal: Array, row: Array, fixed: Array) -> tuple[Array, ...]:
        data = Data(datasets.main[row], datasets.auxiliary[row])
        state = _State(theta, nll(t, theta, signal, data), damping)
        proof = _Proof(jnp.asarray(jnp.inf), jnp.asarray(jnp.inf))
        step = _gauss_newton if gauss_newton else _newton
        state, proof = jax.lax.fori_loop(
            0, steps, lambda _, s: step(t, box, s[0], signal, data, fixed), (state, proof)
        )
        return (*state, *proof)

    return jax.vmap(one)(theta, damping, signal, dataset, fixed)  # pyright: ignore[reportReturnType]


@jax.jit
def _envelope(t: Tables, datasets: Data, theta: Array, signal: Array, dataset: Array) -> Array:
    """Envelope theorem: d NLL / d signal_b = (1 - n_b / nu_b) times what multiplies the signal."""

    def one(theta: Array, signal: Array, row: Array) -> Array:
        found = expectation(t, theta, signal)
        return (1.0 - datasets.main[row] / found.events) * signal_scale(t, theta)

    return jax.vmap(one)(theta, signal, dataset)


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

    Converged fits leave the batch and waiting ones take their place, so that stragglers cost
    only themselves.

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
    run = _Run(t, _Box(jnp.asarray(lower), jnp.asarray(upper)), datasets, problem, settings)
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
        self, t: Tables, box: _Box, datasets: Data, problem: FitProblem, settings: FitSettings
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
        out = _advance(
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
            gradient[rows] = _envelope(
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
