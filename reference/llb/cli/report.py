"""The command `llb report`: a bundle as one HTML page."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from llb.cli.failure import EXIT_FINDINGS, EXIT_OK, as_line, printable
from llb.cli.given import PATH, require_packages

if TYPE_CHECKING:
    from llb.bundle import AnyBundle
    from llb.report import Panel

__all__ = ["report_command"]


@click.command("report", short_help="A bundle as one HTML page.")
@click.argument("bundle", type=PATH)
@click.option("--out", type=PATH, default=Path("report.html"), show_default=True, help="File to write.")
@click.option("--overwrite", is_flag=True, help="Replace the file if it is there.")
@click.option(
    "--level",
    type=click.IntRange(0, 5),
    default=5,
    show_default=True,
    help="How far the bundle is validated; below 3 its graph is not run, and nothing is drawn of it.",
)
@click.option(
    "--interactive",
    is_flag=True,
    help="With a panel that runs the graph in the browser, as `llb view` does; adds 5 MB.",
)
@click.option("--open", "shown", is_flag=True, help="Open the page in the browser.")
def report_command(
    bundle: Path, out: Path, overwrite: bool, level: int, interactive: bool, shown: bool
) -> int:
    """A bundle as one HTML page: model card, accuracy, real signals, figures, findings, and how to use it.

    The page loads nothing from anywhere and, but for --interactive, runs no script; it is meant to be sent,
    printed and archived. The same bundle gives the same page.

    Exit code 1 if the bundle is not valid; the page then says why.

    \b
    Example:
        llb report stau.llb --out stau.html
        llb report stau.llb.zip --level 2 --open
        llb report stau.llb --interactive --out stau.html
    """
    require_packages(["jinja2", "matplotlib"])
    from llb.bundle import (
        check_free,
        check_manifest,
        checked_bundle,
        open_container,
        read_raw_manifest,
        write_file,
    )
    from llb.cli.progress import Stages
    from llb.report import report_page
    from llb.validation import validate
    from llb_schema import FindingError, has_errors

    check_free(out, overwrite=overwrite)
    container = open_container(bundle)
    raw = read_raw_manifest(container)
    findings = check_manifest(raw)
    if has_errors(findings):
        raise FindingError(findings)
    with Stages() as stages:
        stages("Validating the bundle", 0)
        report = validate(bundle, level)
        stages("Writing the page", 0)
        opened = checked_bundle(raw, container, findings)
        page = report_page(opened, report, interactive=_panel(opened) if interactive else None)
        write_file(out, page.html.encode(), overwrite=overwrite)
    for item in page.findings:
        click.echo(as_line(item), err=True)
    click.echo(printable(f"{out}: {report.bundle_id}, {report.status} (level {report.level})"))
    if shown:
        click.launch(out.resolve().as_uri())
    return EXIT_OK if report.status == "ok" else EXIT_FINDINGS


def _panel(bundle: AnyBundle) -> Panel:
    from llb.report import Panel
    from llb.view.page import fragment

    piece = fragment(bundle, heading=False)
    return Panel("In the browser", piece.markup, piece.script, wasm=True)
