"""What a quickstart was asked and what came of it, as JSON and for people."""

from __future__ import annotations

import math
import shlex
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from llb.cli.failure import as_lines, printable

if TYPE_CHECKING:
    from llb.runtime import Signals
    from llb.validation import Report
    from llb_trainer.comparison import Comparison
    from llb_trainer.peer import SystematicsEffect
    from llb_trainer.pipeline import PipelineResult
    from llb_trainer.teachers.histfactory import HistFactoryTeacher, Workspace

__all__ = ["QuickstartOutcome", "QuickstartTask", "print_quickstart", "quickstart_document"]


@dataclass(frozen=True)
class QuickstartTask:
    """What a quickstart was asked to do; everything in it has been checked."""

    search: Workspace
    embedded: bool
    patchset: Path | None
    published: Signals | None
    out: Path
    picture: Path
    overwrite: bool
    points: int
    seed: int


@dataclass(frozen=True)
class QuickstartOutcome:
    """What came of it."""

    task: QuickstartTask
    made: PipelineResult[HistFactoryTeacher]
    report: Report
    comparison: Comparison
    effect: SystematicsEffect | None


def quickstart_document(outcome: QuickstartOutcome, seconds: dict[str, float]) -> dict[str, Any]:
    """The outcome as a JSON object.

    Args:
        outcome: what came of it.
        seconds: wall time by stage.
    """
    from llb_trainer.comparison import comparison_json

    effect = outcome.effect
    return {
        "status": outcome.report.status,
        "findings": [item.to_json() for item in outcome.report.findings],
        "bundle": str(outcome.task.out),
        "picture": str(outcome.task.picture),
        "seconds": seconds,
        **comparison_json(outcome.comparison),
        "signal_model": list(outcome.made.teacher.signal_modifiers),
        "signal_systematics": effect
        and {"name": effect.name, "cls_yields_only": effect.cls_yields_only, "cls_full": effect.cls_full},
        "next": _next(outcome.task),
    }


def print_quickstart(outcome: QuickstartOutcome, seconds: float) -> None:
    """Prints the outcome for people; `seconds` is the wall time of the whole run."""
    from rich.console import Console

    from llb_trainer.comparison import comparison_notes, comparison_table, duration, timing_sentence

    console = Console(highlight=False, markup=False, soft_wrap=True)
    comparison = outcome.comparison
    # Where nobody watches, lines may be as long as the table.
    width = console.width if console.is_terminal else max(console.width, 120)
    console.print(comparison_table(comparison), width=width, soft_wrap=False)
    for note in comparison_notes(comparison):
        console.print(printable(note))
    worst = comparison.worst_cls_difference
    if math.isfinite(worst):
        console.print(f"Largest difference of CLs where 1e-3 < CLs < 1: {100.0 * worst:.2f} %.")
    console.print(timing_sentence(comparison))
    console.print(printable(_about_signal(outcome)))
    console.print(f"\nWhole run: {duration(seconds)}.")
    report = outcome.report
    console.print(
        printable(f"Bundle:  {outcome.task.out} (validation: {report.status}, level {report.level})")
    )
    for line in as_lines(report.findings):
        console.print(line)
    console.print(printable(f"Picture: {outcome.task.picture}"))
    console.print("\nNext:")
    for line in _next(outcome.task):
        console.print(printable(f"  {line}"))


def _about_signal(outcome: QuickstartOutcome) -> str:
    """Which signal model the bundle learned, and what it leaves out."""
    modifiers = outcome.made.teacher.signal_modifiers
    learned = (
        f"Signal model: yields with {' and '.join(modifiers)}" if modifiers else "Signal model: yields only"
    )
    effect = outcome.effect
    if effect is None:
        return f"{learned}."
    change = 100.0 * (effect.cls_full / effect.cls_yields_only - 1.0)
    return (
        f"{learned}. With all uncertainties of the published signal {effect.name}, its CLs by pyhf is "
        f"{effect.cls_full:.4g} instead of {effect.cls_yields_only:.4g} ({change:+.1f} %)."
    )


def _next(task: QuickstartTask) -> list[str]:
    bundle = shlex.quote(str(task.out))
    commands = [f"llb show {bundle}", f"llb validate {bundle}"]
    if task.patchset is not None and not task.embedded:
        commands.append(f"llb limit {bundle} --patchset {shlex.quote(str(task.patchset))}")
    return commands
