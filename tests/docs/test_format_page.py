"""docs/format.md is what the schemas say, all of it."""

from __future__ import annotations

import re
import subprocess
import sys
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest

from llb_schema import DOCUMENT_KINDS, FORMAT_VERSION, load_schema

DOCS = Path(__file__).resolve().parents[2] / "docs"
PAGE = (DOCS / "format.md").read_text(encoding="utf-8")


@pytest.fixture
def writer(monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.syspath_prepend(DOCS)
    return import_module("format_page")


def keys(schema: Any) -> list[str]:
    """All keys that a schema describes, those of an object before those inside it."""
    if isinstance(schema, list):
        return [name for item in schema for name in keys(item)]
    if not isinstance(schema, dict):
        return []
    # What a condition names is described elsewhere.
    conditions = ("if", "then", "else")
    inner = [name for rule, value in schema.items() if rule not in conditions for name in keys(value)]
    return [*schema.get("properties", ()), *inner]


def test_the_page_is_up_to_date(writer: Any) -> None:
    assert writer.page() == PAGE, "uv run python docs/format_page.py"
    assert f"Format version {FORMAT_VERSION}." in PAGE


def test_the_command_writes_it(tmp_path: Path) -> None:
    written = tmp_path / "format.md"
    subprocess.run([sys.executable, str(DOCS / "format_page.py"), str(written)], check=True)
    assert written.read_bytes() == (DOCS / "format.md").read_bytes()


def test_every_key_has_a_row_in_reading_order() -> None:
    _, *documents = PAGE.split("\n## ")
    for kind, text in zip((*DOCUMENT_KINDS, "common"), documents, strict=True):
        tables = text.partition('<a id="common-software"></a>\n')[2] if kind == "common" else text
        assert re.findall(r"^\| `(\w+)` ", tables, re.MULTILINE) == keys(load_schema(kind)), kind
    shared = re.findall(r'^\| <a id="common-(\w+)"></a>', documents[-1], re.MULTILINE)
    assert {*shared, "software", "tensor", "bounds"} == set(load_schema("common")["$defs"])


def test_every_row_has_a_meaning() -> None:
    for row in re.findall(r"^\| `.*", PAGE, re.MULTILINE):
        assert re.split(r"(?<!\\)\|", row)[4].strip(), row


def test_links_have_one_target_each() -> None:
    anchors = re.findall(r'<a id="([^"]+)"></a>', PAGE)
    assert len(anchors) == len(set(anchors))
    assert set(re.findall(r"\]\(#([^)]+)\)", PAGE)) <= set(anchors)


def test_tables_have_as_many_cells_as_heads() -> None:
    for table in re.findall(r"(?:^\|.*\n)+", PAGE, re.MULTILINE):
        assert len({len(re.findall(r"(?<!\\)\|", row)) for row in table.splitlines()}) == 1


def test_conditions_choices_and_limits_are_in_words() -> None:
    rows = {line.split(" | ")[0]: line for line in PAGE.splitlines()}
    assert "| if `kind` is `histfactory` |" in rows["| `poi`"]
    assert "| with `alias_of` |" in rows["| `alias_max_difference`"]
    assert "| if `family` is `profile_likelihood` |" in rows["| `curves`"]
    assert "| `SR`, `CR` or `VR` |" in PAGE
    assert "| above 0, at most 1000 |" in rows["| `sqrt_s`"]
    assert "at most 1 entry; none twice" in rows["| `modifiers`"]
    assert "| at least 0; below 1 |" in rows["| `warm_up`"]
    assert "| if `kind` is `posterior` |" in rows["| `prior`"]
    assert "| if `required_features` has `conditional_inputs` |" in rows["| `conditions`"]


def test_what_conditions_ask_inside_is_in_sentences() -> None:
    notes = {
        line.partition(":")[0]: line.partition(": ")[2] for line in PAGE.splitlines() if line.startswith("- ")
    }
    profile = notes["- If `family` is `profile_likelihood`"]
    for words in ("no `density`", "`graphs[].role` is `delta_nll` or", "`graphs` has at most 2 entries"):
        assert words in profile
    full = notes["- If `family` is `full_likelihood`"]
    for words in (
        "no `curves`",
        "there is one of `graphs` whose `role` is `log_prob`",
        "no `domain.truncation`",
    ):
        assert words in full
    assert "`required_features` has `conditional_inputs`" in notes["- If `conditions` is there"]
    assert "no `graphs[].condition`" in notes["- Unless `conditions` is there"]


WITHOUT_WORDS: dict[str, dict[str, Any]] = {
    "keyword": {"properties": {"code": {"type": "integer", "description": "A code.", "multipleOf": 2}}},
    "condition": {
        "if": {"properties": {"severity": {"const": "info"}}},
        "then": {"properties": {"hint": {"maxLength": 0}}},
    },
}


@pytest.mark.parametrize("rules", WITHOUT_WORDS.values(), ids=WITHOUT_WORDS)
def test_a_rule_without_words_is_refused(
    writer: Any, monkeypatch: pytest.MonkeyPatch, rules: dict[str, Any]
) -> None:
    changed = {**load_schema("finding"), **rules}
    monkeypatch.setattr(
        writer, "load_schema", lambda name: changed if name == "finding" else load_schema(name)
    )
    with pytest.raises(ValueError, match="no words"):
        writer.page()
