"""Labels from several processes: signals are independent, so chunks of them go to workers.

Chunks have a fixed size, so the labels do not depend on the number of workers. Workers are spawned with
one thread each; a worker compiles the teacher's functions once.
"""

from __future__ import annotations

import multiprocessing
import os
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from llb_schema import FindingError, finding
from llb_trainer.labels.rows import concatenate
from llb_trainer.teachers.contract import Labels, Teacher
from llb_trainer.workers import one_thread_each

__all__ = ["label_in_pool"]

_CHUNK = 512


@dataclass
class _Worker:
    """What a worker process keeps between chunks."""

    teacher: Teacher | None = None


_worker = _Worker()


def _start(teacher: Teacher) -> None:
    _worker.teacher = teacher


def _label(signals: NDArray[np.float64]) -> Labels:
    assert _worker.teacher is not None  # noqa: S101 (the pool's initializer ran)
    return _worker.teacher.label(signals)


def label_in_pool(
    teacher: Teacher,
    signals: NDArray[np.float64],
    processes: int | None = None,
    progress: Callable[[int], None] | None = None,
) -> Labels:
    """Label signals (n, n_bins) in worker processes.

    Args:
        teacher: sent to every worker once.
        signals: what to label.
        processes: number of workers; one per core if None, none at all (label here) if 0.
        progress: told how many signals were finished since the last call.

    Raises:
        FindingError: LLB-T002 a worker died.
    """
    chunks = [signals[first : first + _CHUNK] for first in range(0, len(signals), _CHUNK)]
    workers = min(os.cpu_count() or 1 if processes is None else processes, len(chunks))
    if workers == 0:
        return concatenate([teacher.label(chunk, progress) for chunk in chunks])
    context = multiprocessing.get_context("spawn")
    done: list[Labels] = []
    with (
        one_thread_each(),
        ProcessPoolExecutor(workers, context, initializer=_start, initargs=(teacher,)) as pool,
    ):
        try:
            for labels in pool.map(_label, chunks):
                done.append(labels)
                if progress:
                    progress(len(labels.signals))
        except BrokenProcessPool as error:
            raise FindingError(finding("LLB-T002")) from error
    return concatenate(done)
