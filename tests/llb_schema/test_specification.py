from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from llb.bundle import Manifest, check_manifest, parse_json
from llb.runtime.graph_audit import ALLOWED_OPERATORS, OPSETS
from llb.validation.identifiers import OPEN_LICENSES
from llb.validation.vectors import check_vectors
from llb_schema import (
    DENSITY_VERSION,
    DOCUMENT_KINDS,
    FORMAT_VERSION,
    NEWEST_VERSION,
    catalogue,
    finding,
    validate_document,
)

SCHEMA = Path(__file__).resolve().parents[2] / "schema"
TEXT = (SCHEMA / "SPEC.md").read_text(encoding="utf-8")
CLAUSES = dict(re.findall(r"^\*\*([A-Z]+-[0-9]+)\*\* (.*?)(?=\n\n)", TEXT, re.MULTILINE | re.DOTALL))


def blocks(language: str) -> Iterator[str]:
    yield from re.findall(rf"^```{language}\n(.*?)^```$", TEXT, re.MULTILINE | re.DOTALL)


# The JSON of the specification, in its order.
DENSITY, MANIFEST, VECTORS, FINDING = (parse_json(block.encode(), "SPEC.md") for block in blocks("json"))


def test_there_are_no_other_blocks() -> None:
    assert sorted(re.findall(r"^```(.+)$", TEXT, re.MULTILINE)) == ["json"] * 4 + ["jsonl"]


def test_the_manifest_is_valid() -> None:
    assert check_manifest(MANIFEST) == ()
    assert MANIFEST["format_version"] == FORMAT_VERSION


def test_the_vectors_are_valid_and_belong_to_the_manifest() -> None:
    assert check_vectors(VECTORS, Manifest.from_json(MANIFEST), "SPEC.md") == ()
    assert VECTORS["format_version"] == FORMAT_VERSION


def test_the_density_completes_the_manifest() -> None:
    profile = {"inputs", "mu", "curves", "signal_model", "uncertainty"}
    whole: dict[str, Any] = {key: value for key, value in MANIFEST.items() if key not in profile} | DENSITY
    whole["format_version"] = DENSITY_VERSION
    whole["validation"] = {**whole["validation"], "metrics": []}
    assert validate_document(whole, "manifest") == ()


def test_the_finding_is_one_of_the_catalogue() -> None:
    assert validate_document(FINDING, "finding") == ()
    known = finding(FINDING["code"])
    assert (FINDING["severity"], FINDING["requirement"]) == (known.severity, known.requirement)
    assert FINDING["hint"] == known.hint


def test_the_messages_are_valid_and_alternate() -> None:
    (block,) = blocks("jsonl")
    messages = [json.loads(line) for line in block.splitlines()]
    assert [item for message in messages for item in validate_document(message, "protocol")] == []
    for request, reply in zip(messages[::2], messages[1::2], strict=True):
        assert ("cmd" in request, "reply" in reply) == (True, True)
        assert request.get("seq") == reply.get("seq")


def test_the_schemas_are_named() -> None:
    stated = re.findall(r"`:?(?:urn:llb:schema:1\.1:)?([a-z]+)`", TEXT.split("which describe")[0])
    assert sorted(stated) == sorted([*DOCUMENT_KINDS, "protocol"])


@pytest.mark.parametrize("clause", CLAUSES)
def test_every_clause_demands_or_allows_something(clause: str) -> None:
    # PROFILE-1 says MUST of all that follow it.
    demands = re.search(r"\b(MUST|SHOULD|MAY)\b", CLAUSES[clause])
    assert demands or (clause.startswith("PROFILE-") and clause != "PROFILE-1")
    # In small letters the words of RFC 2119 would be read as weaker or as stronger than they are meant.
    assert not re.search(r"\b(must|should|shall|required)\b", re.sub(r"`[^`]*`", "", CLAUSES[clause]))


def test_it_is_no_draft() -> None:
    assert "draft" not in TEXT.split("\n## ")[0].lower()
    assert TEXT.startswith("# Learned Likelihood Bundle, format version 1.1\n")


def test_clauses_and_codes_that_are_mentioned_exist() -> None:
    mentioned = set(re.findall(r"\b([A-Z]+-[0-9]+)\b", re.sub(r"(RFC|CMS-NOTE|LLB)[ -]\S+", "", TEXT)))
    assert {name for name in mentioned if name.split("-")[0] in topics()} <= set(CLAUSES)
    assert set(re.findall(r"LLB-[A-Z][0-9]{3}", TEXT)) <= set(catalogue())


def test_the_operators_are_those_of_the_audit() -> None:
    clause = TEXT.split("**GRAPH-5**")[1].split("**GRAPH-6**")[0].split("only:")[1]
    assert set(re.findall(r"[A-Z][A-Za-z]+", clause)) == set(ALLOWED_OPERATORS)
    assert f"opset {OPSETS[0]} to {OPSETS[-1]}" in TEXT


def test_the_open_licences_are_those_of_the_profile() -> None:
    clause = TEXT.split("**PROFILE-4**")[1].split("**PROFILE-5**")[0].split("AND or OR:")[1]
    assert set(re.findall(r"[A-Za-z0-9.-]+[A-Za-z0-9]", clause)) == OPEN_LICENSES


def topics() -> dict[str, list[int]]:
    found: dict[str, list[int]] = {}
    for topic, number in re.findall(r"^\*\*([A-Z]+)-([0-9]+)\*\*", TEXT, re.MULTILINE):
        found.setdefault(topic, []).append(int(number))
    return found


def test_clauses_of_a_topic_are_numbered_without_gaps() -> None:
    assert topics()
    for topic, numbers in topics().items():
        assert numbers == list(range(1, len(numbers) + 1)), topic


def test_the_changelog_knows_the_version() -> None:
    changes = (SCHEMA / "CHANGELOG.md").read_text(encoding="utf-8")
    assert re.findall(r"^## (.+)$", changes, re.MULTILINE)[:2] == [NEWEST_VERSION, FORMAT_VERSION]
    assert TEXT.startswith(f"# Learned Likelihood Bundle, format version {NEWEST_VERSION[:3]}\n")
