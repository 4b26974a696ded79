from __future__ import annotations

import re
from pathlib import Path

from llb_schema import catalogue

ROOT = Path(__file__).resolve().parents[2]
# Without llb_conformance: its cases name the codes that somebody else has to report.
SOURCES = [
    path for folder in ("schema", "reference", "plugins") for path in sorted((ROOT / folder).rglob("*.py"))
]
CODE = re.compile(r"LLB-[A-Z][0-9]{3}")


def test_codes_are_well_formed_and_help() -> None:
    for code, entry in catalogue().items():
        assert CODE.fullmatch(code)
        assert entry.title
        assert not entry.title.endswith(".")
        assert entry.hint.endswith(".")


def test_every_code_is_used_and_every_used_code_is_known() -> None:
    # Some codes are looked up by keyword; the catalogue itself is JSON and not among the sources.
    used = {code for path in SOURCES for code in CODE.findall(path.read_text(encoding="utf-8"))}
    assert used == set(catalogue())


def test_every_requirement_is_a_clause_of_the_specification() -> None:
    text = (ROOT / "schema" / "SPEC.md").read_text(encoding="utf-8")
    clauses = re.findall(r"^\*\*([A-Z]+-[0-9]+)\*\*", text, re.MULTILINE)
    assert len(clauses) == len(set(clauses))
    assert {entry.requirement for entry in catalogue().values()} - {""} <= set(clauses)
