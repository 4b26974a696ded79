from __future__ import annotations

from typing import Any

import bundles
import pytest

from llb_schema import FORMAT_VERSION, check_version, validate_document
from llb_schema.findings import has_errors


def codes(version: Any, **more: Any) -> list[str]:
    return [item.code for item in check_version({"format_version": version, **more})]


@pytest.mark.parametrize(
    ("version", "expected"),
    [
        ("0.1.0", []),
        ("0.1.7", ["LLB-S011"]),
        ("0.2.0", ["LLB-S010"]),
        ("1.0.0", ["LLB-S010"]),
        ("0.0.9", ["LLB-S015"]),
        ("0.1", ["LLB-S014"]),
        ("0.1.0\n", ["LLB-S014"]),
        ("0.1.00", ["LLB-S014"]),
        ("0.1.\u0661", ["LLB-S014"]),
        (0.1, ["LLB-S014"]),
        (None, ["LLB-S014"]),
    ],
)
def test_reader_rule(version: Any, expected: list[str]) -> None:
    assert codes(version) == expected


def test_unknown_required_features_are_refused_whatever_the_version() -> None:
    assert codes(FORMAT_VERSION, required_features=["flows"]) == ["LLB-S012"]
    assert codes("0.1.9", required_features=["flows", 3]) == ["LLB-S012", "LLB-S012", "LLB-S011"]


def test_keys_of_a_newer_growing_version_are_ignored_with_a_warning() -> None:
    document = {**bundles.vectors(), "format_version": "0.1.9", "colour": "red"}
    found = validate_document(document, "vectors")
    assert [item.code for item in found] == ["LLB-S008", "LLB-S011"]
    assert not has_errors(found)
    assert has_errors(validate_document({**document, "format_version": "0.1.0"}, "vectors"))


def test_nothing_else_is_said_about_a_document_that_is_too_new() -> None:
    found = validate_document({"format": "llb", "format_version": "3.0.0"}, "manifest")
    assert [item.code for item in found] == ["LLB-S010"]
