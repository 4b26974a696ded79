from __future__ import annotations

import re
from pathlib import Path

from llb.bundle import check_manifest, parse_json
from llb.runtime.graph_audit import ALLOWED_OPERATORS, OPSETS
from llb.validation.identifiers import OPEN_LICENSES
from llb_schema import FORMAT_VERSION

SCHEMA = Path(__file__).resolve().parents[2] / "schema"
TEXT = (SCHEMA / "SPEC.md").read_text(encoding="utf-8")


def test_every_example_is_a_valid_manifest() -> None:
    blocks = re.findall(r"^```json\n(.*?)^```$", TEXT, re.MULTILINE | re.DOTALL)
    assert len(blocks) == 1
    for block in blocks:
        assert check_manifest(parse_json(block.encode(), "SPEC.md")) == ()


def test_the_operators_are_those_of_the_audit() -> None:
    clause = TEXT.split("**GRAPH-5**")[1].split("**GRAPH-6**")[0].split("only:")[1]
    assert set(re.findall(r"[A-Z][A-Za-z]+", clause)) == set(ALLOWED_OPERATORS)
    assert f"opset {OPSETS[0]} to {OPSETS[-1]}" in TEXT


def test_the_open_licences_are_those_of_the_profile() -> None:
    clause = TEXT.split("**PROFILE-4**")[1].split("**PROFILE-5**")[0].split("AND or OR:")[1]
    assert set(re.findall(r"[A-Za-z0-9.-]+[A-Za-z0-9]", clause)) == OPEN_LICENSES


def test_clauses_of_a_topic_are_numbered_without_gaps() -> None:
    topics: dict[str, list[int]] = {}
    for topic, number in re.findall(r"^\*\*([A-Z]+)-([0-9]+)\*\*", TEXT, re.MULTILINE):
        topics.setdefault(topic, []).append(int(number))
    assert topics
    for topic, numbers in topics.items():
        assert numbers == list(range(1, len(numbers) + 1)), topic


def test_the_changelog_knows_the_version() -> None:
    assert f"## {FORMAT_VERSION}" in (SCHEMA / "CHANGELOG.md").read_text(encoding="utf-8")
