"""Commands that look at a bundle: validate, show."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import click

from llb.cli.failure import EXIT_FINDINGS, EXIT_UNUSABLE, as_line, printable
from llb.cli.given import FORMAT, PATH

if TYPE_CHECKING:
    from llb.validation import Profile, Report

__all__ = ["show_command", "validate_command"]

_BUNDLE = click.argument("bundle", type=PATH)
# Nothing was there to be checked.
_UNUSABLE = {"LLB-A001", "LLB-X003"}


@click.command("validate")
@_BUNDLE
@click.option(
    "--level",
    type=click.IntRange(0, 6),
    help="0 archive and parse, 1 schema, 2 integrity, 3 graph, 4 numbers, 5 claims, 6 teacher; each includes "
    "the ones before.  [default: 5, or 6 with --teacher]",
)
@click.option(
    "--profile",
    type=click.Choice(["draft", "publishable"]),
    default="draft",
    show_default=True,
    help="What is asked besides: nothing of a draft, what archives and reviewers ask of what is published.",
)
@click.option(
    "--teacher",
    type=PATH,
    help="The workspace, or simplified likelihood, that the bundle was made from, to be asked again.",
)
@click.option(
    "--points",
    type=click.IntRange(1, 100_000),
    default=32,
    show_default=True,
    help="Held-out points that the teacher labels again, and as many fresh ones.",
)
@click.option("--seed", type=click.IntRange(0), default=0, show_default=True, help="Which points.")
@click.option(
    "--time-limit",
    type=click.FloatRange(0, min_open=True),
    default=120.0,
    show_default=True,
    metavar="S",
    help="Seconds that the graph may take.",
)
@click.option(
    "--memory-limit",
    type=click.FloatRange(0, min_open=True),
    default=4.0,
    show_default=True,
    metavar="GIB",
    help="Memory that it may take, with onnxruntime's own 0.5 GiB.",
)
@click.option(
    "--format",
    "output",
    type=click.Choice(["text", "json", "junit", "sarif"]),
    default="text",
    show_default=True,
    help="Output for people, for programs, or for continuous integration (junit, sarif).",
)
@click.pass_context
def validate_command(
    ctx: click.Context,
    bundle: Path,
    level: int | None,
    profile: Profile,
    teacher: Path | None,
    points: int,
    seed: int,
    time_limit: float,
    memory_limit: float,
    output: str,
) -> None:
    """Check a bundle and report every fault.

    Level 5 recomputes what the bundle claims of its accuracy from the teacher's truth in it. Level 6 checks
    that truth: it fits some held-out points, and fresh ones, with the workspace itself. From level 3 on
    the graph runs in a process of its own, with limits of time and memory.

    \b
    Example:
        llb validate stau.llb
        llb validate stau.llb.zip --level 2 --format json
        llb validate stau.llb --profile publishable
        llb validate stau.llb --teacher BkgOnly.json --points 64
    """
    from llb.validation import RunLimits, validate

    chosen = _level(level, profile, teacher)
    limits = RunLimits(time_limit, math.ceil(memory_limit * 2**30))
    if teacher is None:
        report = validate(bundle, chosen, profile=profile, limits=limits)
    else:
        from llb.cli.teacher import asking

        with asking(teacher, points, seed) as relabelling:
            report = validate(bundle, chosen, profile=profile, relabelling=relabelling, limits=limits)
    click.echo(_written(report, output))
    if report.status == "invalid":
        ctx.exit(EXIT_UNUSABLE if _UNUSABLE & {item.code for item in report.findings} else EXIT_FINDINGS)


def _level(level: int | None, profile: Profile, teacher: Path | None) -> int:
    """The level that is meant, once it fits the other options."""
    from llb.validation import DEFAULT_LEVEL, MAX_LEVEL

    chosen = level if level is not None else DEFAULT_LEVEL if teacher is None else MAX_LEVEL
    if chosen == MAX_LEVEL and teacher is None:
        raise click.UsageError(f"level {MAX_LEVEL} asks the teacher: give its workspace with --teacher")
    if chosen < MAX_LEVEL and teacher is not None:
        raise click.UsageError(f"--teacher is for level {MAX_LEVEL}, not {chosen}")
    if chosen < 1 and profile != "draft":
        raise click.UsageError(f"--profile {profile} reads the manifest: it is for level 1 and above")
    return chosen


def _written(report: Report, output: str) -> str:
    """The report in an output format."""
    if output == "json":
        return json.dumps(report.to_json(), indent=2)
    if output == "junit":
        from llb.cli.junit import junit_xml

        return junit_xml(report)
    if output == "sarif":
        from llb.cli.sarif import sarif_log

        return json.dumps(sarif_log(report), indent=2)
    return "\n".join(_lines(report))


def _lines(report: Report) -> Iterator[str]:
    for item in report.findings:
        yield f"{item.severity}: {as_line(item)}"
    name = report.bundle_id or str(report.location)
    asked = "" if report.profile == "draft" else f"{report.profile}, "
    counted = f"{asked}level {report.level}, {len(report.findings)} findings"
    yield printable(f"{name}: {report.status} ({counted})")
    if report.findings:
        yield f"What leads to a finding, and what cures it: llb explain {report.findings[0].code}"


@click.command("show")
@_BUNDLE
@FORMAT
def show_command(bundle: Path, output: str) -> None:
    """Show what a bundle says.

    \b
    Example:
        llb show stau.llb
        llb show stau.llb --format json
    """
    from llb.bundle import read_any_bundle

    opened = read_any_bundle(bundle)
    if output == "json":
        click.echo(json.dumps(opened.raw, indent=2))
        return
    from llb.cli.overview import print_overview

    print_overview(opened)
