"""What checks each clause of the specification: the page docs/requirements.md, which this script writes.

A clause is checked by the cases of the negative corpus that break it, by what the conformance suite asks of
loaders, and by the tests that are marked with it, `@pytest.mark.requirement("MU-1")`. Marks are read off the
source: the page does not depend on what runs.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from llb_conformance.corpus import corpus
from llb_conformance.suite import suite
from llb_schema import catalogue

__all__ = ["PAGE", "Mark", "clauses", "marks", "marks_in", "page"]

ROOT = Path(__file__).resolve().parents[1]
PAGE = ROOT / "docs" / "requirements.md"
_SPECIFICATION = ROOT / "schema" / "SPEC.md"
_MARK = "pytest.mark.requirement"
_INTRODUCTION = """\
# What checks each clause

Each clause of [schema/SPEC.md](../schema/SPEC.md), with the codes of the findings that report a breach, the
bundles of `llb_conformance.corpus` that break it, what `llb_conformance.suite` asks of loaders about it, and
the tests that are marked with it (`@pytest.mark.requirement`). Loaders are asked about every bundle of the
corpus as well. Written by `python tests/requirement_table.py`; a test holds it up to date.

| clause | findings | corpus | asked of loaders | tests |
|---|---|---|---|---|
"""


@dataclass(frozen=True)
class Mark:
    """A test, or a class of tests, that proves a clause.

    Attributes:
        clause: id of the clause; "" if the mark does not spell it out as a string.
        test: `path::name`, the path from the folder of the tests.
    """

    clause: str
    test: str


def clauses(text: str | None = None) -> tuple[str, ...]:
    """Ids of all clauses of the specification, or of another text, in their order."""
    text = _SPECIFICATION.read_text(encoding="utf-8") if text is None else text
    return tuple(re.findall(r"^\*\*([A-Z]+-[0-9]+)\*\*", text, re.MULTILINE))


def marks() -> tuple[Mark, ...]:
    """All marks of all tests, in the order of the files."""
    folder = ROOT / "tests"
    return tuple(
        mark
        for path in sorted(folder.rglob("test_*.py"))
        for mark in marks_in(path.read_text(encoding="utf-8"), path.relative_to(folder).as_posix())
    )


def marks_in(source: str, path: str) -> Iterator[Mark]:
    """The marks in the source of one file of tests."""
    for node in ast.walk(ast.parse(source)):
        if not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            continue
        for decorator in node.decorator_list:
            if isinstance(decorator, ast.Call) and ast.unparse(decorator.func) == _MARK:
                for argument in decorator.args:
                    literal = isinstance(argument, ast.Constant) and isinstance(argument.value, str)
                    yield Mark(str(argument.value) if literal else "", f"{path}::{node.name}")


def page() -> str:
    """The whole page."""
    codes = _by_clause((entry.requirement, code) for code, entry in catalogue().items())
    cases = _by_clause((item.requirement, item.id) for item in corpus())
    asked = _by_clause(
        (clause, item.id)
        for item in suite()
        if not item.id.startswith(("refuse-", "reason-"))
        for clause in item.requirements
    )
    tests = _by_clause((mark.clause, mark.test) for mark in marks())
    rows = (
        f"| {clause} | {' '.join(codes.get(clause, ()))} | {_listed(cases.get(clause, ()))} "
        f"| {_listed(asked.get(clause, ()))} | {_listed(tests.get(clause, ()))} |\n"
        for clause in clauses()
    )
    return _INTRODUCTION + "".join(rows)


def _by_clause(pairs: Iterable[tuple[str, str]]) -> Mapping[str, list[str]]:
    found: dict[str, list[str]] = {}
    for clause, what in pairs:
        found.setdefault(clause, []).append(what)
    return found


def _listed(names: Iterable[str]) -> str:
    return ", ".join(f"`{name}`" for name in names)


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
