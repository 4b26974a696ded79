"""The command `llb train`: a bundle from a statistical model, or from labels that were made before."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import click

from llb.cli.failure import EXIT_FINDINGS, EXIT_OK, as_lines, printable
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

if TYPE_CHECKING:
    from llb.runtime import Signals
    from llb.validation import Report
    from llb_trainer.export.emit import Identity
    from llb_trainer.labels import LabelStore
    from llb_trainer.pipeline import PipelineResult
    from llb_trainer.plan import Plan
    from llb_trainer.teachers.contract import ExploringTeacher
    from llb_trainer.teachers.histfactory import OwnSignal, Workspace

__all__ = ["train_command"]

_NEEDED = ("jax", "flax", "optax", "orbax", "pyhf", "matplotlib")


@click.command("train", short_help="A bundle from a statistical model, or from its labels.")
@click.argument("source", type=PATH)
@click.option(
    "--out", type=PATH, required=True, help="The bundle: a directory, or a .zip or .tar.gz archive."
)
@click.option("--workspace", type=PATH, help="Where SOURCE is a label store: the workspace that it is of.")
@click.option("--recipe", type=PATH, help="Recipe file (TOML); the default recipe if left out.")
@click.option("--patchset", type=PATH, help="Published signals (pyhf patchset).")
@click.option("--signals", type=PATH, help="Published signals (JSON or CSV); bins left out are zero.")
@click.option(
    "--about",
    type=PATH,
    help="TOML file of authors, title, licence, references and analysis (docs/recipes.md).",
)
@click.option("--seed", type=click.IntRange(0), help="Of everything random; the recipe's if left out.")
@model_options
@click.option("--force", is_flag=True, help="Replace a bundle that is there already.")
@FORMAT
def train_command(
    source: Path,
    out: Path,
    workspace: Path | None,
    recipe: Path | None,
    patchset: Path | None,
    signals: Path | None,
    about: Path | None,
    seed: int | None,
    measurement: str | None,
    signal_modifiers: str | None,
    own_signal: OwnSignal,
    processes: int | None,
    force: bool,
    output: str,
) -> int:
    """A bundle from a statistical model, or from its labels.

    SOURCE is a background-only workspace (pyhf JSON) or a simplified likelihood (docs/simplified.md): its
    labels are made first. Or it is a label store that `llb label` has completed; then --workspace says of
    what. Trains an ensemble by the recipe, finds the exact limits of the published signals for comparison,
    writes the bundle OUT and validates it. A training that was killed goes on from its last checkpoint when
    the same command is given again.

    \b
    Example:
        llb train BkgOnly.json --patchset patchset.json --out search.llb
        llb train labels --workspace BkgOnly.json --recipe recipe.toml --out search.llb
        llb train CMS-SUS-19-006-agg.json --signals signals.csv --out search.llb
        llb train BkgOnly.json --patchset patchset.json --about about.toml --out search.llb
    """
    _check(source, workspace, recipe, patchset, signals, about, signal_modifiers)
    from llb.bundle import check_target
    from llb.cli.progress import Stages
    from llb.validation import validate
    from llb_trainer import pipeline
    from llb_trainer.about import read_about
    from llb_trainer.plan import Plan, read_plan
    from llb_trainer.teachers.simplified import is_simplified_likelihood

    check_target(out, overwrite=force)
    plan = (read_plan(recipe) if recipe else Plan()).seeded(seed)
    modifiers = None if signal_modifiers is None else MODIFIERS[signal_modifiers]
    plan = replace(plan, signal_modifiers=modifiers, processes=processes)
    store = _store(source, workspace)
    if store is None and is_simplified_likelihood(source):
        if patchset is not None or measurement is not None or signal_modifiers is not None:
            raise click.UsageError("patchsets, measurements and signal modifiers belong to workspaces")
        task = _simplified(source, signals)
    else:
        if store is not None:
            measurement = measurement or store.identity.model.measurement
            own_signal = cast("OwnSignal", store.identity.model.own_signal)
        task = _histfactory(workspace or source, measurement, own_signal, patchset, signals, plan, store)
    identity = read_about(about, task.identity) if about else task.identity
    with Stages() as stages:
        made = pipeline.run(
            task.open_teacher,
            task.published,
            identity,
            out,
            plan=plan,
            store=store,
            overwrite=force,
            on_stage=stages,
        )
        told = stages("Validating the bundle", 1)
        report = validate(out, limits=None)
        told(1)
    if output == "json":
        click.echo(json.dumps(_as_json(made, report, stages.seconds), indent=2, allow_nan=False))
    else:
        _print(made, report)
    return EXIT_OK if report.status == "ok" else EXIT_FINDINGS


def _check(
    source: Path,
    workspace: Path | None,
    recipe: Path | None,
    patchset: Path | None,
    signals: Path | None,
    about: Path | None,
    signal_modifiers: str | None,
) -> None:
    """What can be refused is refused before anything expensive."""
    if patchset is not None and signals is not None:
        raise click.UsageError("published signals come from --patchset or from --signals, not from both")
    if signal_modifiers is not None and workspace is not None:
        raise click.UsageError("the signal model of a label store is what its labels were made with")
    # A label store is a directory.
    require_files(None if source.is_dir() else source, workspace, recipe, patchset, signals, about)
    require_packages(_NEEDED)


@dataclass(frozen=True)
class _Task:
    """What is learned: a teacher yet to be opened, its published signals, and what the bundle is called."""

    open_teacher: Callable[[], ExploringTeacher]
    published: Signals | None
    identity: Identity


def _histfactory(
    path: Path,
    measurement: str | None,
    own_signal: OwnSignal,
    patchset: Path | None,
    signals: Path | None,
    plan: Plan,
    store: LabelStore | None,
) -> _Task:
    from llb_trainer.about import workspace_identity
    from llb_trainer.pipeline import open_workspace
    from llb_trainer.teachers.histfactory import read_workspace

    search = read_workspace(path, measurement, own_signal=own_signal)
    for line in remarks(search):
        click.echo(line, err=True)
    return _Task(
        partial(open_workspace, search, plan, store),
        _published(search, patchset, signals, plan),
        workspace_identity(search, patchset, embedded=False),
    )


def _simplified(path: Path, signals: Path | None) -> _Task:
    from llb_trainer.about import simplified_identity
    from llb_trainer.teachers.simplified import read_simplified_likelihood, simplified_teacher

    search = read_simplified_likelihood(path)
    say(search.warnings)
    published = None if signals is None else signals_of(signals, search.bins)
    return _Task(partial(simplified_teacher, search), published, simplified_identity(search))


def _store(source: Path, workspace: Path | None) -> LabelStore | None:
    if not source.is_dir():
        if workspace is not None:
            raise click.UsageError("--workspace belongs to a label store; here SOURCE is the workspace")
        return None
    if workspace is None:
        raise click.UsageError("a label store needs the --workspace that it is of")
    from llb_trainer.labels import open_store

    return open_store(source)


def _published(search: Workspace, patchset: Path | None, signals: Path | None, plan: Plan) -> Signals | None:
    if signals is not None:
        return signals_of(signals, search.bins)
    if patchset is None:
        return None
    from llb_trainer.comparison import published_signals

    learned = plan.signal_modifiers if plan.signal_modifiers is not None else ("lumi",)
    found = published_signals(patchset, search, learned)
    say(found.findings)
    return found


def _as_json(
    made: PipelineResult[ExploringTeacher], report: Report, seconds: dict[str, float]
) -> dict[str, Any]:
    manifest = made.model.bundle.manifest
    return {
        "status": report.status,
        "level": report.level,
        "findings": [item.to_json() for item in report.findings],
        "bundle": str(made.bundle),
        "seconds": seconds,
        "labels": len(made.labels.training.signals),
        "metrics": [asdict(metric) for metric in manifest.validation.metrics],
        "coverage": [asdict(item) for item in manifest.uncertainty.coverage],
    }


def _print(made: PipelineResult[ExploringTeacher], report: Report) -> None:
    from rich.console import Console
    from rich.table import Table

    manifest = made.model.bundle.manifest
    table = Table(
        box=None, pad_edge=False, header_style="bold", title="|error of Delta NLL|, 0 <= Delta NLL <= 6"
    )
    table.add_column("curve")
    for name in ("points", "median", "95 %", "99 %", "largest", "within 1 sigma"):
        table.add_column(name, justify="right")
    covered = {item.curve: f"{100.0 * item.within_68:.1f} %" for item in manifest.uncertainty.coverage}
    for metric in manifest.validation.metrics:
        if metric.region == "decision":
            numbers = (f"{value:.2g}" for value in (metric.median, metric.p95, metric.p99, metric.max))
            table.add_row(metric.curve, str(metric.count), *numbers, covered.get(metric.curve, "-"))
    console = Console(highlight=False, markup=False)
    console.print(table, width=console.width if console.is_terminal else max(console.width, 100))
    console.print(printable(f"Bundle: {made.bundle} (validation: {report.status}, level {report.level})"))
    for line in as_lines(report.findings):
        console.print(line)
