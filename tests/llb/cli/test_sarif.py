"""SARIF 2.1.0: the rules of the format that a reader relies on (OASIS, sections named in the tests)."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

import bundles
import pytest
from commands import run

from llb.cli.sarif import sarif_log
from llb.validation import Report, validate
from llb_schema import catalogue, finding

FOUND = (
    finding("LLB-C107", "said"),
    finding("LLB-I001", "a \x1b <b>", pointer="validation/x.csv:2"),
    finding("LLB-I001", "another", pointer="validation/y.csv"),
    finding("LLB-S011", pointer="/format_version"),
)


def report(path: str = "x.llb") -> Report:
    return Report(Path(path), "x@1.0.0", 5, FOUND, "publishable")


def run_of(log: dict[str, Any]) -> dict[str, Any]:
    (single,) = log["runs"]
    return single


def test_the_log_says_what_it_is() -> None:
    """Sections 3.13 and 3.14: version, and at least the tool of each run."""
    log = sarif_log(report())
    assert log["version"] == "2.1.0"
    assert log["$schema"].endswith("sarif-2.1.0.json")
    assert run_of(log)["tool"]["driver"]["name"] == "llb"
    assert run_of(log)["properties"] == {"status": "invalid", "level": 5, "profile": "publishable"}


def test_rules_come_from_the_catalogue_each_once() -> None:
    """Section 3.49: ids are unique; each rule has help."""
    rules = run_of(sarif_log(report()))["tool"]["driver"]["rules"]
    assert [rule["id"] for rule in rules] == ["LLB-C107", "LLB-I001", "LLB-S011"]
    for rule in rules:
        entry = catalogue()[rule["id"]]
        assert rule["shortDescription"] == {"text": f"{entry.title}."}
        assert rule["fullDescription"] == {"text": entry.cause}
        assert rule["help"] == {"text": entry.hint}
    assert [rule["defaultConfiguration"]["level"] for rule in rules] == ["note", "error", "warning"]


def test_results_point_to_their_rule_and_place() -> None:
    """Sections 3.27 and 3.28: rule id and index agree; a message; a location in a listed artifact."""
    made = run_of(sarif_log(report()))
    rules, results = made["tool"]["driver"]["rules"], made["results"]
    assert [result["ruleId"] for result in results] == [item.code for item in FOUND]
    for result, item in zip(results, FOUND, strict=True):
        rule = rules[result["ruleIndex"]]
        assert (rule["id"], rule["defaultConfiguration"]["level"]) == (result["ruleId"], result["level"])
        assert item.message.replace("\x1b", "\\x1b") in result["message"]["text"]
        (location,) = result["locations"]
        artifact = location["physicalLocation"]["artifactLocation"]
        assert made["artifacts"][artifact["index"]]["location"]["uri"] == artifact["uri"] == "x.llb"
        logical = location.get("logicalLocations", [])
        assert [place["fullyQualifiedName"] for place in logical] == [item.pointer] * bool(item.pointer)


def test_a_text_is_neither_a_template_nor_a_link() -> None:
    """Sections 3.11.5 and 3.11.6: braces are doubled; brackets before parentheses would be a link."""
    found = (finding("LLB-S002", "the key '{0}' is [here](https://example.org)"),)
    made = run_of(sarif_log(Report(Path("x.llb"), None, 1, found)))
    text = made["results"][0]["message"]["text"]
    assert "'{{0}}' is [here] (https://example.org)" in text


def test_fingerprints_tell_results_apart_but_not_by_their_values() -> None:
    """Section 3.27.17: the same for the same fault of another version."""
    prints = [item["partialFingerprints"]["finding/v1"] for item in run_of(sarif_log(report()))["results"]]
    assert len(set(prints)) == len(FOUND)
    again = replace(FOUND[1], actual="another value")
    (result,) = run_of(sarif_log(Report(Path("y.llb"), None, 5, (again,))))["results"]
    assert result["partialFingerprints"]["finding/v1"] == prints[1]


@pytest.mark.parametrize(
    "path", ["a b.llb", "c:x.llb", "ünï.llb", "50%.llb", "/srv/a b.llb", "sub/x.llb.zip"]
)
def test_places_are_uris(path: str) -> None:
    """Section 3.4.3: a URI or relative reference, percent-encoded."""
    uri = run_of(sarif_log(report(path)))["artifacts"][0]["location"]["uri"]
    assert re.fullmatch(r"[A-Za-z0-9._~:/%-]+", uri)
    parts = urlsplit(uri)
    assert parts.scheme == ("file" if path.startswith("/") else "")
    assert unquote(parts.path) == path


def test_a_good_bundle_has_no_results(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = bundles.write(tmp_path / "x.llb")
    code, out, err = run(capsys, "validate", path, "--format", "sarif", "--level", "1")
    assert (code, err) == (0, "")
    made = run_of(json.loads(out))
    assert (made["results"], made["tool"]["driver"]["rules"]) == ([], [])
    assert made["invocations"] == [{"executionSuccessful": True}]


def test_the_findings_are_those_of_the_other_formats(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = bundles.write(tmp_path / "x.llb")
    (path / "extra").touch()
    code, out, _ = run(capsys, "validate", path, "--format", "sarif", "--profile", "publishable")
    assert code == 1
    expected = [item.code for item in validate(path, profile="publishable").findings]
    assert [result["ruleId"] for result in run_of(json.loads(out))["results"]] == expected
