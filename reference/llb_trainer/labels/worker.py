"""What runs in a worker process of Dask: one teacher, kept between chunks, and one chunk at a time."""

from __future__ import annotations

import pickle
import threading
import time

import numpy as np
from numpy.typing import NDArray

from llb_trainer.labels.identity import Engine, engine
from llb_trainer.teachers.contract import Labels, Teacher
from llb_trainer.workers import keep_memory, use_one_thread

__all__ = ["EngineMismatchError", "hand_over", "label_chunk", "packed"]

# JAX must not compute in two threads of one process (calls to LAPACK can wait for each other for ever): with
# this lock a worker that has several threads labels one chunk at a time all the same.
_lock = threading.Lock()
_teachers: dict[str, Teacher] = {}
# A worker may serve several runs, but needs the teachers of the last few only.
_KEPT = 2


class EngineMismatchError(RuntimeError):
    """The worker has another engine than the process that asks."""


def packed(teacher: Teacher) -> bytes:
    """The teacher as bytes; they travel to workers and never lie on a disk."""
    return pickle.dumps(teacher, protocol=5)


def hand_over(teacher: bytes) -> bytes:
    """The packed teacher itself: as the result of a task, Dask brings it once to each worker."""
    return teacher


def label_chunk(
    teacher: bytes, digest: str, made_by: Engine, signals: NDArray[np.float64]
) -> tuple[Labels, float]:
    """The labels of one chunk, and the seconds that they took.

    Args:
        teacher: from `packed`.
        digest: of these bytes.
        made_by: the engine of the process that asks.
        signals: (n, n_bins) of the chunk.

    Raises:
        EngineMismatchError: this worker has another engine.
    """
    with _lock:
        own = engine()
        if own != made_by:
            raise EngineMismatchError(str(own))
        unpacked = _unpacked(teacher, digest)
        began = time.monotonic()
        labels = unpacked.label(signals)
        return labels, time.monotonic() - began


def _unpacked(teacher: bytes, digest: str) -> Teacher:
    if digest not in _teachers:
        use_one_thread()
        keep_memory()
        import jax

        while len(_teachers) >= _KEPT:
            del _teachers[next(iter(_teachers))]
        # An array of JAX in the pickle would come out with 32 bits of its 64.
        with jax.enable_x64(True):
            _teachers[digest] = pickle.loads(teacher)  # noqa: S301 - from the process that asks
    return _teachers[digest]
