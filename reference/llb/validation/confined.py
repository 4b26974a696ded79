"""Levels 3 to 6 in a process of their own, with limits of time and memory (SECURITY-6).

A graph runs native code on numbers that a stranger has chosen. It may run for ever, fill the memory or
crash; this process only ever sees bytes of it. Files were read and checked here; the other process gets their
contents and opens none.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Sequence
from contextlib import suppress

from llb.bundle import Bundle, DensityBundle, Manifest
from llb.validation.handover import Request, read_result
from llb.validation.results import FIRST_LEVEL, LevelResult, Wanted
from llb.validation.run_limits import GIB, RunLimits
from llb_schema import Finding, FindingError, finding, has_errors

__all__ = ["CHILD", "run_confined"]

CHILD = (sys.executable, "-P", "-m", "llb.validation.confined_child")
"""The other process. `-P`: nothing is imported from the folder in which somebody validates a bundle."""

_PLACE = "/graphs"
_MAX_REPLY = 16 * 2**20
_BYTES_PER_NUMBER = 32
# One thread: more would cost address space and processor time, and a small graph gains nothing by them.
_ONE_THREAD = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")


def run_confined(
    bundle: Bundle | DensityBundle,
    level: int,
    limits: RunLimits,
    wanted: Wanted | None = None,
    *,
    command: Sequence[str] = CHILD,
) -> tuple[LevelResult, ...]:
    """The results of `run_levels`, from another process.

    If that process does not come to its end, the last result has the finding that says why: `LLB-G016`, the
    time was up; `LLB-G017`, the memory; `LLB-G018`, it crashed or said what no validator says.

    Args:
        bundle: one that has passed level 2.
        level: 3 to 6.
        limits: of the process.
        wanted: for level 6, which fresh points.
        command: what is started.
    """
    request = Request(bundle, level, limits, wanted)
    try:
        sent = request.to_bytes()
    except FindingError as error:
        return (LevelResult(FIRST_LEVEL, error.findings),)
    except MemoryError:
        return (LevelResult(FIRST_LEVEL, (finding("LLB-G017", pointer=_PLACE),)),)
    try:
        reply, status, late = _converse(command, sent, limits.seconds, _most(request))
    except OSError as error:
        said = f"the process that runs the graph cannot be started: {error.strerror}"
        return (LevelResult(FIRST_LEVEL, (finding("LLB-G018", said),)),)
    results = _results(reply, request)
    reached = results[-1].level if results else FIRST_LEVEL - 1
    if results and (reached == level or has_errors(results[-1].findings)) and not late and status == 0:
        return results
    return (*results, LevelResult(min(reached + 1, level), (_end(status, late, limits),)))


def _most(request: Request) -> int:
    """Bytes that an honest answer keeps below."""
    manifest, wanted = request.bundle.manifest, request.wanted
    if wanted is None or not isinstance(manifest, Manifest):
        return _MAX_REPLY
    return _MAX_REPLY + wanted.points * (len(manifest.inputs) + len(manifest.own_curves)) * _BYTES_PER_NUMBER


def _results(reply: bytes, request: Request) -> tuple[LevelResult, ...]:
    """The whole lines of a reply that follow on each other as levels do, up to the first that does not."""
    results: list[LevelResult] = []
    for line in reply.split(b"\n")[:-1]:
        try:
            result = read_result(line, request)
        except (ValueError, KeyError, TypeError, FindingError):
            break
        expected = FIRST_LEVEL + len(results)
        if result.level != expected or expected > request.level:
            break
        results.append(result)
        if has_errors(result.findings):
            break
    return tuple(results)


def _end(status: int, late: bool, limits: RunLimits) -> Finding:
    """Why a process did not come to its end."""
    if late:
        return finding("LLB-G016", pointer=_PLACE, expected=f"at most {limits.seconds:g} s")
    if status == 0:
        said = "the process that runs the graph said what no validator says"
    elif status < 0:
        said = f"the process that runs the graph was ended by {_signal_name(-status)}"
    else:
        said = f"the process that runs the graph ended with exit status {status}"
    expected = f"an answer within {limits.memory / GIB:g} GiB of memory"
    return finding("LLB-G018", said, pointer=_PLACE, expected=expected)


def _signal_name(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"signal {number}"


def _converse(command: Sequence[str], sent: bytes, seconds: float, most: int) -> tuple[bytes, int, bool]:
    """What a process says to what it is sent, its exit status, and whether it was stopped for its time.

    It is stopped as well when it says more than `most` bytes, and then has said nothing.
    """
    late = threading.Event()
    with subprocess.Popen(
        command,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        # Native libraries print what they like, a bundle's strings among it; a terminal is not to see it.
        stderr=subprocess.DEVNULL,
        env={**os.environ, **_ONE_THREAD, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
        start_new_session=True,
    ) as child:

        def stop() -> None:
            late.set()
            _kill(child)

        timer = threading.Timer(seconds, stop)
        timer.start()
        try:
            if child.stdin is None or child.stdout is None:
                raise RuntimeError("pipes were asked for")
            with suppress(BrokenPipeError), child.stdin as stream:
                stream.write(sent)
            reply = child.stdout.read(most + 1)
            if len(reply) > most:
                return b"", 0, False
            status = child.wait()
        finally:
            timer.cancel()
            _kill(child)
    return reply, status, late.is_set()


def _kill(child: subprocess.Popen[bytes]) -> None:
    """Ends a process and, where there are such, its own group."""
    if child.poll() is not None:
        return
    if sys.platform == "win32":
        child.kill()
    else:
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(child.pid, signal.SIGKILL)
