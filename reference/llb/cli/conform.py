"""Commands that test a loader: `llb conform run`, `smoke`, `list`, `report`, `init`, `mutants`."""

from __future__ import annotations

import fnmatch
import json
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from llb.cli.conform_run import run_suite, summary_lines
from llb.cli.failure import EXIT_FINDINGS, EXIT_UNUSABLE, printable
from llb.cli.given import FORMAT, PATH
from llb.cli.progress import Stages

if TYPE_CHECKING:
    from llb_conformance.harness import KnownFailure
    from llb_conformance.suite import Case

__all__ = ["conform_command"]

EXIT_SUITE = 3
_LANGUAGES = {"python": "loader.py", "javascript": "loader.mjs", "cpp": "loader.cpp"}

_LOADER = click.option(
    "--loader", required=True, metavar="COMMAND", help="Program and arguments that start the loader."
)
_TIMEOUT = click.option(
    "--timeout",
    type=click.FloatRange(0.0, 3600.0, min_open=True),
    default=10.0,
    show_default=True,
    metavar="S",
    help="Seconds for a reply.",
)
_START_TIMEOUT = click.option(
    "--start-timeout",
    type=click.FloatRange(0.0, 3600.0, min_open=True),
    default=60.0,
    show_default=True,
    metavar="S",
    help="Seconds for the first reply of a loader.",
)
_CLASSES = click.option(
    "--class",
    "classes",
    metavar="NAMES",
    help="Classes that have to pass, by commas: core, recommended, archives, gradient, limits, density.  "
    "[default: core and what the loader claims; recommended cases are run, and need not pass]",
)
_CASES = click.option(
    "--cases", metavar="GLOB", multiple=True, help="Only cases with such an id; repeatable."
)


@click.group("conform")
def conform_command() -> None:
    """Test a loader in any language against the standard.

    \b
    Example:
        llb conform init --lang cpp --out my-loader
        llb conform smoke --loader "./my-loader"
        llb conform run --loader "./my-loader" --report report
    """


@conform_command.command("run")
@_LOADER
@_CLASSES
@_CASES
@click.option("--known-failures", type=PATH, help="TOML file of cases that fail, and why.")
@click.option("--report", "folder", type=PATH, help="Folder for the report.")
@click.option(
    "--jobs", type=click.IntRange(1, 64), help="Loaders at a time.  [default: processors, at most 4]"
)
@click.option("--seed", type=click.IntRange(0), default=0, show_default=True, help="Of the order of cases.")
@_TIMEOUT
@_START_TIMEOUT
@FORMAT
@click.pass_context
def run_command(
    ctx: click.Context,
    loader: str,
    classes: str | None,
    cases: tuple[str, ...],
    known_failures: Path | None,
    folder: Path | None,
    jobs: int | None,
    seed: int,
    timeout: float,
    start_timeout: float,
    output: str,
) -> None:
    """Run the conformance suite on a loader.

    Ends with 0 if the loader conforms, or fails only where that is known; 1 if it does not; 2 if it cannot be
    started or does not speak the protocol; 3 if the suite itself is at fault.

    \b
    Example:
        llb conform run --loader "python -m llb.loader" --report report
        llb conform run --loader ./my-loader --class core,limits --known-failures known.toml
    """
    from llb_conformance.harness import Settings

    settings = Settings(
        command=_command(loader),
        timeout=timeout,
        start_timeout=start_timeout,
        jobs=jobs or min(os.cpu_count() or 1, 4),
        seed=seed,
    )
    asked = _classes(classes)
    chosen = _chosen(cases)
    known = _known(known_failures)
    summary = run_suite(settings, chosen, asked, known, folder)
    if output == "json":
        click.echo(json.dumps(summary.to_json(), indent=2, ensure_ascii=False))
    else:
        for line in summary_lines(summary, folder):
            click.echo(printable(line))
    ctx.exit(0 if summary.as_known else EXIT_FINDINGS)


@conform_command.command("smoke")
@_LOADER
@_TIMEOUT
@_START_TIMEOUT
@click.pass_context
def smoke_command(ctx: click.Context, loader: str, timeout: float, start_timeout: float) -> None:
    """Does the loader speak the protocol? A short talk, to be right before the suite is run.

    \b
    Example:
        llb conform smoke --loader "python my_loader.py"
    """
    from llb_conformance.harness import Settings, smoke

    found = smoke(Settings(_command(loader), timeout=timeout, start_timeout=start_timeout))
    if found.implementation is not None:
        who = found.implementation
        claims = ", ".join(sorted(who.classes))
        click.echo(printable(f"{who.name} {who.version} ({who.language}) claims {claims}"))
    for what, fault in found.steps:
        click.echo(printable(f"{'ok ' if not fault else 'no '} {what}{f': {fault}' if fault else ''}"))
    for line in () if found.passed else found.log:
        click.echo(printable(f"    {line}"), err=True)
    ctx.exit(0 if found.passed else EXIT_UNUSABLE)


@conform_command.command("list")
@_CLASSES
@_CASES
@FORMAT
def list_command(classes: str | None, cases: tuple[str, ...], output: str) -> None:
    """List the cases of the suite; as JSON, with their dialogues and what is expected.

    \b
    Example:
        llb conform list --class core
        llb conform list --cases "domain-*" --format json
    """
    asked = _classes(classes)
    chosen = [item for item in _chosen(cases) if asked is None or item.conformance_class in asked]
    if output == "json":
        click.echo(json.dumps([item.to_json() for item in chosen], indent=2, ensure_ascii=False))
        return
    width = max((len(item.id) for item in chosen), default=0)
    for item in chosen:
        click.echo(f"{item.id:{width}}  {item.conformance_class:11}  {item.description}")
    click.echo(f"{len(chosen)} cases")


@conform_command.command("report")
@click.argument("folder", type=PATH)
@FORMAT
@click.pass_context
def report_command(ctx: click.Context, folder: Path, output: str) -> None:
    """Write the report of a run anew from its results.jsonl, and say what came of it.

    \b
    Example:
        llb conform report report
    """
    from llb_conformance.report import read_run, summarize, write_report

    try:
        summary = summarize(read_run(folder))
    except ValueError as error:
        raise click.ClickException(str(error)) from error
    if folder.is_dir():
        write_report(summary, folder)
    if output == "json":
        click.echo(json.dumps(summary.to_json(), indent=2, ensure_ascii=False))
    else:
        for line in summary_lines(summary, folder if folder.is_dir() else None):
            click.echo(printable(line))
    ctx.exit(0 if summary.conforming else EXIT_FINDINGS)


@conform_command.command("init")
@click.option("--lang", type=click.Choice(list(_LANGUAGES)), required=True, help="Language of the loader.")
@click.option("--out", type=PATH, default=Path(), show_default=True, help="Folder for the file.")
def init_command(lang: str, out: Path) -> None:
    """Write the frame of a loader program: the protocol is there, the answers are yours.

    \b
    Example:
        llb conform init --lang python --out my-loader
    """
    from llb_conformance.templates import template

    name = _LANGUAGES[lang]
    target = out / name
    out.mkdir(parents=True, exist_ok=True)
    try:
        with target.open("x", encoding="utf-8") as stream:
            stream.write(template(name))
    except FileExistsError as error:
        raise click.ClickException(f"{target} is there already; it is left as it is") from error
    click.echo(f"{target} is written. Fill in what says TODO, then: llb conform smoke --loader ...")


@conform_command.command("mutants")
@click.option("--cases", metavar="GLOB", multiple=True, help="Only with cases of such an id; repeatable.")
@FORMAT
@click.pass_context
def mutants_command(ctx: click.Context, cases: tuple[str, ...], output: str) -> None:
    """Test the suite: loaders with one fault each, every one of which has to fail.

    Ends with 3 if one survives, or if a case fails nobody.
    """
    from llb_conformance.mutants import MUTANTS, kill_matrix

    chosen = _chosen(cases)
    with Stages() as stages:
        stage = stages("Wrong loaders", len(MUTANTS))
        matrix = kill_matrix(chosen, lambda _: stage(1))
    if output == "json":
        click.echo(json.dumps(matrix.to_json(), indent=2))
    else:
        for name, killers in matrix.kills.items():
            first = f"{len(killers)} cases, such as {killers[0]}" if killers else "SURVIVES"
            click.echo(f"{name}: {first}")
        click.echo(
            f"{matrix.killed} of {len(matrix.kills)} wrong loaders fail; "
            f"{len(matrix.idle_cases)} cases fail nobody: {', '.join(matrix.idle_cases) or '-'}"
        )
    ctx.exit(0 if matrix.complete else EXIT_SUITE)


def _command(loader: str) -> tuple[str, ...]:
    from llb_conformance.harness import split_command

    try:
        return split_command(loader)
    except ValueError as error:
        raise click.BadParameter(str(error), param_hint="--loader") from error


def _classes(text: str | None) -> frozenset[str] | None:
    """The classes that are asked for, or None: whatever the loader claims."""
    from llb_conformance.suite import CLASSES

    if text is None:
        return None
    names = [name.strip() for name in text.split(",") if name.strip()]
    unknown = sorted(set(names) - set(CLASSES))
    if unknown or not names:
        message = f"{', '.join(unknown) or 'nothing'} is no class: they are {', '.join(CLASSES)}"
        raise click.BadParameter(message, param_hint="--class")
    return frozenset(names)


def _chosen(patterns: Sequence[str]) -> tuple[Case, ...]:
    """The cases whose ids match, all without a pattern; exit 3 if the suite cannot even be made."""
    try:
        from llb_conformance.suite import suite

        cases = suite()
    except ValueError as error:
        click.echo(f"The suite is at fault: {error}", err=True)
        raise click.exceptions.Exit(EXIT_SUITE) from error
    found = tuple(
        item for item in cases if not patterns or any(fnmatch.fnmatch(item.id, one) for one in patterns)
    )
    if not found:
        raise click.BadParameter(f"no case is called {', '.join(patterns)}", param_hint="--cases")
    return found


def _known(path: Path | None) -> Mapping[str, KnownFailure]:
    from llb_conformance.harness import read_known_failures
    from llb_conformance.suite import suite

    if path is None:
        return {}
    try:
        return read_known_failures(path, (item.id for item in suite()))
    except ValueError as error:
        raise click.BadParameter(str(error), param_hint="--known-failures") from error
