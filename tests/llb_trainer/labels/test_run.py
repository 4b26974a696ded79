"""Labels by real processes: the same as without them, whatever happens to workers and schedulers."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import fields
from pathlib import Path

import numpy as np
import pytest
from counting import CountingTeacher, DyingTeacher, LonelyTeacher, SlowTeacher, counting_identity
from dasks import TESTS, Dask, running_dask
from numpy.typing import NDArray

from llb_schema import Finding, FindingError
from llb_trainer.labels import Watch, Where, create_store, label_signals, open_store, writing
from llb_trainer.labels.identity import Engine
from llb_trainer.labels.run import CHUNK, label_store
from llb_trainer.teachers.contract import CurveLabels, Labels

TEACHER = CountingTeacher()
SIGNALS = np.random.default_rng(0).exponential(3.0, size=(1100, 2))
NAMES = tuple(f"s{row}" for row in range(len(SIGNALS)))


@pytest.fixture(scope="module")
def dask(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Dask]:
    """A scheduler with one worker of several threads, as strangers may have."""
    with running_dask(tmp_path_factory.mktemp("dask")) as running:
        running.add_worker(threads=4)
        yield running


def same(one: Labels, other: Labels) -> None:
    np.testing.assert_array_equal(one.signals, other.signals)
    for first, second in zip(one.curves, other.curves, strict=True):
        for item in fields(CurveLabels)[1:]:
            assert getattr(first, item.name).tobytes() == getattr(second, item.name).tobytes()


def code(error: pytest.ExceptionInfo[FindingError]) -> str:
    (found,) = error.value.findings
    return found.code


def make(path: Path, chunk: int = 20) -> Path:
    create_store(path, counting_identity(NAMES, SIGNALS, chunk), NAMES, SIGNALS, SIGNALS[:1])
    return path


@pytest.mark.parametrize("processes", [0, 1, 2])
def test_workers_give_what_the_teacher_gives(processes: int) -> None:
    told: list[int] = []
    labels = label_signals(TEACHER, SIGNALS, processes=processes, progress=told.append)
    same(labels, TEACHER.label(SIGNALS))
    assert processes == 0 or sum(told) == len(SIGNALS)


def test_the_last_chunk_may_be_short() -> None:
    for n in (1, CHUNK, CHUNK + 1):
        same(label_signals(TEACHER, SIGNALS[:n], processes=0), TEACHER.label(SIGNALS[:n]))


def test_a_teacher_that_kills_every_worker_is_one_finding(capfd: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(FindingError) as caught:
        label_signals(DyingTeacher(), np.ones((10, 2)), processes=1)
    assert code(caught) == "LLB-T002"
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize(
    "address", ["tcp://127.0.0.1:9", "127.0.0.1:9", "nonsense", ":", "what://x:1", "tcp://"]
)
def test_a_scheduler_that_is_not_there_is_one_finding(
    address: str, capfd: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(FindingError) as caught:
        label_signals(TEACHER, SIGNALS, scheduler=address)
    assert code(caught) == "LLB-L110"
    assert capfd.readouterr() == ("", "")


def test_a_server_that_is_no_scheduler_is_one_finding(capfd: pytest.CaptureFixture[str]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server, pytest.raises(FindingError) as caught:
        label_signals(TEACHER, SIGNALS, scheduler=f"tcp://127.0.0.1:{server.getsockname()[1]}")
    assert code(caught) == "LLB-L110"
    assert capfd.readouterr() == ("", "")


# A shell's background jobs ignore Ctrl-C, and what they start does too unless it is told.
INTERRUPTED = """
import signal

import numpy as np
from counting import SlowTeacher
from llb_trainer.labels import label_signals

if __name__ == "__main__":
    signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        label_signals(SlowTeacher(), np.ones((9999, 2)), processes=1, progress=lambda n: print(n, flush=True))
    except KeyboardInterrupt:
        print("interrupted")
"""


def test_an_interruption_is_quiet(tmp_path: Path) -> None:
    """Ctrl-C reaches the workers as well, which leave it to the process that has them."""
    (tmp_path / "program.py").write_text(INTERRUPTED)
    with subprocess.Popen(
        [sys.executable, "program.py"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(TESTS)},
        start_new_session=True,
    ) as run:
        assert run.stdout is not None
        assert run.stdout.readline() == f"{CHUNK}\n"
        os.killpg(run.pid, signal.SIGINT)
        out, err = run.communicate()
    assert out.splitlines()[-1] == "interrupted"
    assert err == ""


def test_a_killed_worker_costs_its_chunk_only(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    """Two workers, one killed while it labels: all labels are there and right."""
    with running_dask(tmp_path / "dask", workers=2) as dask, writing(make(tmp_path / "store")) as store:
        done = 0

        def kill_one(count: int) -> None:
            nonlocal done
            done += count
            if done == 200:
                dask.workers[0].send_signal(signal.SIGKILL)

        watch = Watch(signals=kill_one)
        label_store(SlowTeacher(), store, Where(dask.address), watch)
        assert dask.workers[0].wait() == -signal.SIGKILL
        assert dask.workers[1].poll() is None
    assert done == len(SIGNALS)
    labels = label_signals(TEACHER, SIGNALS, store=open_store(tmp_path / "store"))
    same(labels, TEACHER.label(SIGNALS))
    assert capfd.readouterr() == ("", "")


def test_a_scheduler_that_dies_leaves_what_is_done(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    path = make(tmp_path / "store")
    with running_dask(tmp_path / "dask", workers=1) as dask, writing(path) as store:
        done = 0

        def kill_scheduler(count: int) -> None:
            nonlocal done
            done += count
            if done == 100:
                dask.scheduler.send_signal(signal.SIGKILL)

        with pytest.raises(FindingError) as caught:
            label_store(SlowTeacher(), store, Where(dask.address), Watch(signals=kill_scheduler))
        assert code(caught) == "LLB-L111"
    assert 5 <= len(open_store(path).records) < 55
    with writing(path) as store:
        same(label_signals(TEACHER, SIGNALS, store=store, processes=0), TEACHER.label(SIGNALS))
    assert capfd.readouterr() == ("", "")


def test_workers_may_come_late(tmp_path: Path) -> None:
    said: list[Finding] = []
    with running_dask(tmp_path / "dask") as dask, writing(make(tmp_path / "store")) as store:

        def hire(item: Finding) -> None:
            said.append(item)
            dask.add_worker()

        label_store(TEACHER, store, Where(dask.address), Watch(finding=hire))
        assert store.missing == ()
    assert [item.code for item in said] == ["LLB-L113"]


def test_a_worker_with_several_threads_labels_one_chunk_at_a_time(tmp_path: Path, dask: Dask) -> None:
    with writing(make(tmp_path / "store", 100)) as store:
        label_store(LonelyTeacher(), store, Where(dask.address), Watch())
        assert store.missing == ()


def test_a_worker_of_another_engine_is_refused(dask: Dask, monkeypatch: pytest.MonkeyPatch) -> None:
    newer = Engine("llb 9.9.9 engine 99", {})
    monkeypatch.setattr("llb_trainer.labels.cluster.engine", lambda: newer)
    with pytest.raises(FindingError) as caught:
        label_signals(TEACHER, SIGNALS, scheduler=dask.address)
    assert code(caught) == "LLB-L112"
    assert caught.value.findings[0].expected == str(newer)


class _OnlyHere(CountingTeacher):
    """Of a module that no worker can import."""


def test_a_worker_that_does_not_know_the_teacher_is_refused(dask: Dask) -> None:
    with pytest.raises(FindingError) as caught:
        label_signals(_OnlyHere(), SIGNALS, scheduler=dask.address)
    assert code(caught) == "LLB-L112"


def test_what_a_store_holds_is_not_made_again(tmp_path: Path) -> None:
    with writing(make(tmp_path / "store", 550)) as store:
        store.write(0, TEACHER.label(SIGNALS[:550]), 0.0)
        told: list[Labels] = []

        class Told(CountingTeacher):
            def label(self, signals: NDArray[np.float64], progress: object = None) -> Labels:
                told.append(super().label(signals, progress))
                return told[-1]

        label_store(Told(), store, Where(processes=0), Watch())
    assert [len(labels.signals) for labels in told] == [550]
    np.testing.assert_array_equal(told[0].signals, SIGNALS[550:])
