"""The command `llb explain`: the catalogue of findings, for people and for programs."""

from __future__ import annotations

import json
import textwrap
from collections.abc import Mapping, Sequence
from difflib import get_close_matches

import click

from llb.cli.given import FORMAT
from llb_schema import FAMILIES, CatalogueEntry, catalogue

__all__ = ["explain_command"]


@click.command("explain", short_help="What a finding means, its cause and its cure.")
@click.argument("code", required=False)
@click.option(
    "--family",
    type=click.Choice(list(FAMILIES), case_sensitive=False),
    help="List the codes with this letter only.",
)
@click.option("--example", is_flag=True, help="Show a smallest fault that ends in the finding, too.")
@FORMAT
def explain_command(code: str | None, family: str | None, example: bool, output: str) -> None:
    """What a finding means, its cause and its cure.

    Without CODE, all codes by family: the letter says where the fault was found.

    \b
    Example:
        llb explain LLB-I001
        llb explain LLB-M001 --example
        llb explain --family A
        llb explain --format json
    """
    if code is not None and family is not None:
        raise click.UsageError("give a code or --family, not both")
    if example and code is None:
        raise click.UsageError("--example is for one code")
    if code is not None:
        entry = _entry(code)
        click.echo(json.dumps(entry.to_json(), indent=2) if output == "json" else _page(entry, example))
        return
    letters = list(FAMILIES) if family is None else [family]
    chosen = {
        letter: [entry for entry in catalogue().values() if entry.family == letter] for letter in letters
    }
    if output == "json":
        listed = [entry.to_json() for entries in chosen.values() for entry in entries]
        click.echo(json.dumps(listed, indent=2))
    else:
        click.echo(_table(chosen))


def _entry(asked: str) -> CatalogueEntry:
    """The entry of a code, which may be written in lower case and without its prefix."""
    code = "LLB-" + asked.upper().removeprefix("LLB-")
    if code in catalogue():
        return catalogue()[code]
    near = get_close_matches(code, catalogue(), n=3, cutoff=0.8)
    message = f"there is no finding {asked[:40]}"
    raise click.UsageError(f"{message}; there is {', '.join(near)}" if near else message)


def _page(entry: CatalogueEntry, example: bool) -> str:
    lines = [("cause", entry.cause), ("cure", entry.hint)]
    if entry.requirement:
        lines.append(("requirement", f"{entry.requirement} of schema/SPEC.md"))
    formatter = click.HelpFormatter()
    formatter.write(f"{entry.code}, {entry.severity}: {entry.title}\n")
    with formatter.indentation():
        formatter.write_dl(lines)
        if example:
            # Not wrapped: it is a piece of a document.
            formatter.write_paragraph()
            formatter.write(textwrap.indent(f"{entry.example}\n", " " * formatter.current_indent))
    return formatter.getvalue().rstrip()


def _table(chosen: Mapping[str, Sequence[CatalogueEntry]]) -> str:
    formatter = click.HelpFormatter()
    for letter, entries in chosen.items():
        with formatter.section(f"{letter}, {FAMILIES[letter]}"):
            formatter.write_dl([(entry.code, f"{entry.severity}: {entry.title}") for entry in entries])
    return formatter.getvalue().strip()
