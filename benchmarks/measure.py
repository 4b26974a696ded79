"""One search, measured from end to end: opened, labelled, looked at again, put beside pyhf."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from agreement import Against, OurMinima, against_peers, logpdf_difference, second_look_excess
from engine import LabelRun, LookRun, Opened, Stage, Workers, draw, opened
from numpy.typing import NDArray
from peers import OPTIMIZERS, PeerAnswer, PeerModel, PeerTask, ask_peers
from searches import Search

from llb_trainer.comparison import peer_search
from llb_trainer.labels import concatenate

__all__ = ["Options", "measure"]

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Options:
    """How to measure; what is None is up to the search.

    Attributes:
        labels: signals to label.
        slsqp, minuit: fits by pyhf.
        second_look: signals to look at again; 0 for none.
        starts: further random starts of each.
        cores: numbers of worker processes; the signals are dealt out over them in proportion.
        all_curves: whether pyhf fits every curve, or the observed one only.
        pilot: signals on which the engine explores.
        chunk: most signals in one call of the engine.
        seed: of everything random.
    """

    labels: int | None = None
    slsqp: int | None = None
    minuit: int | None = None
    second_look: int = 200
    starts: int = 50
    cores: tuple[int, ...] = (1, 2)
    all_curves: bool = False
    pilot: int = 512
    chunk: int = 512
    seed: int = 20261121


@dataclass(frozen=True)
class _PeerRun:
    """pyhf's answers with so many workers at once."""

    cores: int
    answers: list[PeerAnswer]

    def record(self, optimizer: str) -> dict[str, Any]:
        """Counts and rate of an optimizer's fits; the rate is that of workers that are never idle."""
        fits = [fit for answer in self.answers for fit in answer.fits if fit.optimizer == optimizer]
        seconds = sum(fit.seconds for fit in fits)
        finished = sum(fit.finished for fit in fits)
        return {
            "optimizer": optimizer,
            "cores": self.cores,
            "fits": len(fits),
            "failed": len(fits) - finished,
            "seconds": seconds,
            "fits_per_second": self.cores * finished / seconds if seconds else None,
        }


def measure(search: Search, options: Options, stage: Stage) -> dict[str, Any]:
    """Measure a search.

    Returns:
        The search's entry of the report, see benchmarks/README.md.

    Raises:
        FindingError: the search cannot be read, or its background not be fitted.
    """
    told = stage("opening and exploring", 1)
    found = opened(search, options.pilot, options.seed + 1)
    told(1)
    signals = draw(found, options.labels or search.sizes.labels, options.seed)
    shares = _dealt(len(signals), options.cores)
    runs, looked, look = _label(found, signals, shares, options, stage)
    ours = OurMinima(concatenate([run.labels for run in runs]), found.teacher.curves)
    peer_runs = _peers(search, found, ours, shares, options, stage)
    report = _report(search, found, ours, runs, peer_runs)
    excess = second_look_excess(ours, looked, look.lowest) if look else None
    return report | {
        "second_look_excess": excess[0] if excess else None,
        "second_look_max": excess[1] if excess else None,
        "second_look_signals": len(looked),
        "second_look_starts": options.starts,
        "second_look_seconds": look.seconds if look else None,
    }


def _named(cores: int) -> str:
    return "1 core" if cores == 1 else f"{cores} cores"


def _dealt(n: int, cores: Sequence[int]) -> list[NDArray[np.int64]]:
    """Rows for each number of cores, in proportion to it: each share takes about as long."""
    ends = np.round(n * np.cumsum(cores) / sum(cores)).astype(int)
    return [np.asarray(rows) for rows in np.split(np.arange(n), ends[:-1])]


def _label(
    found: Opened,
    signals: Floats,
    shares: list[NDArray[np.int64]],
    options: Options,
    stage: Stage,
) -> tuple[list[LabelRun], NDArray[np.int64], LookRun | None]:
    """Labels of each share, and the second look at some rows of all."""
    rng = np.random.default_rng([options.seed, 2])
    looked = np.sort(rng.choice(len(signals), min(options.second_look, len(signals)), replace=False))
    look: LookRun | None = None
    runs: list[LabelRun] = []
    for cores, rows in zip(options.cores, shares, strict=True):
        chunk = max(1, min(options.chunk, -(-len(rows) // cores)))
        with Workers(found.teacher, cores) as workers:
            told = stage(f"compiling on {_named(cores)}", 1)
            workers.warm(draw(found, chunk, options.seed + 3))
            told(1)
            runs.append(workers.label(signals[rows], chunk, stage(f"labels on {_named(cores)}", len(rows))))
            if len(looked) and cores == options.cores[-1]:
                told = stage(f"second look on {_named(cores)}", len(looked))
                look = workers.second_look(signals[looked], options.starts, options.seed + 4, told)
    return runs, looked, look


def _peers(
    search: Search,
    found: Opened,
    ours: OurMinima,
    shares: list[NDArray[np.int64]],
    options: Options,
    stage: Stage,
) -> list[_PeerRun]:
    """pyhf on some signals of each share, with as many workers as labelled it."""
    teacher = found.teacher
    model = PeerModel(peer_search(teacher), teacher.bins, teacher.curves, teacher.model.parameters)
    wanted = (
        search.sizes.slsqp if options.slsqp is None else options.slsqp,
        search.sizes.minuit if options.minuit is None else options.minuit,
    )
    rng = np.random.default_rng([options.seed, 5])
    runs: list[_PeerRun] = []
    for cores, rows in zip(options.cores, shares, strict=True):
        counts = [min(len(rows), round(n * cores / sum(options.cores))) for n in wanted]
        chosen = rng.choice(rows, max(counts), replace=False)
        tasks = [
            _task(ours, int(row), [o for o, n in zip(OPTIMIZERS, counts, strict=True) if place < n], options)
            for place, row in enumerate(chosen)
        ]
        runs.append(
            _PeerRun(cores, ask_peers(model, tasks, cores, stage(f"pyhf on {_named(cores)}", len(tasks))))
        )
    return runs


def _task(ours: OurMinima, row: int, optimizers: list[str], options: Options) -> PeerTask:
    curves = ours.labels.curves if options.all_curves else ours.labels.curves[:1]
    optima = {curve.name: curve.parameters[row] for curve in ours.labels.curves if curve.converged[row]}
    fits = tuple((optimizer, curve.name) for optimizer in optimizers for curve in curves)
    return PeerTask(row, ours.labels.signals[row], optima, fits)


def _report(
    search: Search, found: Opened, ours: OurMinima, runs: list[LabelRun], peer_runs: list[_PeerRun]
) -> dict[str, Any]:
    teacher = found.teacher
    answers = [answer for run in peer_runs for answer in run.answers]
    best = against_peers(ours, answers)
    peers = [
        _against_us(run.record(name), ours_run)
        for run, ours_run in zip(peer_runs, runs, strict=True)
        for name in OPTIMIZERS
    ]
    slsqp = [item for item in peers if item["optimizer"] == "slsqp" and item["ratio"] is not None]
    head = min(slsqp, key=lambda item: item["ratio"], default=None)
    run = next(run for run in runs if head is None or run.cores == head["cores"])
    count = sum(run.count for run in runs)
    return {
        "id": search.id,
        "bins": len(teacher.bins),
        "parameters": len(teacher.model.parameters),
        "curves": [curve.name for curve in ours.labels.curves],
        "branches": len(teacher.branches),
        "cores": run.cores,
        "fits_per_second": run.rate,
        "peer_fits_per_second": head["fits_per_second"] if head else None,
        "ratio": head["ratio"] if head else None,
        "failed_fraction": 1 - sum(run.proven for run in runs) / count,
        "starts_per_label": float(np.mean([curve.starts for curve in ours.labels.curves])),
        "compile_seconds": found.opening_seconds + max(run.compile_seconds for run in runs),
        "opening_seconds": found.opening_seconds,
        "exploring_seconds": found.exploring_seconds,
        "peak_rss_mb": max(memory for run in runs for memory in run.peak_rss_mb),
        "opening_peak_rss_mb": found.peak_rss_mb,
        **_agreement(best),
        "worst": _worst(best, ours),
        "pyhf_logpdf_difference": logpdf_difference(ours, answers),
        "engine": [_engine(run) for run in runs],
        "peers": peers,
        "peer_agreement": [
            {"optimizer": name}
            | _agreement(against_peers(ours, answers, lambda fit, n=name: fit.optimizer == n))
            for name in OPTIMIZERS
        ],
    }


def _engine(run: LabelRun) -> dict[str, Any]:
    return {
        "cores": run.cores,
        "signals": len(run.labels.signals),
        "labels": run.count,
        "proven": run.proven,
        "seconds": run.seconds,
        "fits_per_second": run.rate,
        "compile_seconds": run.compile_seconds,
        "peak_rss_mb": list(run.peak_rss_mb),
    }


def _against_us(record: dict[str, Any], run: LabelRun) -> dict[str, Any]:
    rate = record["fits_per_second"]
    return record | {"ratio": run.rate / rate if rate else None}


def _agreement(found: Against | None) -> dict[str, Any]:
    return {
        "compared": found.compared if found else 0,
        "max_nll_excess": found.max_nll_excess if found else None,
        "peer_local_minimum_fraction": found.local_minimum_fraction if found else None,
        "peer_local_minimum_max": found.local_minimum_max if found else None,
    }


def _worst(found: Against | None, ours: OurMinima) -> dict[str, Any] | None:
    if found is None:
        return None
    row, curve, excess = found.worst
    return {"curve": curve, "nll_excess": excess, "signal": ours.labels.signals[row].tolist()}
