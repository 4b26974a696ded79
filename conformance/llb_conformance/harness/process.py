"""A loader as a program: a line in, a line out, and an end whatever it does."""

from __future__ import annotations

import os
import queue
import shlex
import signal
import subprocess
from collections import deque
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import IO

from llb_conformance.harness.pipes import LineReader, LineWriter

__all__ = ["LoaderEndedError", "LoaderProcess", "NoReplyError", "split_command"]

# A reply of 100,000 numbers has some 2 MiB; what is far longer is no reply.
_LONGEST = 256 * 2**20
_LOG_LINES, _LOG_LINE = 200, 1 << 20
_GRACE = 2.0


class NoReplyError(Exception):
    """The loader did not answer in time."""


class LoaderEndedError(Exception):
    """The loader is no longer there; says how it ended."""


def split_command(command: str) -> tuple[str, ...]:
    """The parts of a command line; paths of files are made absolute, because the loader runs elsewhere.

    As in a shell, a program without a slash is one of the search path.

    Raises:
        ValueError: there are none, or a quotation does not end.
    """
    parts = shlex.split(command)
    if not parts:
        raise ValueError("the command is empty")
    return tuple(
        str(Path(part).absolute()) if Path(part).is_file() and (number or "/" in part) else part
        for number, part in enumerate(parts)
    )


class LoaderProcess:
    """A running loader. Everything that it starts ends with it.

    Attributes:
        log: the last lines of its standard error, which are a log and never a signal.

    Args:
        command: program and arguments.
        folder: where it runs: an empty folder that holds nothing to read.

    Raises:
        LoaderEndedError: it cannot be started.
    """

    def __init__(self, command: Sequence[str], folder: Path) -> None:
        self.log: deque[str] = deque(maxlen=_LOG_LINES)
        try:
            self._process = subprocess.Popen(
                command,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                bufsize=0,
                cwd=folder,
                # A session of its own, so that its children can be ended as well.
                start_new_session=True,
            )
        except OSError as error:
            raise LoaderEndedError(f"{command[0]} cannot be started: {error.strerror or error}") from error
        self._lines: queue.Queue[bytes | None] = queue.Queue()
        self._replies = LineReader(_pipe(self._process.stdout), self._lines.put, _LONGEST)
        self._errors = LineReader(_pipe(self._process.stderr), self._note, _LOG_LINE, cut=True)
        self._requests = LineWriter(_pipe(self._process.stdin))
        for thread in (self._replies, self._errors, self._requests):
            thread.start()

    def ask(self, line: str, timeout: float) -> str:
        """The line that answers this one.

        Raises:
            NoReplyError: there is none after `timeout` seconds.
            LoaderEndedError: the loader has ended, or its line has no end.
            ValueError: it has said something that nobody asked for, or its line is not UTF-8.
        """
        if not self._lines.empty():
            waiting = self._lines.get_nowait()
            if waiting is not None:
                raise ValueError(f"it said something that nobody asked for: {_shown(waiting)}")
            raise LoaderEndedError(self._ending())
        self._requests.put(line.encode() + b"\n")
        try:
            reply = self._lines.get(timeout=timeout)
        except queue.Empty:
            raise NoReplyError(f"no reply within {timeout:g} s") from None
        if reply is None:
            raise LoaderEndedError(self._ending())
        try:
            return reply.decode()
        except UnicodeDecodeError:
            raise ValueError(f"a line is not UTF-8: {_shown(reply)}") from None

    def end(self) -> int | None:
        """Ends the loader and all that it has started; returns its exit status, None if it had to be killed.

        It is given two seconds to end by itself: its standard input is closed.
        """
        self._requests.end()
        status: int | None = None
        with suppress(subprocess.TimeoutExpired):
            status = self._process.wait(timeout=_GRACE)
        self.kill()
        return status

    def kill(self) -> None:
        """Ends the loader at once."""
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()
        for thread in (self._requests, self._replies, self._errors):
            thread.end()

    def _ending(self) -> str:
        try:
            status = self._process.wait(timeout=_GRACE)
        except subprocess.TimeoutExpired:
            return "it closed its standard output"
        if status >= 0:
            return f"it ended with status {status}"
        named = -status in {item.value for item in signal.Signals}
        return f"it was ended by {signal.Signals(-status).name if named else f'signal {-status}'}"

    def _note(self, line: bytes | None) -> None:
        if line is not None:
            self.log.append(line.decode(errors="backslashreplace").rstrip("\n")[:2000])


def _pipe(stream: IO[bytes] | None) -> IO[bytes]:
    if stream is None:
        raise RuntimeError("the loader was started without pipes")
    return stream


def _shown(line: bytes) -> str:
    return ascii(line[:100].decode(errors="backslashreplace"))
