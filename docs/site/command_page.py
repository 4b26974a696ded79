"""The page of the command line: what `--help` says of every command."""

from __future__ import annotations

import inspect
from collections.abc import Iterator

import click

from llb.cli.main import cli
from page_text import plain

__all__ = ["command_page"]

_INTRODUCTION = """\
# The command line

What `llb COMMAND --help` says. Exit codes: 0 ok, 1 findings of severity error, 2 unusable input or usage.
With `--format json` standard output is JSON and nothing else; progress goes to standard error.
"""


def command_page() -> str:
    """The page."""
    context = click.Context(cli, info_name="llb")
    names = cli.list_commands(context)
    table = [f"| [`llb {name}`](#llb-{name}) | {_short(cli, context, name)} |\n" for name in names]
    head = [_INTRODUCTION, "".join(["| command | does |\n|---|---|\n", *table])]
    return "\n".join([*head, *(part for name in names for part in _sections(cli, context, name, 2))])


def _short(group: click.Group, context: click.Context, name: str) -> str:
    return _found(group, context, name).get_short_help_str(limit=200)


def _found(group: click.Group, context: click.Context, name: str) -> click.Command:
    command = group.get_command(context, name)
    assert command is not None, name  # noqa: S101 - the group has listed it
    return command


def _sections(group: click.Group, above: click.Context, name: str, depth: int) -> Iterator[str]:
    """The section of a command, and those of the commands inside it."""
    command = _found(group, above, name)
    context = click.Context(command, info_name=name, parent=above)
    path = context.command_path
    usage = command.get_usage(context).removeprefix("Usage: ")
    yield f"{'#' * depth} {path} {{#{path.replace(' ', '-')}}}\n\n```text\n{usage}\n```\n"
    yield from map(_paragraph, inspect.cleandoc(command.help or "").split("\n\n"))
    yield _options(command, context)
    if isinstance(command, click.Group):
        for inner in command.list_commands(context):
            yield from _sections(command, context, inner, depth + 1)


def _paragraph(text: str) -> str:
    if not text.startswith("\b"):
        return plain(text) + "\n"
    title, *lines = text.strip("\b\n").split("\n")
    block = inspect.cleandoc("\n".join(["", *lines]))
    return f"{title}\n\n```bash\n{block}\n```\n"


def _options(command: click.Command, context: click.Context) -> str:
    rows: list[str] = []
    for parameter in command.get_params(context):
        record = parameter.get_help_record(context)
        if record is not None and "--help" not in parameter.opts:
            names, text = record
            rows.append(f"| {plain(f'`{names}`')} | {plain(text)} |\n")
    return "".join(["| option | meaning |\n|---|---|\n", *rows]) if rows else ""
