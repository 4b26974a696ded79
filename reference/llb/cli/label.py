"""The command `llb label`: exact profile likelihoods of many signals, or of those in a file."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from llb.cli.failure import as_lines, printable
from llb.cli.given import (
    FORMAT,
    MODIFIERS,
    PATH,
    model_options,
    remarks,
    require_files,
    require_packages,
    say,
    signals_of,
)
from llb_schema import Finding, finding

if TYPE_CHECKING:
    from llb.cli.progress import Stages
    from llb.runtime import Signals
    from llb_trainer.labels.campaign import Labelled
    from llb_trainer.labels.request import Campaign
    from llb_trainer.teachers.histfactory import OwnSignal, Workspace

__all__ = ["label_command"]

_NEEDED = ("jax", "pyhf", "distributed", "pyarrow")


@dataclass(frozen=True)
class _Options:
    """What the command line says about the signals and the work."""

    out: Path | None
    signals: Path | None
    points: int | None
    strategy: str | None
    seed: int | None
    chunk: int | None
    patchset: Path | None
    scheduler: str | None
    processes: int | None
    resume: bool
    modifiers: tuple[str, ...] | None
    signal_uncertainty: float


@click.command("label", short_help="Exact profile likelihoods of signals, by the full statistical model.")
@click.argument("workspace", type=PATH)
@click.option("--out", type=PATH, help="Label store to make: a directory.")
@click.option("--signals", type=PATH, help="Label exactly these signals; bins left out are zero.")
@click.option("--points", type=click.IntRange(1), help="Signals to draw.  [default: 10000]")
@click.option("--strategy", help="How to draw them: mixed, rays, sobol or metropolis.  [default: mixed]")
@click.option("--seed", type=click.IntRange(0), help="Of everything random.")
@click.option("--patchset", type=PATH, help="Published signals, whose directions are sampled.")
@click.option("--scheduler", help="Address of a Dask scheduler, such as tcp://host:8786.")
@click.option("--chunk", type=click.IntRange(8, 8192), help="Signals in a chunk.  [default: 256]")
@click.option("--resume", is_flag=True, help="Go on with the store if it is there.")
@model_options
@click.option(
    "--signal-uncertainty",
    type=click.FloatRange(0.0, 1.0, max_open=True),
    default=0.0,
    help="Flat relative uncertainty of the signal yields, such as 0.1.  [default: none]",
)
@FORMAT
def label_command(
    workspace: Path,
    measurement: str | None,
    own_signal: OwnSignal,
    signal_modifiers: str | None,
    output: str,
    **options: Any,
) -> None:
    """Exact profile likelihoods of signals, by the full statistical model.

    Draws signals, fits them on all four data sets of the background-only WORKSPACE, and keeps the labels in
    the store OUT, from which a killed run goes on with --resume. With --signals labels exactly the signals of
    a file instead, and prints their labels.

    \b
    Example:
        llb label BkgOnly.json --out labels --points 20000 --patchset patchset.json
        llb label BkgOnly.json --out labels --resume --scheduler tcp://node17:8786
        llb label BkgOnly.json --signals signals.json --format json
    """
    modifiers = None if signal_modifiers is None else MODIFIERS[signal_modifiers]
    asked = _Options(modifiers=modifiers, **options)
    _check_usage(asked)
    require_files(workspace, asked.signals, asked.patchset)
    require_packages(_NEEDED)

    from llb_trainer.workers import one_thread_each, shared_compilation

    # This process fits as its workers do: the number of threads changes the last digits.
    with one_thread_each(), shared_compilation():
        from llb_trainer.teachers.histfactory import read_workspace

        search = read_workspace(workspace, measurement, own_signal=own_signal)
        for line in remarks(search):
            click.echo(line, err=True)
        if asked.signals is not None:
            given = signals_of(asked.signals, search.bins)
            entries = _label_given(_campaign(asked, search, given), given.names, asked)
            _echo_json(entries) if output == "json" else _print_entries(entries)
        elif asked.out is not None:
            done = _fill(_campaign(asked, search, None), asked.out, asked.resume)
            _echo_json(_summary(done)) if output == "json" else _print_summary(done)


def _check_usage(asked: _Options) -> None:
    if asked.out is None and asked.signals is None:
        raise click.UsageError("give --out for a label store, or --signals for the labels of a file")
    if asked.out is None and (asked.resume or asked.chunk is not None):
        raise click.UsageError("--resume and --chunk need the --out that they are about")
    if asked.signals is not None:
        for name in ("points", "strategy", "seed", "patchset"):
            if getattr(asked, name) is not None:
                raise click.UsageError(f"--{name} draws signals, but --signals gives them")
    if asked.scheduler is not None and asked.processes is not None:
        raise click.UsageError("--processes are on this machine, --scheduler has its own workers")


def _campaign(asked: _Options, workspace: Workspace, given: Signals | None) -> Campaign:
    from llb_trainer.comparison import published_signals
    from llb_trainer.labels.request import Campaign, Signals
    from llb_trainer.labels.run import Where

    published = None
    if asked.patchset is not None:
        learned = asked.modifiers if asked.modifiers is not None else ("lumi",)
        signals = published_signals(asked.patchset, workspace, learned)
        say(signals.findings)
        published = signals.yields
    wanted = Signals(
        asked.points,
        asked.strategy,
        asked.seed,
        asked.chunk,
        published,
        None if given is None else (given.names, given.yields),
    )
    where = Where(asked.scheduler or "", asked.processes)
    return Campaign(workspace, wanted, asked.modifiers, asked.signal_uncertainty, where)


def _label_given(campaign: Campaign, names: tuple[str, ...], asked: _Options) -> list[dict[str, Any]]:
    from llb_trainer.labels.campaign import label_given
    from llb_trainer.labels.entries import label_entries
    from llb_trainer.labels.store import read_labels

    if asked.out is not None:
        done = _fill(campaign, asked.out, asked.resume)
        return label_entries(names, read_labels(asked.out), done.store.identity.teacher)
    from llb.cli.progress import Stages

    with Stages() as stages:
        teacher, labels = label_given(campaign, _Board(stages))
    failed = int((~labels.usable).sum())
    if failed:
        say([finding("LLB-L120", f"{failed} of {len(names)} signals have no proven minimum")])
    return label_entries(names, labels, teacher)


def _fill(campaign: Campaign, out: Path, resume: bool) -> Labelled:
    from llb.cli.progress import Stages
    from llb_trainer.labels.campaign import fill_store
    from llb_trainer.labels.run import Watch

    with Stages() as stages:
        board = _Board(stages)
        watch = Watch(failures=board.failures, finding=board.finding)
        return fill_store(campaign, out, resume=resume, on_stage=board, watch=watch)


class _Board:
    """The stages on the terminal, with rate and failures beside the one that fits."""

    def __init__(self, stages: Stages) -> None:
        self._stages, self._failed = stages, 0

    def __call__(self, name: str, total: int) -> Callable[[int], None]:
        """A stage begins."""
        stage, began, done = self._stages(name, total), time.monotonic(), 0

        def advance(count: int) -> None:
            nonlocal done
            done += count
            if total > 1:
                rate = done / max(time.monotonic() - began, 1e-9)
                stage.note(f"{rate:.3g}/s, {self._failed} failed")
            stage(count)

        return advance

    def failures(self, count: int) -> None:
        """Some signals have no proven minimum."""
        self._failed += count

    def finding(self, item: Finding) -> None:
        """Something to be said at once."""
        for line in as_lines([item]):
            self._stages.say(line)


def _summary(done: Labelled) -> dict[str, Any]:
    """What came of it, for programs."""
    identity = done.store.identity
    total = len(done.store.names)
    return {
        "status": "ok",
        "findings": [item.to_json() for item in done.findings],
        "store": str(done.store.path),
        "labels": str(done.merged),
        "signals": total,
        "made": done.made,
        "chunks": done.store.n_chunks,
        "seconds": done.seconds,
        "signals_per_second": done.made / done.seconds if done.made else None,
        "failed": done.failed,
        "failed_fraction": done.failed / total,
        "curves": [{"name": item.name, "alias_of": item.alias_of} for item in identity.teacher.curves],
        "signal_modifiers": list(identity.teacher.signal_modifiers),
        "signal_uncertainty": identity.teacher.signal_uncertainty,
        "engine": str(identity.engine),
    }


def _print_summary(done: Labelled) -> None:
    identity = done.store.identity
    total, made = len(done.store.names), done.made
    rate = f"{made / done.seconds:.3g} signals/s" if made else "nothing was left to do"
    modifiers = " and ".join(identity.teacher.signal_modifiers) or "none"
    if identity.teacher.signal_uncertainty:
        modifiers += f", and {100.0 * identity.teacher.signal_uncertainty:g} % on its yields"
    curves = (
        f"{item.name} = {item.alias_of}" if item.alias_of else item.name for item in identity.teacher.curves
    )
    rows = {
        "Signals": f"{total}, {made} of them by this run ({rate})",
        "Failed": f"{done.failed} ({100.0 * done.failed / total:.2g} %)",
        "Curves": ", ".join(curves),
        "Signal modifiers": modifiers,
        "Store": f"{done.store.path} ({done.store.n_chunks} chunks)",
        "Labels": str(done.merged),
    }
    width = max(len(name) for name in rows)
    for name, text in rows.items():
        click.echo(printable(f"{name:<{width}}  {text}"))


def _print_entries(entries: list[dict[str, Any]]) -> None:
    """Delta NLL of the given signals as a table."""
    from rich.console import Console
    from rich.table import Table

    table = Table(box=None, pad_edge=False, header_style="bold")
    table.add_column("signal", no_wrap=True)
    for name in entries[0]["curves"]:
        table.add_column(f"Delta NLL\n{name}", justify="right", no_wrap=True)
    table.add_column("NLL\nobserved", justify="right", no_wrap=True)
    table.add_column("proven")
    for entry in entries:
        curves = entry["curves"].values()
        table.add_row(
            printable(entry["name"]),
            *(_text(curve["delta_nll"], ".6f") for curve in curves),
            _text(entry["curves"]["observed"]["nll"], ".6f"),
            "yes" if all(curve["converged"] for curve in curves) else "NO",
        )
    console = Console(highlight=False, markup=False)
    # Where nobody watches, lines may be as long as the table.
    console.print(table, width=console.width if console.is_terminal else max(console.width, 160))


def _text(value: float | None, form: str) -> str:
    return "-" if value is None else format(value, form)


def _echo_json(document: object) -> None:
    click.echo(json.dumps(document, indent=2, allow_nan=False))
