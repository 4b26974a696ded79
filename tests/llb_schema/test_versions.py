from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import bundles
import pytest

from llb_schema import (
    DENSITY_VERSION,
    FORMAT_VERSION,
    NEWEST_VERSION,
    check_version,
    line_of,
    validate_document,
)
from llb_schema.findings import has_errors

SPEC = Path(__file__).resolve().parents[2] / "schema" / "SPEC.md"


def codes(version: Any, **more: Any) -> list[str]:
    return [item.code for item in check_version({"format_version": version, **more})]


@pytest.mark.requirement("VERSION-1", "VERSION-2", "VERSION-3")
@pytest.mark.parametrize(
    ("version", "expected"),
    [
        ("1.0.0", []),
        ("1.0.9", []),
        ("1.1.0", []),
        ("1.1.4", []),
        ("1.2.0", ["LLB-S011"]),
        ("1.10.3", ["LLB-S011"]),
        ("2.0.0", ["LLB-S010"]),
        ("0.1.0", ["LLB-S017"]),
        ("0.1.7", ["LLB-S011", "LLB-S017"]),
        ("0.0.9", ["LLB-S015"]),
        ("0.2.0", ["LLB-S015"]),
        ("0.99.0", ["LLB-S015"]),
        ("1.0", ["LLB-S014"]),
        ("1.0.0\n", ["LLB-S014"]),
        ("1.0.00", ["LLB-S014"]),
        ("1.0.\u0661", ["LLB-S014"]),
        (1.0, ["LLB-S014"]),
        (None, ["LLB-S014"]),
    ],
)
def test_reader_rule(version: Any, expected: list[str]) -> None:
    assert codes(version) == expected


# What stands in the first column of the table of VERSION-7, as versions.
ROWS: dict[str, tuple[Any, ...]] = {
    "not MAJOR.MINOR.PATCH, or missing": (None, "1.0", "v1.0.0", 1.0),
    "0.0.x": ("0.0.0", "0.0.9"),
    "0.1.0": ("0.1.0",),
    "0.1.1 and later 0.1.x": ("0.1.1", "0.1.12"),
    "0.2.x and other 0.x": ("0.2.0", "0.2.5", "0.17.0"),
    "1.0.x": ("1.0.0", "1.0.12"),
    "1.1.x": ("1.1.0", "1.1.4"),
    "1.2.x and later 1.x": ("1.2.0", "1.2.4", "1.23.0"),
    "2.0.0 and later": ("2.0.0", "2.1.3", "17.0.0"),
}
CLOSED = ("0.1.0", "1.0.x", "1.1.x")
FEATURED = "any that is read, with an unknown required feature"


def table() -> dict[str, str]:
    lines = (
        SPEC.read_text(encoding="utf-8").split("| `format_version` |")[1].split("\n\n")[0].splitlines()[2:]
    )
    cells = (line.strip("|").split("|") for line in lines)
    return {first.strip(): second.strip() for first, second in cells}


def test_the_table_of_the_specification_has_these_rows() -> None:
    assert list(table()) == [*ROWS, FEATURED]


@pytest.mark.requirement("VERSION-2", "VERSION-7")
@pytest.mark.parametrize("row", ROWS)
def test_the_reader_does_what_the_table_says(row: str) -> None:
    said = table()[row]
    for version in ROWS[row]:
        document = {**bundles.vectors(), "format_version": version, "colour": "red"}
        found = validate_document(document, "vectors")
        assert has_errors(found) == (said.startswith("refuses") or row in CLOSED)
        unknown = "LLB-S002" if row in CLOSED else None
        mentioned = {*re.findall(r"LLB-S[0-9]{3}", said.replace("as 0.1.0", table()["0.1.0"])), unknown} - {
            None
        }
        assert {item.code for item in found} == mentioned, version
        del document["colour"]
        assert has_errors(validate_document(document, "vectors")) == said.startswith("refuses")


@pytest.mark.requirement("VERSION-5")
def test_the_row_about_features_holds_for_all_that_is_read() -> None:
    (code,) = re.findall(r"LLB-S[0-9]{3}", table()[FEATURED])
    for row, versions in ROWS.items():
        if not table()[row].startswith("refuses"):
            assert all(code in codes(version, required_features=["flows"]) for version in versions)


def test_unknown_required_features_are_refused_whatever_the_version() -> None:
    assert codes(FORMAT_VERSION, required_features=["flows"]) == ["LLB-S012"]
    assert codes("1.9.0", required_features=["flows", 3]) == ["LLB-S012", "LLB-S012", "LLB-S011"]


@pytest.mark.requirement("VERSION-4")
def test_keys_of_a_newer_growing_version_are_ignored_with_a_warning() -> None:
    document = {**bundles.vectors(), "format_version": "1.9.0", "colour": "red"}
    found = validate_document(document, "vectors")
    assert [item.code for item in found] == ["LLB-S008", "LLB-S011"]
    assert not has_errors(found)
    assert has_errors(validate_document({**document, "format_version": "1.0.0"}, "vectors"))


def test_nothing_else_is_said_about_a_document_that_is_too_new() -> None:
    found = validate_document({"format": "llb", "format_version": "3.0.0"}, "manifest")
    assert [item.code for item in found] == ["LLB-S010"]


@pytest.mark.requirement("VERSION-7")
@pytest.mark.parametrize(
    ("version", "line"),
    [("0.1.0", "0.1"), ("0.1.4", "0.1"), ("1.0.3", "1.0"), ("1.1.0", "1.1"), ("1.7.0", "1.1")],
)
def test_documents_are_checked_by_the_schemas_of_their_own_version(version: str, line: str) -> None:
    assert line_of({"format_version": version}) == line


@pytest.mark.requirement("VERSION-10")
def test_profile_likelihoods_are_written_in_the_lowest_version() -> None:
    assert (FORMAT_VERSION, DENSITY_VERSION, NEWEST_VERSION) == ("1.0.0", "1.1.0", "1.1.0")
    assert validate_document(bundles.vectors(), "vectors") == ()
    assert bundles.vectors()["format_version"] == FORMAT_VERSION
