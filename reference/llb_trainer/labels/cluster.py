"""Chunks through Dask: worker processes of our own on this machine, or any scheduler by its address."""

from __future__ import annotations

import asyncio
import hashlib
import logging
import signal
import time
import uuid
import warnings
from collections.abc import Callable, Generator, Iterator, Mapping
from concurrent.futures import CancelledError
from contextlib import contextmanager
from itertools import islice
from multiprocessing import resource_tracker
from typing import Any, cast

import numpy as np
from distributed import Client, Future, KilledWorker, LocalCluster, as_completed
from distributed.comm.core import CommClosedError
from distributed.core import rpc
from numpy.typing import NDArray

from llb_schema import Finding, FindingError, finding
from llb_trainer.labels.identity import engine
from llb_trainer.labels.worker import EngineMismatchError, hand_over, label_chunk, packed
from llb_trainer.teachers.contract import Labels, Teacher
from llb_trainer.workers import one_thread_each

__all__ = ["Workers", "check_scheduler", "local_workers", "remote_workers", "through_dask"]

Floats = NDArray[np.float64]
_CONNECT_SECONDS = 5.0
_LOOK_SECONDS = 0.02
_REPLACE_SECONDS = 5.0
_AHEAD = 512
"""Chunks that are with the scheduler at least; twice the number of threads if that is more."""

_NOISY = ("distributed", "tornado", "asyncio", "bokeh")
_HIDDEN = {"DASK_LOGGING__DISTRIBUTED": "critical"}


class Workers:
    """Who does the work.

    Attributes:
        client: to whom the workers belong.
    """

    def __init__(self, client: Client, cluster: LocalCluster | None = None) -> None:
        self.client, self._cluster, self._seen = client, cluster, time.monotonic()

    def gone(self) -> bool:
        """Whether our own workers are all dead for good; those of a scheduler may come back any time.

        Dask replaces a worker that dies, but for one that dies while it is being started.
        """
        if self._cluster is None or any(nanny.is_alive() for nanny in list(self._cluster.workers.values())):
            self._seen = time.monotonic()
        return time.monotonic() - self._seen > _REPLACE_SECONDS


@contextmanager
def local_workers(processes: int) -> Generator[Workers]:
    """This many worker processes of one thread each on this machine; one that dies is replaced.

    Raises:
        FindingError: LLB-L114 they do not start.
    """
    with _quiet(), one_thread_each(), _local_cluster(processes) as cluster, Client(cluster) as client:
        yield Workers(client, cast(LocalCluster, cluster))


def _local_cluster(processes: int) -> LocalCluster:
    try:
        with _deaf_to_interruptions():
            return LocalCluster(
                n_workers=processes,
                threads_per_worker=1,
                processes=True,
                host="127.0.0.1",
                dashboard_address=cast(str, None),
                # Dask's own limit would kill workers for memory that the machine may well have.
                memory_limit=None,
                silence_logs=logging.CRITICAL,
                env=_HIDDEN,
            )
    except (OSError, RuntimeError) as error:
        raise FindingError(finding("LLB-L114", "the worker processes do not start", actual=error)) from error


def check_scheduler(address: str) -> None:
    """Make sure that a scheduler answers; worth asking before expensive work, too.

    Raises:
        FindingError: LLB-L110 nobody answers there, or no scheduler.
    """
    with _quiet():
        try:
            asyncio.run(_ask(address))
        # OSError or TimeoutError where nobody answers, ValueError where the address cannot be parsed or its
        # protocol is unknown, and anything where whoever answers speaks another language.
        except Exception as error:
            raise FindingError(finding("LLB-L110", pointer=address)) from error


@contextmanager
def remote_workers(address: str) -> Generator[Workers]:
    """The workers of a scheduler.

    Raises:
        FindingError: LLB-L110 nobody answers there, or no scheduler.
    """
    # A client that finds nobody complains about itself for a long time.
    check_scheduler(address)
    with _quiet(), Client(address, timeout=_CONNECT_SECONDS, set_as_default=False) as client:
        yield Workers(client)


async def _ask(address: str) -> None:
    async with asyncio.timeout(_CONNECT_SECONDS), rpc(address) as scheduler:
        identity: Any = await scheduler.identity()
        if identity["type"] != "Scheduler":
            raise ValueError(identity["type"])


def through_dask(
    workers: Workers,
    teacher: Teacher,
    chunks: Mapping[int, Floats],
    say: Callable[[Finding], None],
) -> Iterator[tuple[int, Labels, float]]:
    """Label chunks of signals, yielding number, labels and seconds of each as it is done, in no fixed order.

    A chunk whose worker dies goes to another one.

    Args:
        workers: who does the work.
        teacher: what labels; every worker gets it once.
        chunks: (n, n_bins) signals by number of chunk.
        say: told when nobody is there to work yet.

    Raises:
        FindingError: LLB-T002 a chunk has killed several workers, or all of ours; LLB-L111 the scheduler is
            gone; LLB-L112 a worker has another engine, or none; LLB-L114 a worker failed otherwise; what the
            teacher raises.
    """
    client = workers.client
    threads = sum(cast(dict[str, int], client.nthreads()).values())
    if not threads:
        say(finding("LLB-L113"))
    order = _Order(client, teacher)
    waiting = iter(chunks.items())
    with _faults():
        first = [order.send(*item) for item in islice(waiting, max(_AHEAD, 2 * threads))]
        done = as_completed(first, loop=client.loop)
        while done.count():
            if not done.has_ready():
                if workers.gone():
                    raise FindingError(finding("LLB-T002"))
                time.sleep(_LOOK_SECONDS)
                continue
            future = next(done)
            labels, seconds = future.result()
            done.update([order.send(*item) for item in islice(waiting, 1)])
            yield order.numbers.pop(str(future.key)), labels, seconds


class _Order:
    """What is sent to the scheduler: the teacher once, then chunks.

    Attributes:
        numbers: number of the chunk by the key of its task.
    """

    def __init__(self, client: Client, teacher: Teacher) -> None:
        self.client, self.run, self.made_by = client, uuid.uuid4().hex[:12], engine()
        blob = packed(teacher)
        self.digest = hashlib.sha256(blob).hexdigest()
        self.teacher = client.submit(hand_over, blob, key=f"llb-teacher-{self.run}", pure=False)
        self.numbers: dict[str, int] = {}

    def send(self, number: int, signals: Floats) -> Future[Any]:
        """Send a chunk."""
        key = f"llb-chunk-{self.run}-{number}"
        self.numbers[key] = number
        return self.client.submit(
            label_chunk, self.teacher, self.digest, self.made_by, signals, key=key, pure=False
        )


@contextmanager
def _faults() -> Generator[None]:
    """Turn what Dask and its workers raise into findings."""
    try:
        yield
    except FindingError:
        raise
    except KilledWorker as error:
        raise FindingError(finding("LLB-T002")) from error
    except (CancelledError, CommClosedError) as error:
        raise FindingError(finding("LLB-L111")) from error
    except EngineMismatchError as error:
        raise FindingError(finding("LLB-L112", expected=str(engine()), actual=str(error))) from error
    # What a worker cannot unpickle surfaces as an import error of ours or of a library's.
    except (ImportError, AttributeError) as error:
        raise FindingError(finding("LLB-L112", actual=error)) from error
    except GeneratorExit:
        raise
    except Exception as error:
        raise FindingError(finding("LLB-L114", actual=f"{type(error).__name__}: {error}"[:300])) from error


@contextmanager
def _deaf_to_interruptions() -> Generator[None]:
    """Threads begun inside, and the processes that they begin, now and later, do not hear of Ctrl-C.

    It is for this process, which then ends them; each would say goodbye with a traceback otherwise.
    """
    if not hasattr(signal, "pthread_sigmask"):  # Windows
        yield
        return
    # Otherwise it begins with the first process, and unblocks the signal in the thread of that moment.
    resource_tracker.ensure_running()
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


@contextmanager
def _quiet() -> Generator[None]:
    """Keep what Dask logs and warns of to itself: what matters becomes a finding."""
    names = [name for name in logging.root.manager.loggerDict if name.split(".")[0] in _NOISY]
    loud = [logger for logger in map(logging.getLogger, names) if not logger.disabled]
    for logger in loud:
        logger.disabled = True
    try:
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", module=r"distributed\.")
            yield
    finally:
        for logger in loud:
            logger.disabled = False
