"""What several commands are given: options, and workspaces and signals before there is a bundle."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from llb.cli.failure import as_lines
from llb_schema import Finding, FindingError, finding

if TYPE_CHECKING:
    from llb.runtime import Signals
    from llb_trainer.teachers.histfactory import Workspace

__all__ = [
    "FORMAT",
    "MODIFIERS",
    "PATH",
    "model_options",
    "remarks",
    "require_files",
    "require_packages",
    "say",
    "signals_of",
]

PATH = click.Path(path_type=Path)
"""A path; whether something is there is for the command to say."""

FORMAT = click.option(
    "--format",
    "output",
    type=click.Choice(["text", "json"]),
    default="text",
    show_default=True,
    help="Output for people or for programs.",
)
"""The option of every command whose output a program may read as JSON."""

MODIFIERS = {"lumi": ("lumi",), "none": ()}
"""Signal modifiers by their name on a command line."""


def model_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """The options that say what of a workspace is meant, and who works on it."""
    options = (
        click.option("--measurement", help="Measurement of the workspace; its first one if left out."),
        click.option(
            "--signal-modifiers",
            type=click.Choice(list(MODIFIERS)),
            help="What multiplies the signal besides mu.  [default: lumi where the workspace has it]",
        ),
        click.option(
            "--own-signal",
            type=click.Choice(["float", "drop", "refuse"]),
            default="float",
            show_default=True,
            help="Samples that carry the workspace's POI: float with it, drop them, or refuse the workspace.",
        ),
        click.option(
            "--processes",
            type=click.IntRange(0),
            help="Worker processes on this machine.  [default: one per core]",
        ),
    )
    for option in reversed(options):
        command = option(command)
    return command


def remarks(search: Workspace) -> list[str]:
    """What somebody should know of the workspace before its labels are used."""
    lines = as_lines(list(search.warnings)) if search.warnings else []
    if search.poi in search.model.config.parameters:
        lines.append(
            f"note: samples of {search.name} carry the POI {search.poi}; it floats as a free normalisation "
            "beside the signal (--own-signal drop leaves these samples out)"
        )
    return lines


def signals_of(path: Path, bins: Sequence[tuple[str, int]]) -> Signals:
    """The signals of a file by bins (channel and index), those that it leaves out at zero."""
    from llb.runtime import BinNames, read_signals

    signals = read_signals(path, BinNames.of_bins(bins), allow_zero=True)
    lowest = signals.yields.min(axis=1).tolist()
    say(
        finding("LLB-Y008", pointer=f"{path}: {name}")
        for name, value in zip(signals.names, lowest, strict=True)
        if value < 0
    )
    return signals


def require_files(*paths: Path | None) -> None:
    """Refuse what is named and is no file, before anything expensive."""
    for path in paths:
        if path is not None and not path.is_file():
            raise FindingError(finding("LLB-X003", f"there is no file {path}", pointer=str(path)))


def require_packages(names: Iterable[str]) -> None:
    """Refuse to begin without a package that is needed later; the error says which extra has it."""
    for name in names:
        if find_spec(name) is None:
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)


def say(findings: Iterable[Finding]) -> None:
    """Findings on stderr, a line each."""
    for line in as_lines(findings):
        click.echo(line, err=True)
