"""Batched profile fits with a convergence proof for each.

Truncated Newton steps bring every fit to its minimum; converged fits leave the batch and waiting ones take
their place, so that stragglers cost only themselves. What they do not bring home, damped steps with the
exact Hessian do, and the same steps give the proof.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import jax.numpy as jnp
import numpy as np
from numpy.typing import NDArray

from llb_trainer.teachers.histfactory.batches import padded, power_of_two
from llb_trainer.teachers.histfactory.problem import FitProblem, FitResult
from llb_trainer.teachers.histfactory.rates import Data
from llb_trainer.teachers.histfactory.steps import Box, State, damped, newton, proof
from llb_trainer.teachers.histfactory.tables import Tables

__all__ = ["FitSettings", "Fitter"]

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Flags = NDArray[np.bool_]


@dataclass(frozen=True)
class FitSettings:
    """How fits are run and what counts as converged.

    Attributes:
        edm: largest estimated distance to the minimum, in NLL units, of a proven fit, whose projected
            gradient must be as small.
        near: the same, of a fit that is compared with others before one is proven.
        far: the same, up to where Gauss-Newton steps are taken.
        glances: Gauss-Newton steps; between these, starts on one way are told from others.
        steps: the same of truncated Newton steps.
        search: most conjugate gradients in each truncated Newton step.
        tail: most damped steps of a fit that is compared with others.
        damped: most damped steps of one that has to be proven.
        memory: bytes that a batch of fits may take; see `batch_size`.
    """

    edm: float = 1e-9
    near: float = 1e-9
    far: float = 1e-1
    glances: tuple[int, ...] = (1, 1, 2, 4)
    steps: tuple[int, ...] = (1, 1, 2, 6)
    search: int = 3
    tail: int = 8
    damped: int = 150
    memory: int = 4_000_000


def batch_size(t: Tables, memory: int) -> int:
    """Fits that advance together: as many as fit into `memory` bytes, between 8 and 256, a power of two.

    A fit holds its Jacobian a few times, every factor with two derivatives, and every rate; beyond the
    processor's cache a larger batch is slower, not faster.
    """
    n_bins, n_parameters = t.pair_cell.shape
    numbers = 4 * n_bins * n_parameters + 6 * len(t.log_hi) + 8 * t.factor_entries.shape[1]
    return power_of_two(memory / (8 * max(numbers, 1)), 8, 256)


def exact_batch_size(t: Tables, memory: int) -> int:
    """Exact Hessians that are made together, between 1 and 64, a power of two.

    Each takes a few squares of the parameters, and a few tables of the rates by the parameters.
    """
    n_rates, n_parameters = t.factor_cell.shape[0], t.pair_cell.shape[1]
    return power_of_two(memory / (8 * n_parameters * (3 * n_rates + 3 * n_parameters)), 1, 64)


class Fitter:
    """Fits of one model on its data sets."""

    def __init__(self, t: Tables, lower: Floats, upper: Floats, data: Data, settings: FitSettings) -> None:
        """Make ready.

        Args:
            t: the model.
            lower, upper: (P,) bounds of the moving parameters.
            data: stacked data sets, one per column.
            settings: steps and tolerances.
        """
        self.t, self.settings = t, settings
        self.box = Box(jnp.asarray(lower[:, None]), jnp.asarray(upper[:, None]))
        columns: list[Any] = [np.asarray(part) for part in data]
        self.data = Data(*columns)
        self.size = batch_size(t, settings.memory)
        self.exact_size = exact_batch_size(t, settings.memory)

    def fit(self, problem: FitProblem, leaders: FitResult | None = None) -> FitResult:
        """Bring every fit to its minimum, unless a rival has a lower one.

        Args:
            problem: the fits.
            leaders: by the number of the rivals, minima that they have to go below.
        """
        run = _Run(self, problem, leaders)
        run.drain()
        return run.result(self.settings.near)

    def approach(self, problem: FitProblem) -> Floats:
        """(n, P) where fits are that are not far from their minimum any more, or out of steps."""
        run, settings = _Run(self, problem), self.settings
        rows = np.arange(len(problem))
        run.advance(rows, settings.far, sum(settings.glances), 0)
        run.advance(rows, settings.far, sum(settings.steps), settings.search)
        return np.ascontiguousarray(run.ahead(rows).T)

    def prove(self, problem: FitProblem) -> FitResult:
        """What the exact Hessian says of the starts as they are; converged are the minima among them."""
        run = _Run(self, problem)
        run.exactly(np.arange(len(problem)), 0)
        return run.result(self.settings.edm)

    def rescue(self, problem: FitProblem) -> FitResult:
        """The same, after damped exact steps where a start is no minimum."""
        run = _Run(self, problem)
        run.exactly(np.arange(len(problem)), self.settings.damped)
        return run.result(self.settings.edm)


class _Run:
    """The fits under way, as columns on the host, and the batches that advance them."""

    def __init__(self, fitter: Fitter, problem: FitProblem, leaders: FitResult | None = None) -> None:
        self.fitter, self.problem = fitter, problem
        n = len(problem)
        theta = np.array(problem.start.T, order="C")
        far = [np.full(n, np.inf) for _ in range(3)]
        columns: list[Any] = [theta, far[0], np.zeros_like(theta), np.zeros(n), far[1], far[2]]
        self.state: Any = State(*columns)
        self.signal = np.ascontiguousarray(problem.signal.T)
        self.fixed = np.ascontiguousarray(problem.fixed.T)
        self.damping, self.steps = np.zeros(n), np.zeros(n, dtype=np.int64)
        rivals = 0 if problem.rival is None else int(problem.rival.max(initial=-1)) + 1
        self.led = leaders is not None
        self.reached = np.full(rivals, np.inf) if leaders is None else leaders.nll.copy()
        self.leader = np.full((rivals, len(theta)), np.nan) if leaders is None else leaders.theta.copy()

    def near(self, rows: Ints, edm: float) -> Flags:
        """Whether these fits are closer to their minimum than `edm`, by distance and by gradient."""
        return (self.state.edm[rows] < edm) & (self.state.projected[rows] < 10 * np.sqrt(2 * edm))

    def drain(self) -> None:
        """Bring each near its minimum, unless it runs out of steps or a rival has won."""
        rest = np.arange(len(self.problem))
        if self.problem.rival is not None and not self.led:
            # the most promising first: the others are soon told from where it ended
            rival, first = np.unique(self.problem.rival, return_index=True)
            self.finish(first)
            ended = self.near(first, self.fitter.settings.near)
            self.leader[rival[ended]] = self.ahead(first[ended]).T
            rest = np.setdiff1d(rest, first)
        self.finish(rest)
        rows = np.flatnonzero(self.near(np.arange(len(self.problem)), self.fitter.settings.near))
        # the step that is still to be tried, so near the minimum, squares the distance
        self.state.theta[:, rows] = self.ahead(rows)

    def finish(self, rows: Ints) -> None:
        """Bring these near their minimum, leaving behind those that a rival makes superfluous."""
        settings = self.fitter.settings
        # far away exact curvature does not pay
        for edm, more, search in (
            *((settings.far, more, 0) for more in settings.glances),
            *((settings.near, more, settings.search) for more in settings.steps),
        ):
            self.advance(rows, edm, more, search)
            rows = rows[~self.hopeless(rows)]
            rows = rows[~self.duplicate(rows)]
        # where the minimum is nearly flat in some direction, few conjugate gradients do not see it
        rows = rows[~self.near(rows, settings.near)]
        self.exactly(rows, settings.tail)
        if self.problem.rival is not None:
            # the lowest of all is brought home, however long it takes
            lowest = self.state.value[rows] <= self.reached[self.problem.rival[rows]]
            self.exactly(rows[lowest & ~self.near(rows, settings.near)], settings.damped)

    def ahead(self, rows: Ints) -> Floats:
        """(P, n) where the next step of these fits leads."""
        lower, upper = (np.asarray(bound) for bound in self.fitter.box)
        return np.clip(self.state.theta[:, rows] + self.state.step[:, rows], lower, upper)

    def advance(self, rows: Ints, edm: float, more: int, search: int) -> None:
        """Take up to `more` steps of each, until it is nearer than `edm` or cannot win."""
        waiting = rows[~self.near(rows, edm)]
        last = self.steps[waiting] + more
        active, limit = waiting[:0], last[:0]
        while len(waiting) or len(active):
            room = self.fitter.size - len(active)
            active, waiting = np.concatenate([active, waiting[:room]]), waiting[room:]
            limit, last = np.concatenate([limit, last[:room]]), last[room:]
            batch = padded(active, self.fitter.size)
            new = newton(self.fitter.t, self.fitter.box, self._columns(batch), *self._given(batch), search)
            self._keep(active, new)
            going = ~(self.near(active, edm) | (self.steps[active] >= limit) | self.hopeless(active))
            active, limit = active[going], limit[going]

    def hopeless(self, rows: Ints) -> Flags:
        """Which of these fits cannot get below what a rival has reached.

        The quadratic model promises a decrease. It may be off by a factor; not by four, once it is small.
        """
        rival = self.problem.rival
        if rival is None:
            return np.zeros(len(rows), dtype=bool)
        np.minimum.at(self.reached, rival[rows], self.state.value[rows])
        promise = self.state.edm[rows]
        with np.errstate(invalid="ignore"):  # nothing feasible yet: infinity beside infinity
            above = self.state.value[rows] - self.reached[rival[rows]]
        return (promise < 0.2) & (above > 4.0 * promise + 1e-6)

    def duplicate(self, rows: Ints) -> Flags:
        """Which of these fits are on the way to where a lower rival is going, or has ended.

        Half the squared distance of where their next steps lead, in units of the constraint terms, is what
        the two would differ by in NLL if only those counted. Less than 0.01, or than what the fits have yet
        to go once that is little, is no other minimum.
        """
        rival = self.problem.rival
        if rival is None or not len(rows):
            return np.zeros(len(rows), dtype=bool)
        order = np.lexsort((self.state.value[rows], rival[rows]))
        own = rival[rows][order]
        first = rows[order[np.searchsorted(own, rival[rows])]]
        place, left = self.ahead(rows), self.state.edm[rows]
        weight = np.asarray(self.fitter.t.weight + self.fitter.t.poisson)
        weight = np.where(weight > 0, weight, 1.0)

        def same(where: Floats, left: Floats) -> Flags:
            apart = 0.5 * np.sum(weight * (place - where) ** 2, axis=0)
            return apart < 0.01 + 2.0 * np.where(left < 0.1, left, 0.0)

        beside = (first != rows) & same(self.ahead(first), left + self.state.edm[first])
        return beside | same(self.leader[rival[rows]].T, left)

    def exactly(self, rows: Ints, most: int) -> None:
        """Prove each; those that cannot be proven take up to `most` damped exact steps, proven after each.

        Nothing leads back from where the NLL is infinite.
        """
        self.state.step[:, rows] = 0.0
        for left in range(most, -1, -1):
            rest = rows[:0]
            for first in range(0, len(rows), self.fitter.exact_size):
                rest = np.concatenate(
                    [rest, self.prove(rows[first : first + self.fitter.exact_size], left > 0)]
                )
            if not len(rest):
                return
            rows = rest

    def prove(self, rows: Ints, move: bool) -> Ints:
        """The exact distance of a batch to their minima, as they stand; those of them that are not there.

        With `move`, these take one damped step.
        """
        t, box = self.fitter.t, self.fitter.box
        batch = padded(rows, self.fitter.exact_size)
        theta, (signal, data, fixed) = self.state.theta[:, batch], self._given(batch)
        found = proof(t, box, theta, signal, data, fixed)
        for name in ("value", "edm", "projected"):
            getattr(self.state, name)[rows] = np.asarray(getattr(found, name))[: len(rows)]
        done = self.near(rows, self.fitter.settings.edm) | self.hopeless(rows)
        going = np.flatnonzero(~done & np.isfinite(self.state.value[rows]))
        rest = rows[going]
        if move and len(going):
            moved, damping = damped(t, box, theta, found, self.damping[batch], signal, data)
            self.state.theta[:, rest] = np.asarray(moved)[:, going]
            self.damping[rest] = np.asarray(damping)[going]
            self.steps[rest] += 1
        return rest

    def _columns(self, rows: Ints) -> State:
        return State(*(part[..., rows] for part in self.state))

    def _given(self, rows: Ints) -> tuple[Floats, Data, Flags]:
        data = self.fitter.data.take(self.problem.dataset[rows])
        return self.signal[:, rows], data, self.fixed[:, rows]

    def _keep(self, rows: Ints, new: State) -> None:
        for target, part in zip(self.state, new, strict=True):
            target[..., rows] = np.asarray(part)[..., : len(rows)]
        self.steps[rows] += 1

    def result(self, edm: float) -> FitResult:
        """The fits as they stand; converged are those closer to their minimum than `edm`."""
        proven = self.near(np.arange(len(self.problem)), edm)
        return FitResult(
            np.ascontiguousarray(self.state.theta.T),
            self.state.value,
            self.state.edm,
            self.state.projected,
            proven & np.isfinite(self.state.value),
        )
