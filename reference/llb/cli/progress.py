"""Progress on long work: one bar per stage, on stderr."""

from __future__ import annotations

import math
import sys
import time
from collections.abc import Callable
from types import TracebackType
from typing import Self

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    SpinnerColumn,
    Task,
    TaskID,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)

__all__ = ["Stage", "Stages", "download_stage"]

_SILENCE = 30.0
"""Seconds after which a stage without a bar says in a line how far it is."""


class Stage:
    """One stage under way; call it with the number of parts that were finished."""

    def __init__(self, bars: Progress, task: TaskID, live: bool) -> None:
        self._bars, self._task, self._live = bars, task, live
        self._note, self._spoke = "", time.perf_counter()

    def __call__(self, count: int) -> None:
        """Parts have been finished."""
        self._bars.advance(self._task, count)
        task = next(item for item in self._bars.tasks if item.id == self._task)
        if not self._live and not task.finished and time.perf_counter() - self._spoke > _SILENCE:
            self._spoke = time.perf_counter()
            _write(f"{self._line(task)}\n")

    def reach(self, done: int, _total: int) -> None:
        """So many parts are finished by now, of all."""
        task = next(item for item in self._bars.tasks if item.id == self._task)
        self(done - int(task.completed))

    def note(self, text: str) -> None:
        """Something to stand beside the bar, such as a rate."""
        self._note = text
        self._bars.update(self._task, note=text)

    def _line(self, task: Task) -> str:
        """How far it is, where there is no bar."""
        seconds, total = task.elapsed, task.total
        parts = [f"{task.completed:.0f} of {total:.0f}" if total else f"{task.completed:.0f} done"]
        parts += [self._note] if self._note else []
        if total and seconds and task.completed:
            parts.append(f"{seconds * (total / task.completed - 1):.0f} s left")
        return f"{task.description}: {', '.join(parts)}"


class Stages:
    """The stages of a command, one after the other; the beginning of one is the end of the one before.

    On a terminal each has a bar with the time left; elsewhere a line says that it has begun and ended.

    Attributes:
        seconds: wall time by stage, for those that have ended.
    """

    def __init__(self) -> None:
        self.seconds: dict[str, float] = {}
        console = Console(stderr=True)
        self._live = console.is_terminal
        self._console = console
        self._bars = Progress(
            SpinnerColumn(finished_text="[green]✓"),
            TextColumn("{task.description}"),
            BarColumn(bar_width=24),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
            TextColumn("left"),
            TimeRemainingColumn(),
            TextColumn("{task.fields[note]}"),
            console=console,
            disable=not self._live,
        )
        self._name = ""
        self._task: TaskID | None = None
        self._begun = 0.0

    def __enter__(self) -> Self:
        """Show the bars."""
        self._bars.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """End the last stage, if nothing went wrong, and leave the bars as they are."""
        if kind is None:
            self._end()
        self._bars.stop()

    def __call__(self, name: str, total: int) -> Stage:
        """A stage begins; `total` is the number of its parts, 0 if nobody knows."""
        self._end()
        self._name, self._begun = name, time.perf_counter()
        self._task = self._bars.add_task(name, total=total or None, note="")
        return Stage(self._bars, self._task, self._live)

    def say(self, line: str) -> None:
        """A line above the bars."""
        self._console.print(line, markup=False, highlight=False, soft_wrap=True)

    def _end(self) -> None:
        if self._task is None:
            return
        # What a stage did not count is done all the same.
        seconds = time.perf_counter() - self._begun
        self.seconds[self._name] = seconds
        task = self._bars.tasks[self._task]
        total = task.total if task.total is not None else max(task.completed, 1)
        self._bars.update(self._task, total=total, completed=total)
        self._task = None
        if not self._live:
            _write(f"{self._name}: {seconds:.1f} s\n")


def download_stage(stages: Stages, name: str) -> Callable[[int, int | None], None]:
    """A stage that is told how many bytes have arrived, and of how many; it shows MB."""
    stage: Stage | None = None
    shown = 0

    def arrived(done: int, total: int | None) -> None:
        nonlocal stage, shown
        if stage is None:
            stage = stages(f"Downloading {name} (MB)", math.ceil((total or 0) / 1e6))
        now = int(done / 1e6)
        # A download that had to begin anew goes back.
        stage(now - shown)
        shown = now

    return arrived


def _write(line: str) -> None:
    sys.stderr.write(line)
    sys.stderr.flush()
