"""The pages of the findings: all codes in a list, and for each letter what leads to them and cures them."""

from __future__ import annotations

from llb_schema import FAMILIES, CatalogueEntry, catalogue
from page_text import plain

__all__ = ["finding_pages", "finding_terms"]

_INTRODUCTION = """\
# Findings

Every check reports findings of one kind: a code, a severity, a place, a message and a hint. Codes are never
reused. `llb explain CODE` says in a terminal what these pages say. A finding of severity *error* ends a
command with exit code 1 or 2.
"""


def finding_pages() -> dict[str, str]:
    """The pages by their paths in the site."""
    entries = catalogue().values()
    chosen = {letter: [entry for entry in entries if entry.family == letter] for letter in FAMILIES}
    pages = {_page(letter): _family(letter, chosen[letter]) for letter in FAMILIES}
    tables = [f"## {letter}: {FAMILIES[letter]}\n\n{_table(chosen[letter])}" for letter in FAMILIES]
    return {"findings/index.md": "\n".join([_INTRODUCTION, *tables]), **pages}


def finding_terms() -> dict[str, str]:
    """Where each code is explained."""
    return {code: f"{_page(entry.family)}#{code}" for code, entry in catalogue().items()}


def _page(letter: str) -> str:
    return f"findings/{letter.lower()}.md"


def _table(entries: list[CatalogueEntry]) -> str:
    rows = [f"| {entry.code} | {entry.severity} | {plain(entry.title)} |\n" for entry in entries]
    return "".join(["| code | severity | title |\n|---|---|---|\n", *rows])


def _family(letter: str, entries: list[CatalogueEntry]) -> str:
    head = f"# Findings {letter}: {FAMILIES[letter]}\n"
    return "\n".join([head, *map(_section, entries)])


def _section(entry: CatalogueEntry) -> str:
    clause = f" · {entry.requirement}" if entry.requirement else ""
    return (
        f"## {entry.code}: {plain(entry.title)} {{#{entry.code}}}\n\n"
        f"*{entry.severity}*{{.{entry.severity}}}{clause}\n\n"
        f"**Cause.** {plain(entry.cause)}\n\n**Cure.** {plain(entry.hint)}\n\n"
        f"```text\n{entry.example}\n```\n"
    )
