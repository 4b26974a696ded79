"""Commands that look at a bundle: validate, show."""

from __future__ import annotations

import json
from pathlib import Path

import click

from llb.cli.failure import EXIT_FINDINGS, EXIT_UNUSABLE, as_line, printable

__all__ = ["show_command", "validate_command"]

_FORMAT = click.option(
    "--format",
    "output",
    type=click.Choice(["text", "json"]),
    default="text",
    show_default=True,
    help="Output for people or for programs.",
)
_BUNDLE = click.argument("bundle", type=click.Path(path_type=Path))
# Nothing was there to be checked.
_UNUSABLE = {"LLB-A001", "LLB-X003"}


@click.command("validate")
@_BUNDLE
@click.option(
    "--level",
    type=click.IntRange(0, 4),
    default=4,
    show_default=True,
    help="0 archive and parse, 1 schema, 2 integrity, 3 graph, 4 numbers; each includes the ones before.",
)
@_FORMAT
@click.pass_context
def validate_command(ctx: click.Context, bundle: Path, level: int, output: str) -> None:
    """Check a bundle and report every fault.

    \b
    Example:
        llb validate stau.llb
        llb validate stau.llb.zip --level 2 --format json
    """
    from llb.validation import validate

    report = validate(bundle, level)
    if output == "json":
        click.echo(json.dumps(report.to_json(), indent=2))
    else:
        for item in report.findings:
            click.echo(f"{item.severity}: {as_line(item)}")
        name = report.bundle_id or str(bundle)
        click.echo(
            printable(f"{name}: {report.status} (level {report.level}, {len(report.findings)} findings)")
        )
    if report.status == "invalid":
        ctx.exit(EXIT_UNUSABLE if _UNUSABLE & {item.code for item in report.findings} else EXIT_FINDINGS)


@click.command("show")
@_BUNDLE
@_FORMAT
def show_command(bundle: Path, output: str) -> None:
    """Show what a bundle says.

    \b
    Example:
        llb show stau.llb
        llb show stau.llb --format json
    """
    from llb.bundle import read_bundle

    opened = read_bundle(bundle)
    if output == "json":
        click.echo(json.dumps(opened.raw, indent=2))
        return
    from llb.cli.overview import print_overview

    print_overview(opened.manifest)
