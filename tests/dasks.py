"""Real Dask processes on the loopback interface, started and ended by tests."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Generator
from contextlib import contextmanager
from pathlib import Path

__all__ = ["TESTS", "Dask", "running_dask", "until"]

TESTS = Path(__file__).resolve().parent
"""Where modules lie that workers share with the tests."""


class Dask:
    """A scheduler and the workers that join it.

    Attributes:
        address: of the scheduler.
        scheduler: its process.
        workers: their processes.
    """

    def __init__(self, folder: Path, environment: dict[str, str]) -> None:
        self._folder, self._environment = folder, environment
        self.workers: list[subprocess.Popen[bytes]] = []
        contact = folder / "scheduler.json"
        self.scheduler = self._start(
            "scheduler", "--host", "127.0.0.1", "--port", "0", "--no-dashboard",
            "--scheduler-file", str(contact),
        )  # fmt: skip
        until(lambda: contact.exists() and contact.read_bytes().endswith(b"}"))
        self.address: str = json.loads(contact.read_bytes())["address"]

    def add_worker(self, threads: int = 1) -> subprocess.Popen[bytes]:
        """Start one more worker; nobody replaces it when it dies."""
        worker = self._start(
            "worker", self.address, "--no-nanny", "--no-dashboard", "--nthreads", str(threads)
        )
        self.workers.append(worker)
        return worker

    def end(self) -> None:
        """End whatever still runs."""
        for process in (*self.workers, self.scheduler):
            process.kill()
            process.wait()

    def _start(self, *arguments: str) -> subprocess.Popen[bytes]:
        log = (self._folder / f"{arguments[0]}-{len(self.workers)}.log").open("wb")
        with log:
            return subprocess.Popen(
                [sys.executable, "-m", "dask", *arguments],
                cwd=self._folder,
                env={**os.environ, "PYTHONPATH": str(TESTS), **self._environment},
                stdout=log,
                stderr=subprocess.STDOUT,
            )


@contextmanager
def running_dask(folder: Path, workers: int = 0, **environment: str) -> Generator[Dask]:
    """A scheduler with so many workers of one thread."""
    folder.mkdir(exist_ok=True)
    dask = Dask(folder, environment)
    try:
        for _ in range(workers):
            dask.add_worker()
        yield dask
    finally:
        dask.end()


def until(happened: Callable[[], bool], seconds: float = 240.0) -> None:
    """Wait for something that other processes do; after so long it will not come."""
    end = time.monotonic() + seconds
    while not happened():
        assert time.monotonic() < end, "it never happened"
        time.sleep(0.02)
