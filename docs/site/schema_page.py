"""The page of the schemas: every JSON Schema of every version, as a file to take."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

from repository_pages import ROOT

__all__ = ["schema_page"]

_INTRODUCTION = """\
# The JSON Schemas

JSON Schema, draft 2020-12. The identifiers are immutable and resolve offline, from these files.
[The documents of a bundle](format.md) has the current ones field by field.
"""
_FOLDERS = ("schema/llb_schema", "conformance/llb_conformance/schemas")


def schema_page() -> str:
    """The page; links are relative to docs/."""
    parts: list[str] = []
    for folder in sorted({path.parent for path in _schemas()}, reverse=True):
        rows = [_row(path) for path in sorted(folder.glob("*.schema.json"))]
        name = f"Format {folder.name}" if folder.name[0].isdigit() else "Documents of the conformance suite"
        parts.append(f"## {name}\n\n| schema | identifier | what it is of |\n|---|---|---|\n{''.join(rows)}")
    return "\n".join([_INTRODUCTION, *parts])


def _schemas() -> Iterator[Path]:
    for folder in _FOLDERS:
        yield from (ROOT / folder).rglob("*.schema.json")


def _row(path: Path) -> str:
    schema = json.loads(path.read_text(encoding="utf-8"))
    link = f"[{path.name}](../{path.relative_to(ROOT).as_posix()})"
    return f"| {link} | `{schema['$id']}` | {schema['title'].partition(': ')[2]} |\n"
