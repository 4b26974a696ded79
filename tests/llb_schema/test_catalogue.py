from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

from llb_schema import FAMILIES, CatalogueEntry, catalogue

ROOT = Path(__file__).resolve().parents[2]
# Without llb_conformance: its cases name the codes that somebody else has to report.
SOURCES = [
    path for folder in ("schema", "reference", "plugins") for path in sorted((ROOT / folder).rglob("*.py"))
]
# The page of `llb view` reports in JavaScript.
SCRIPTS = sorted((ROOT / "reference" / "llb" / "view" / "page").glob("*.mjs"))
CODE = re.compile(r"LLB-[A-Z][0-9]{3}")


def words(text: str) -> set[str]:
    return set(re.findall(r"[a-z]{4,}", text.lower()))


def test_codes_are_well_formed_and_in_order() -> None:
    assert all(CODE.fullmatch(code) for code in catalogue())
    assert list(catalogue()) == sorted(catalogue())
    assert {entry.family for entry in catalogue().values()} == set(FAMILIES)


@pytest.mark.parametrize("entry", catalogue().values(), ids=list(catalogue()))
def test_every_code_has_title_cause_and_hint(entry: CatalogueEntry) -> None:
    assert entry.title
    assert not entry.title.endswith(".")
    assert entry.hint.endswith(".")
    assert entry.cause.endswith(".")
    assert len(entry.cause) < 250
    # A cause is news: it neither repeats the title nor is the cure.
    assert len(words(entry.cause) - words(entry.title)) >= 3
    assert len(words(entry.cause) - words(entry.hint)) >= 3


def test_causes_differ() -> None:
    causes = [entry.cause for entry in catalogue().values()]
    assert len(causes) == len(set(causes))


def test_every_code_is_raised_and_every_code_raised_is_known() -> None:
    # Whole string literals: a code that only a docstring mentions is raised nowhere.
    raised = {
        node.value
        for path in SOURCES
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and CODE.fullmatch(node.value)
    }
    scripted = {code for path in SCRIPTS for code in CODE.findall(path.read_text(encoding="utf-8"))}
    assert raised | scripted == set(catalogue())


def test_every_code_that_is_mentioned_is_known() -> None:
    texts = [*SOURCES, *(ROOT / "docs").rglob("*.md"), *(ROOT / "schema").glob("*.md"), *ROOT.glob("*.md")]
    mentioned = {code for path in texts for code in CODE.findall(path.read_text(encoding="utf-8"))}
    assert mentioned <= set(catalogue())


def test_every_requirement_is_a_clause_of_the_specification() -> None:
    text = (ROOT / "schema" / "SPEC.md").read_text(encoding="utf-8")
    clauses = re.findall(r"^\*\*([A-Z]+-[0-9]+)\*\*", text, re.MULTILINE)
    assert len(clauses) == len(set(clauses))
    assert {entry.requirement for entry in catalogue().values()} - {""} <= set(clauses)
