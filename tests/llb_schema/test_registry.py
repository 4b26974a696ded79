from __future__ import annotations

import copy
import json
import subprocess
import sys
from typing import Any

import bundles
import pytest

from llb_schema import finding, has_errors, validate_document


def sealed() -> dict[str, Any]:
    entry = {"path": "a.onnx", "bytes": 1, "sha256": "0" * 64, "media_type": "text/plain", "role": "graph"}
    return {**bundles.manifest(), "files": [entry]}


def codes(document: Any, kind: str = "manifest") -> list[tuple[str, str]]:
    return [(item.code, item.pointer) for item in validate_document(document, kind)]


def test_good_documents_have_no_findings() -> None:
    assert codes(sealed()) == []
    assert codes(bundles.vectors(), "vectors") == []


def test_strings_with_a_pattern_are_bounded_so_that_no_newline_slips_in() -> None:
    document = sealed()
    document["files"][0]["sha256"] = "0" * 64 + "\n"
    document["created"] += "\n"
    document["id"] += "\n"
    document["inputs"][0]["channel"] = "SR\n"
    assert codes(document) == [
        ("LLB-S005", "/created"),
        ("LLB-S005", "/files/0/sha256"),
        ("LLB-S005", "/id"),
        ("LLB-S005", "/inputs/0/channel"),
    ]


CHANGES: dict[str, tuple[str, str, Any]] = {
    "missing key": ("LLB-S001", "/title", None),
    "unknown key": ("LLB-S002", "/colour", "red"),
    "wrong type": ("LLB-S003", "/title", 3),
    "boolean is no number": ("LLB-S003", "/analysis/sqrt_s", True),
    "not allowed": ("LLB-S004", "/family", "posterior"),
    "form": ("LLB-S005", "/version", "one"),
    "path upwards": ("LLB-S005", "/files/0/path", "../a"),
    "range": ("LLB-S006", "/analysis/sqrt_s", -1),
    "size": ("LLB-S007", "/authors", []),
    "family part missing": ("LLB-S001", "/curves", None),
    "extension without namespace": ("LLB-S002", "/extensions", {"colour": 1}),
    "half an alias": ("LLB-S001", "/curves/3/alias_max_difference", None),
    "spread without output": ("LLB-S001", "/uncertainty/output", None),
    "spread without method": ("LLB-S001", "/uncertainty/method", None),
    "spread without coverage": ("LLB-S001", "/uncertainty/coverage", None),
    "coverage without a number": ("LLB-S001", "/uncertainty/coverage/0/within_95", None),
    "coverage of more than everything": ("LLB-S006", "/uncertainty/coverage/0/within_68", 1.5),
}


@pytest.mark.parametrize("name", CHANGES)
def test_each_rule_gives_one_finding_at_its_place(name: str) -> None:
    code, pointer, value = CHANGES[name]
    document: Any = sealed()
    document["uncertainty"] = bundles.UNCERTAINTY | {"coverage": [dict(bundles.UNCERTAINTY["coverage"][0])]}
    bundles.put(document, pointer, value)
    assert codes(document) == [(code, pointer)]


def test_the_values_that_a_family_leaves_are_the_expected_ones() -> None:
    document = sealed()
    document["graphs"][0]["role"] = "colour"
    (item,) = validate_document(document, "manifest")
    assert (item.code, item.expected) == ("LLB-S004", "delta_nll, delta_nll_float32")


def test_an_older_document_is_checked_by_the_schemas_of_its_version() -> None:
    # The key came with 1.0: there it belongs to another family, in 0.1 nobody had heard of it.
    messages = {
        version: [
            item.message
            for item in validate_document({**sealed(), "format_version": version, "density": 1}, "manifest")
            if item.pointer == "/density"
        ]
        for version in ("0.1.0", "1.0.0")
    }
    assert messages["0.1.0"] == ["the key 'density' is unknown here"]
    assert "the key 'density' does not belong here" in messages["1.0.0"]


def test_all_faults_are_reported_sorted() -> None:
    document = sealed()
    del document["title"]
    document["id"] = "UPPER"
    document["colour"] = "red"
    document["curves"][0]["column"] = 9
    found = codes(document)
    assert found == [
        ("LLB-S001", "/title"),
        ("LLB-S002", "/colour"),
        ("LLB-S005", "/id"),
        ("LLB-S006", "/curves/0/column"),
    ]


@pytest.mark.requirement("MANIFEST-2")
def test_extensions_are_open() -> None:
    document = sealed()
    document["extensions"] = {"org.example.colour": {"anything": [1, None, {"x": True}]}}
    assert codes(document) == []


def test_a_flood_of_faults_is_cut_off() -> None:
    document = sealed()
    document.update({f"key{number}": 1 for number in range(5000)})
    found = validate_document(document, "manifest")
    assert len(found) == 201
    assert found[-1].code == "LLB-S016"


@pytest.mark.parametrize(
    "change",
    [
        {"authors": [1] * 100_000},
        # Compared pair by pair this would take minutes.
        {
            "signal_model": {
                "modifiers": [*range(20_000), *map(str, range(20_000))],
                "relative_uncertainty": 0,
            }
        },
        {"required_features": [f"feature{number}" for number in range(100_000)]},
    ],
    ids=lambda change: next(iter(change)),
)
def test_masses_of_faults_are_not_all_looked_at(change: dict[str, Any]) -> None:
    found = validate_document({**sealed(), **change}, "manifest")
    assert has_errors(found)
    assert len(found) <= 201


def test_a_feature_twice_is_a_fault_of_the_list() -> None:
    document = sealed()
    document["signal_model"]["modifiers"] = ["lumi", "lumi"]
    assert codes(document) == [("LLB-S007", "/signal_model/modifiers")]


def test_findings_can_be_written_down_whatever_they_name() -> None:
    item = finding("LLB-A004", "the path \udc80", pointer="\udc80", expected="\ud800", actual="\udfff")
    json.dumps(item.to_json(), ensure_ascii=False).encode()
    assert item.pointer == "\\udc80"


@pytest.mark.parametrize("document", [None, [], "llb", 3, {}, {"format": "other"}])
def test_foreign_documents_are_named_as_such(document: Any) -> None:
    assert [code for code, _ in codes(document)] in (["LLB-S003"], ["LLB-S013"])


@pytest.mark.requirement("LEVEL-2")
def test_findings_and_reports_follow_their_schemas() -> None:
    item = finding("LLB-I001", pointer="a").to_json()
    assert codes(item, "finding") == []
    report = {
        "status": "invalid",
        "level": 2,
        "profile": "draft",
        "findings": [item],
        "bundle": {"location": "x", "id": None},
    }
    assert codes(report, "report") == []
    broken = copy.deepcopy(report)
    broken["findings"][0]["code"] = "I001"
    broken["findings"][0]["requirement"] += "\n"
    assert codes(broken, "report") == [
        ("LLB-S005", "/findings/0/code"),
        ("LLB-S005", "/findings/0/requirement"),
    ]


def test_importing_the_schema_package_imports_no_validator() -> None:
    program = "import sys, llb_schema; sys.exit('jsonschema' in sys.modules or 'numpy' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", program]).returncode == 0
