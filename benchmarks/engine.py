"""Our side: teachers opened, explored and asked for labels in worker processes of one thread each.

The parent computes nothing, so memory and time are those of the work alone. What is timed is a warm
engine: every worker has labelled other signals before, and what it still compiles afterwards is measured
and taken off.
"""

from __future__ import annotations

import multiprocessing
import resource
import sys
import time
from collections.abc import Callable
from concurrent.futures import Future, ProcessPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from threading import BrokenBarrierError
from typing import TYPE_CHECKING, Any, Self

import numpy as np
from numpy.typing import NDArray
from searches import Search, published_signals

from llb_trainer.labels import background_of
from llb_trainer.sampling import Sampling, sample_signals
from llb_trainer.teachers.contract import Labels
from llb_trainer.workers import one_thread_each

if TYPE_CHECKING:
    from llb_trainer.teachers.histfactory import HistFactoryTeacher

__all__ = ["LabelRun", "LookRun", "Opened", "Stage", "Workers", "draw", "opened"]

Floats = NDArray[np.float64]
Stage = Callable[[str, int], Callable[[int], None]]
"""Told that a stage begins, with its name and size; gives what is called with the parts finished."""

_LOOK_CHUNK = 20
"""Signals per task of a second look; the random starts of a task depend on its place alone."""


@dataclass(frozen=True)
class Opened:
    """A teacher, explored.

    Attributes:
        teacher: the teacher.
        published: (n, n_bins) yields of the published signals.
        opening_seconds: reading, checking, compiling, data sets and baselines.
        exploring_seconds: looking for minima on pilot signals.
        peak_rss_mb: peak memory of the process that did it.
    """

    teacher: HistFactoryTeacher
    published: Floats
    opening_seconds: float
    exploring_seconds: float
    peak_rss_mb: float


@dataclass(frozen=True)
class LabelRun:
    """Labels made by warm workers.

    Attributes:
        cores: number of workers.
        labels: what they made, in the order of the signals.
        seconds: wall time, less what the worker that compiled least still compiled.
        compile_seconds: tracing and compiling in the worker that took longest over it.
        peak_rss_mb: peak memory of each worker.
    """

    cores: int
    labels: Labels
    seconds: float
    compile_seconds: float
    peak_rss_mb: tuple[float, ...]

    @property
    def count(self) -> int:
        """Labels asked for: signals times curves."""
        return sum(len(curve.converged) for curve in self.labels.curves)

    @property
    def proven(self) -> int:
        """Labels whose minimum is proven."""
        return sum(int(curve.converged.sum()) for curve in self.labels.curves)

    @property
    def rate(self) -> float:
        """Proven labels per second of wall time."""
        return self.proven / self.seconds


@dataclass(frozen=True)
class LookRun:
    """Lowest NLL (n,) by curve that further random starts found, and the wall time."""

    lowest: dict[str, Floats]
    seconds: float


def draw(opened: Opened, n: int, seed: int) -> Floats:
    """Signals (n, n_bins) as a training draws them."""
    teacher = opened.teacher
    return sample_signals(background_of(teacher), opened.published, n, Sampling(seed=seed))


def opened(search: Search, pilot: int, seed: int) -> Opened:
    """Open and explore a search in a process of its own.

    Args:
        search: which.
        pilot: signals to explore on; they are drawn like a pipeline's.
        seed: of their drawing.

    Raises:
        FindingError: the search cannot be read or its background not be fitted.
    """
    context = multiprocessing.get_context("spawn")
    with one_thread_each(), ProcessPoolExecutor(1, context) as pool:
        return pool.submit(_open, search, pilot, seed).result()


def _open(search: Search, pilot: int, seed: int) -> Opened:
    from llb_trainer.teachers.histfactory import histfactory_teacher, read_workspace

    began = time.perf_counter()
    workspace = read_workspace(search.workspace)
    teacher = histfactory_teacher(workspace)
    opening = time.perf_counter() - began
    published = published_signals(search, workspace, teacher.signal_modifiers).yields
    found = Opened(teacher, published, opening, 0.0, 0.0)
    signals = draw(found, pilot, seed)
    began = time.perf_counter()
    explored = teacher.explored(signals)
    return Opened(explored, published, opening, time.perf_counter() - began, _peak_rss_mb())


class Workers:
    """Processes that keep the teacher and its compiled functions; use as a context manager.

    Args:
        teacher: sent to every worker once.
        cores: number of workers.
    """

    def __init__(self, teacher: HistFactoryTeacher, cores: int) -> None:
        context = multiprocessing.get_context("spawn")
        self.cores = cores
        self._pool = ProcessPoolExecutor(
            cores, context, initializer=_start, initargs=(teacher, context.Barrier(cores))
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._pool.shutdown(wait=True, cancel_futures=True)

    def warm(self, signals: Floats) -> None:
        """Let every worker label these signals, which compiles what it needs."""
        with one_thread_each():
            self._everywhere(_warm, signals)

    def label(self, signals: Floats, chunk: int, progress: Callable[[int], None]) -> LabelRun:
        """Label signals in chunks; `progress` is told how many were finished."""
        from llb_trainer.labels import concatenate

        began = time.perf_counter()
        parts = [self._pool.submit(_label, piece) for piece in _pieces(signals, chunk)]
        labels = concatenate([_told(part, progress) for part in parts])
        seconds = time.perf_counter() - began
        late = min(self._everywhere(_compiled_late))
        return LabelRun(
            self.cores,
            labels,
            seconds - late,
            max(self._everywhere(_compiled)),
            tuple(self._everywhere(_peak_rss_mb)),
        )

    def second_look(
        self, signals: Floats, starts: int, seed: int, progress: Callable[[int], None]
    ) -> LookRun:
        """The lowest NLL of further random starts; `progress` is told how many signals were finished."""
        began = time.perf_counter()
        tasks = [
            self._pool.submit(_second_look, piece, starts, seed + number)
            for number, piece in enumerate(_pieces(signals, _LOOK_CHUNK))
        ]
        found: list[dict[str, Floats]] = []
        for task in tasks:
            found.append(task.result())
            progress(len(next(iter(found[-1].values()))))
        lowest = {name: np.concatenate([part[name] for part in found]) for name in found[0]}
        return LookRun(lowest, time.perf_counter() - began)

    def _everywhere(self, task: Callable[..., float], *arguments: object) -> list[float]:
        """Run a task once in every worker: none takes a second one before all have met."""
        futures = [self._pool.submit(_once, task, arguments) for _ in range(self.cores)]
        return [future.result() for future in futures]


def _pieces(signals: Floats, size: int) -> list[Floats]:
    return [signals[first : first + size] for first in range(0, len(signals), size)]


def _told(part: Future[Labels], progress: Callable[[int], None]) -> Labels:
    labels = part.result()
    progress(len(labels.signals))
    return labels


@dataclass
class _Worker:
    """What a worker process keeps."""

    teacher: HistFactoryTeacher | None = None
    barrier: Any = None
    compile_seconds: float = 0.0
    compile_seconds_when_warm: float = 0.0


_worker = _Worker()


def _start(teacher: HistFactoryTeacher, barrier: Any) -> None:
    from jax import monitoring

    def listen(event: str, duration_secs: float, **_: str | int) -> None:
        if event.startswith("/jax/core/compile/"):
            _worker.compile_seconds += duration_secs

    _worker.teacher, _worker.barrier = teacher, barrier
    monitoring.register_event_duration_secs_listener(listen)


def _teacher() -> HistFactoryTeacher:
    assert _worker.teacher is not None
    return _worker.teacher


def _once(task: Callable[..., float], arguments: tuple[object, ...]) -> float:
    try:
        return task(*arguments)
    except BaseException:
        _worker.barrier.abort()
        raise
    finally:
        # a worker that fails says so itself
        with suppress(BrokenBarrierError):
            _worker.barrier.wait()


def _warm(signals: Floats) -> float:
    _teacher().label(signals)
    _worker.compile_seconds_when_warm = _worker.compile_seconds
    return _worker.compile_seconds


def _compiled() -> float:
    return _worker.compile_seconds


def _compiled_late() -> float:
    return _worker.compile_seconds - _worker.compile_seconds_when_warm


def _label(signals: Floats) -> Labels:
    return _teacher().label(signals)


def _second_look(signals: Floats, starts: int, seed: int) -> dict[str, Floats]:
    return _teacher().second_look(signals, starts=starts, seed=seed)


def _peak_rss_mb() -> float:
    """Peak resident memory of this process in MB (1e6 bytes)."""
    status = Path("/proc/self/status")
    if status.exists():
        # ru_maxrss of a child begins at its parent's size; the kernel's high-water mark does not
        for line in status.read_text(encoding="ascii").splitlines():
            if line.startswith("VmHWM:"):
                return 1024e-6 * float(line.split()[1])
    unit = 1e-6 if sys.platform == "darwin" else 1024e-6
    return unit * resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
