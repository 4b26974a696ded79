"""Lines from a pipe, and lines into one, by threads that can always be told to end.

A loader may stop reading, or leave a child that keeps its pipes open: nobody here waits for either.
"""

from __future__ import annotations

import os
import queue
import selectors
import threading
from collections.abc import Callable
from contextlib import suppress
from typing import IO

__all__ = ["LineReader", "LineWriter"]

_LOOK = 0.2
"""Seconds after which a thread that waits looks whether it has to end."""
_CHUNK = 1 << 16


class LineReader(threading.Thread):
    """Gives lines as they come, and None at the end.

    Args:
        stream: the reading end of a pipe, unbuffered.
        give: is called with every line, its end included, and once with None.
        longest: bytes of a line.
        cut: whether a longer one is cut; otherwise it is the end.
    """

    def __init__(
        self, stream: IO[bytes], give: Callable[[bytes | None], object], longest: int, *, cut: bool = False
    ) -> None:
        super().__init__(daemon=True)
        self._stream, self._give, self._longest, self._cut = stream, give, longest, cut
        self._ended = threading.Event()
        os.set_blocking(stream.fileno(), False)

    def run(self) -> None:
        """Reads until the pipe ends, or somebody has had enough."""
        rest = b""
        with selectors.DefaultSelector() as selector:
            selector.register(self._stream, selectors.EVENT_READ)
            while not self._ended.is_set() and len(rest) <= self._longest:
                if not selector.select(_LOOK):
                    continue
                chunk = os.read(self._stream.fileno(), _CHUNK)
                if not chunk:
                    break
                *lines, rest = (rest + chunk).split(b"\n")
                for line in lines:
                    self._give(line + b"\n")
                if self._cut and len(rest) > self._longest:
                    self._give(rest + b"\n")
                    rest = b""
        # What has no end of its line is no reply.
        self._give(None)

    def end(self) -> None:
        """Ends the thread and closes the pipe."""
        self._ended.set()
        self.join()
        self._stream.close()


class LineWriter(threading.Thread):
    """Writes lines in the order in which they come.

    Args:
        stream: the writing end of a pipe, unbuffered.
    """

    def __init__(self, stream: IO[bytes]) -> None:
        super().__init__(daemon=True)
        self._stream = stream
        self._lines: queue.Queue[bytes] = queue.Queue()
        self._ended = threading.Event()
        os.set_blocking(stream.fileno(), False)

    def put(self, line: bytes) -> None:
        """A line to be written; whoever does not read it does not answer it."""
        self._lines.put(line)

    def run(self) -> None:
        """Writes until nobody reads any more, or somebody has had enough."""
        with suppress(OSError), selectors.DefaultSelector() as selector:
            selector.register(self._stream, selectors.EVENT_WRITE)
            while not self._ended.is_set():
                with suppress(queue.Empty):
                    self._write(selector, self._lines.get(timeout=_LOOK))

    def _write(self, selector: selectors.BaseSelector, line: bytes) -> None:
        rest = memoryview(line)
        while rest and not self._ended.is_set():
            if selector.select(_LOOK):
                rest = rest[os.write(self._stream.fileno(), rest[:_CHUNK]) :]

    def end(self) -> None:
        """Ends the thread and closes the pipe: the loader sees the end of its input."""
        self._ended.set()
        self.join()
        self._stream.close()
