"""The comparison itself: choose signals, ask the bundle, ask pyhf, put the answers side by side."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from llb.runtime import Limits, ProfileLikelihood, Signals, limits
from llb_trainer.comparison.choice import DECIDED_FROM, choose_points
from llb_trainer.comparison.optima import KnownMinima, known_minima
from llb_trainer.peer import (
    KnownOptimum,
    PeerJob,
    PeerResult,
    PeerSearch,
    channel_yields,
    compare_points,
    parameter_names,
)
from llb_trainer.teachers.histfactory import HistFactoryTeacher

__all__ = ["ComparedPoint", "Comparison", "Progress", "compare", "peer_search"]

Floats = NDArray[np.float64]
Progress = Callable[[str, int], Callable[[int], None]]
"""Told that a stage begins, with its name and size; gives what is called with the parts finished."""

_TOLERANCE = 1e-4
"""NLL by which a fit of pyhf may lie above the known minimum: it moves CLs by less than 0.02 %."""


@dataclass(frozen=True)
class ComparedPoint:
    """One signal, answered by the bundle and by pyhf.

    Attributes:
        name: name of the signal.
        bundle: the bundle's answer.
        pyhf: pyhf's answer.
        seconds_bundle: wall time of the bundle's whole answer: CLs, upper limits, all bands.
        optima: the minima that pyhf's fits were checked against.
    """

    name: str
    bundle: Limits
    pyhf: PeerResult
    seconds_bundle: float
    optima: tuple[KnownOptimum, ...]

    @property
    def cls_difference(self) -> float:
        """Relative difference of the observed CLs, bundle / pyhf - 1; NaN where pyhf has none."""
        return _relative(self.bundle.cls_observed, self.pyhf.cls_observed)

    @property
    def upper_limit_difference(self) -> float:
        """Relative difference of the observed upper limits; NaN where there is nothing to compare."""
        return _relative(self.bundle.upper_limit_observed, self.pyhf.upper_limit_observed)

    @property
    def decided_here(self) -> bool:
        """Whether 1e-3 < CLs < 1 by pyhf, where a relative difference is a fair measure."""
        return DECIDED_FROM < self.pyhf.cls_observed < 1.0

    @property
    def seconds_pyhf(self) -> float:
        """pyhf's wall time up to the last number it was asked for."""
        limit = self.pyhf.seconds_limit
        return limit if math.isfinite(limit) else self.pyhf.seconds_cls


@dataclass(frozen=True)
class Comparison:
    """A bundle beside pyhf.

    Attributes:
        points: the compared signals, in the order of all signals.
        scan: the bundle's answers for all signals.
        seconds_scan: wall time of the whole scan.
    """

    points: tuple[ComparedPoint, ...]
    scan: tuple[Limits, ...]
    seconds_scan: float

    @property
    def worst_cls_difference(self) -> float:
        """Largest |relative difference| of CLs where 1e-3 < CLs < 1; NaN without such a signal."""
        found = [abs(point.cls_difference) for point in self.points if point.decided_here]
        return max(found, default=math.nan)


def peer_search(teacher: HistFactoryTeacher) -> PeerSearch:
    """The teacher's search and signal model as pyhf is given them."""
    workspace = teacher.workspace
    return PeerSearch(
        workspace.spec,
        workspace.measurement,
        teacher.signal_modifiers,
        workspace.interpolation["normsys"],
        workspace.interpolation["histosys"],
    )


def compare(
    teacher: HistFactoryTeacher,
    model: ProfileLikelihood,
    names: Sequence[str],
    yields: Floats,
    *,
    plane: Floats | None = None,
    points: int = 12,
    limit_points: int | None = None,
    processes: int = 2,
    progress: Progress | None = None,
) -> Comparison:
    """Observed CLs at mu = 1 and upper limits by the bundle and by pyhf.

    pyhf runs its own fits in worker processes. Where one ends above a minimum that the teacher knows, it is
    repeated from there, and the point says so.

    Args:
        teacher: the exact likelihood, for the known minima.
        model: the bundle.
        names: names of all signals.
        yields: (n, n_bins) their events at mu = 1, columns in the bundle's order.
        plane: (n, d) their coordinates; by default the shape of the yields.
        points: how many signals pyhf is asked about.
        limit_points: for how many of them it is asked for the upper limit, too; all by default.
        processes: of pyhf.
        progress: told of each stage.

    Raises:
        FindingError: LLB-W053, a worker process died.
    """
    start = time.perf_counter()
    scan = limits(model, Signals(tuple(names), yields))
    seconds_scan = time.perf_counter() - start
    observed = np.array([item.cls_observed for item in scan])
    chosen = choose_points(observed, _shape(yields) if plane is None else plane, points)

    search, order = peer_search(teacher), _teacher_columns(teacher, model)
    wanted = [
        KnownMinima(yields[row][order], (scan[row].mu_hat, 1.0, scan[row].upper_limit_observed))
        for row in chosen
    ]
    tell = progress or _silent
    told = tell("Finding the true minima for the comparison", len(chosen))
    found = known_minima(teacher, wanted, parameter_names(search), search.poi, told)
    most = len(chosen) if limit_points is None else limit_points
    channels = [item.channel for item in teacher.bins]
    jobs = [
        PeerJob(
            name=names[row],
            yields=channel_yields(channels, item.yields),
            guess=_guess(scan[row].upper_limit_observed),
            optima=optima,
            tolerance=_TOLERANCE,
            limit=number < most,
        )
        for number, (row, item, optima) in enumerate(zip(chosen, wanted, found, strict=True))
    ]
    told = tell("Asking pyhf about the same signals", len(jobs))
    answers: dict[str, PeerResult] = {}
    for answer in compare_points(search, jobs, processes):
        answers[answer.name] = answer
        told(1)
    compared: list[ComparedPoint] = []
    for row, job in zip(chosen, jobs, strict=True):
        bundle, seconds = _timed(model, names[row], yields[row])
        compared.append(ComparedPoint(job.name, bundle, answers[job.name], seconds, job.optima))
    return Comparison(tuple(compared), tuple(scan), seconds_scan)


def _timed(model: ProfileLikelihood, name: str, yields: Floats) -> tuple[Limits, float]:
    start = time.perf_counter()
    answer = limits(model, Signals((name,), yields[np.newaxis]))[0]
    return answer, time.perf_counter() - start


def _shape(yields: Floats) -> Floats:
    """Where a signal lies without coordinates: which part of it falls into which bin."""
    return yields / np.maximum(np.abs(yields).sum(axis=1, keepdims=True), 1e-300)


def _teacher_columns(teacher: HistFactoryTeacher, model: ProfileLikelihood) -> list[int]:
    """Column of the bundle for each of the teacher's bins."""
    return [model.bin_ids.index(item.id) for item in teacher.bins]


def _guess(limit: float) -> float | None:
    return limit if 0.0 < limit < math.inf else None


def _relative(ours: float, theirs: float) -> float:
    comparable = math.isfinite(ours) and math.isfinite(theirs) and theirs != 0.0
    return ours / theirs - 1.0 if comparable else math.nan


def _silent(_name: str, _total: int) -> Callable[[int], None]:
    return lambda _count: None
