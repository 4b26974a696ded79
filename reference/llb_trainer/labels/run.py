"""Label many signals: here, in worker processes of this machine, or through any Dask scheduler.

Signals are independent, so chunks of a fixed size go to whoever is free. A label depends on the teacher and
on the other signals of its chunk only: it is the same, bit for bit, here and there, whatever the number of
workers and the order in which chunks are done, as long as the machines are of one type with the same
software, and each process computes with one thread (`llb_trainer.workers`). Other machines, and processes
with several threads, may add up in another order: then the last digits of a label differ, by far less than
its proven distance to the minimum allows.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Generator, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from llb_schema import Finding, FindingError, finding
from llb_trainer.labels.rows import concatenate
from llb_trainer.labels.store import LabelStore
from llb_trainer.teachers.contract import Labels, Teacher

__all__ = ["CHUNK", "Watch", "Where", "label_signals", "label_store"]

Floats = NDArray[np.float64]

Finished = tuple[int, Labels, float]
"""A chunk that is done: its number, its labels, and the seconds that they took."""

CHUNK = 256
"""Signals in a chunk: what a killed worker costs. The labels depend on it in their last digits."""


def _nobody(_said: object) -> None: ...


@dataclass(frozen=True)
class Where:
    """Who does the work.

    Attributes:
        scheduler: address of a Dask scheduler, such as `tcp://host:8786`; "" for this machine.
        processes: worker processes on this machine; None for one per core where there is more than one chunk
            to do, 0 for none at all: then this process works.
    """

    scheduler: str = ""
    processes: int | None = None


@dataclass(frozen=True)
class Watch:
    """Who is told what happens on the way.

    Attributes:
        signals: number of signals finished since the last call.
        failures: number of signals, of those in the chunk just finished, without a proven minimum.
        finding: something that deserves attention and does not end the run.
    """

    signals: Callable[[int], None] = _nobody
    failures: Callable[[int], None] = _nobody
    finding: Callable[[Finding], None] = _nobody


def label_signals(
    teacher: Teacher,
    signals: Floats,
    *,
    store: LabelStore | None = None,
    scheduler: str | None = None,
    processes: int | None = None,
    progress: Callable[[int], None] | None = None,
) -> Labels:
    """Label signals (n, n_bins), n > 0.

    Args:
        teacher: sent to every worker once.
        signals: what to label; with a store, its signals.
        store: open for writing; its missing chunks are made, all are returned.
        scheduler: see `Where`.
        processes: see `Where`.
        progress: told how many signals were finished since the last call.

    Raises:
        FindingError: LLB-L103 the store holds other signals; LLB-T002 and LLB-L110 to L114 for what can go
            wrong with workers, see `llb_trainer.labels.cluster`.
    """
    where, watch = Where(scheduler or "", processes), Watch(signals=progress or _nobody)
    if store is not None:
        if not np.array_equal(signals, store.signals):
            raise FindingError(finding("LLB-L103", pointer=str(store.path)))
        label_store(teacher, store, where, watch)
        return concatenate(list(store.chunks()))
    chunks = {number: signals[first : first + CHUNK] for number, first in _firsts(len(signals))}
    done = {number: labels for number, labels, _ in _labelled(teacher, chunks, where, watch)}
    return concatenate([done[number] for number in sorted(done)])


def label_store(teacher: Teacher, store: LabelStore, where: Where, watch: Watch) -> None:
    """Make the missing chunks of a store that is open for writing.

    Raises:
        FindingError: as `label_signals`; the chunks that are done stay in the store.
    """
    chunks = {number: store.signals[store.rows(number)] for number in store.missing}
    for number, labels, seconds in _labelled(teacher, chunks, where, watch):
        store.write(number, labels, seconds)


def _firsts(n: int) -> Iterator[tuple[int, int]]:
    return enumerate(range(0, n, CHUNK))


def _labelled(
    teacher: Teacher, chunks: Mapping[int, Floats], where: Where, watch: Watch
) -> Iterator[Finished]:
    """Each chunk as it is done."""
    with _engine(teacher, chunks, where, watch) as finished:
        for number, labels, seconds in finished:
            watch.failures(int(np.sum(~labels.usable)))
            yield number, labels, seconds


@contextmanager
def _engine(
    teacher: Teacher, chunks: Mapping[int, Floats], where: Where, watch: Watch
) -> Generator[Iterator[Finished]]:
    """Where the chunks are labelled."""
    processes = where.processes
    if processes is None:
        processes = 0 if len(chunks) == 1 else os.cpu_count() or 1
    processes = min(processes, len(chunks))
    if not chunks or not (processes or where.scheduler):
        yield _here(teacher, chunks, watch)
        return
    # Dask takes a second to import, and not everybody needs it.
    from llb_trainer.labels.cluster import local_workers, remote_workers, through_dask

    with remote_workers(where.scheduler) if where.scheduler else local_workers(processes) as workers:
        yield _counted(through_dask(workers, teacher, chunks, watch.finding), watch)


def _here(teacher: Teacher, chunks: Mapping[int, Floats], watch: Watch) -> Iterator[Finished]:
    for number, signals in chunks.items():
        began = time.monotonic()
        labels = teacher.label(signals, watch.signals)
        yield number, labels, time.monotonic() - began


def _counted(finished: Iterator[Finished], watch: Watch) -> Iterator[Finished]:
    """Workers elsewhere do not report what they do within a chunk."""
    for number, labels, seconds in finished:
        watch.signals(len(labels.signals))
        yield number, labels, seconds
