"""Documents of 0.1 become documents of the current version, and say the same."""

from __future__ import annotations

import copy
from pathlib import Path
from typing import Any

import pytest

from llb.bundle import content_id, file_digests, open_container, parse_json
from llb.validation import DEFAULT_LEVEL, validate
from llb_schema import FORMAT_VERSION, DocumentKind, validate_document
from llb_schema.migrations import migrate

GOLDEN = Path(__file__).resolve().parents[1] / "golden" / "format-0.1.0.llb.zip"
PATHS: dict[DocumentKind, str] = {"manifest": "manifest.json", "vectors": "validation/vectors.json"}


def document(kind: DocumentKind) -> dict[str, Any]:
    """A document of 0.1, of a bundle that the software wrote when that was the current version."""
    return parse_json(open_container(GOLDEN).read(PATHS[kind]), PATHS[kind])


@pytest.mark.requirement("VERSION-8")
@pytest.mark.parametrize("kind", PATHS)
def test_only_the_version_changes(kind: DocumentKind) -> None:
    old = document(kind)
    if kind == "manifest":
        old["extensions"]["org.example.more"] = {"format_version": "0.1.0", "anything": [1, None]}
    before = copy.deepcopy(old)
    new = migrate(old, kind)
    assert old == before, "the document that was given has changed"
    assert new == {**old, "format_version": FORMAT_VERSION}
    assert [item.code for item in validate_document(old, kind)] == ["LLB-S017"]
    assert validate_document(new, kind) == ()
    assert migrate(new, kind) == new


@pytest.mark.requirement("VERSION-7", "VERSION-8")
def test_a_bundle_of_an_older_version_is_as_valid_as_ever_and_is_not_touched() -> None:
    before = content_id(file_digests(open_container(GOLDEN)))
    report = validate(GOLDEN)
    assert (report.status, report.level) == ("ok", DEFAULT_LEVEL)
    assert {item.code for item in report.findings} == {"LLB-S017"}
    assert content_id(file_digests(open_container(GOLDEN))) == before
