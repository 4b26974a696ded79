"""The profile `publishable`: each of its demands, on a bundle that lacks this one thing."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any, get_args

import bundles
import publishable
import pytest
from commands import run

from llb.bundle import Reference
from llb.validation import DEFAULT_LEVEL, PROFILES, Profile, validate
from llb.validation.identifiers import has_its_form, is_open, leads_to_data, leads_to_paper, orcid_digit
from llb_schema import catalogue, load_schema, validate_document

Document = dict[str, Any]


def put(*path: str | int, value: Any) -> Callable[[Document], None]:
    """A change that sets one value of a manifest."""

    def change(document: Any) -> None:
        for part in path[:-1]:
            document = document[part]
        document[path[-1]] = value

    return change


def drop(*path: str | int) -> Callable[[Document], None]:
    """A change that takes one value out of a manifest."""

    def change(document: Any) -> None:
        for part in path[:-1]:
            document = document[part]
        del document[path[-1]]

    return change


def unlist(role: str) -> Callable[[Document], None]:
    """A change that takes the files of a role out of the closed list."""

    def change(document: Document) -> None:
        document["files"] = [item for item in document["files"] if item["role"] != role]

    return change


def forget(curve: str, region: str) -> Callable[[Document], None]:
    """A change that takes one metric out of a manifest."""

    def change(document: Document) -> None:
        metrics = document["validation"]["metrics"]
        metrics[:] = [item for item in metrics if (item["curve"], item["region"]) != (curve, region)]

    return change


def count(document: Document) -> None:
    for item in document["validation"]["metrics"]:
        if (item["curve"], item["region"]) == ("apriori", "all"):
            item["count"] = 999


def unstated(document: Document) -> None:
    document["uncertainty"] = {"kind": "none"}


def refer(*references: tuple[str, str]) -> Callable[[Document], None]:
    """A change that replaces all references."""
    listed = [{"kind": kind, "value": value} for kind, value in references]
    return put("references", value=listed)


ARXIV, HEPDATA = ("arxiv", "1007.1727"), ("hepdata", "ins1234567")
DEMANDS: dict[str, tuple[str, str, Callable[[Document], None]]] = {
    "nobody-to-ask": ("LLB-M101", "/authors", drop("authors", 0, "orcid")),
    "orcid-mistyped": (
        "LLB-M102",
        "/authors/0/orcid",
        put("authors", 0, "orcid", value="0000-0002-1825-0079"),
    ),
    "licence-non-commercial": ("LLB-M103", "/license", put("license", value="CC-BY-NC-4.0")),
    "licence-partly-closed": ("LLB-M103", "/license", put("license", value="MIT AND CC-BY-ND-4.0")),
    "no-lasting-reference": (
        "LLB-M104",
        "/references",
        refer(HEPDATA, ("url", "https://example.org/search")),
    ),
    "doi-with-its-resolver": (
        "LLB-M105",
        "/references/1/value",
        refer(HEPDATA, ("doi", "https://doi.org/10.1140/x")),
    ),
    "teacher-nowhere": ("LLB-M106", "/references", refer(ARXIV, ("doi", "10.1140/epjc/s10052-021-09749-7"))),
    "title-of-two-words": ("LLB-M107", "/title", put("title", value="Three bins")),
    "title-to-do": ("LLB-M107", "/title", put("title", value="TODO write a title")),
    "author-unknown": ("LLB-M107", "/authors/0/name", put("authors", 0, "name", value="Unknown")),
    "experiment-none": ("LLB-M107", "/analysis/experiment", put("analysis", "experiment", value="none")),
    "method-to-be-done": ("LLB-M107", "/validation/method", put("validation", "method", value="tbd")),
    "no-energy": ("LLB-M108", "/analysis/sqrt_s", drop("analysis", "sqrt_s")),
    "no-experiment": ("LLB-M108", "/analysis/experiment", drop("analysis", "experiment")),
    "no-luminosity": ("LLB-M108", "/analysis/luminosity", drop("analysis", "luminosity")),
    "thirtieth-of-february": ("LLB-M109", "/created", put("created", value="2026-02-30T00:00:00Z")),
    "teacher-without-program": ("LLB-M110", "/teacher/software", put("teacher", "software", value=[])),
    "maker-without-program": ("LLB-M110", "/provenance/software", put("provenance", "software", value=[])),
    "no-record-of-labels": ("LLB-M111", "/provenance/labels", drop("provenance", "labels")),
    "no-record-of-training": ("LLB-M111", "/provenance/training", drop("provenance", "training")),
    "no-benchmarks": ("LLB-M112", "/validation/benchmarks", drop("validation", "benchmarks")),
    "no-error": ("LLB-M113", "/uncertainty/kind", unstated),
    "few-points": ("LLB-M114", "/validation/metrics/11/count", count),
    "no-tail": ("LLB-M115", "/validation/metrics", forget("observed", "tail")),
    "no-figure": ("LLB-M116", "/files", unlist("figure")),
    "no-card": ("LLB-M117", "/files", unlist("card")),
    "no-licence-text": ("LLB-M117", "/files", unlist("license")),
    "rough-alias": (
        "LLB-M118",
        "/curves/3/alias_max_difference",
        put("curves", 3, "alias_max_difference", value=1.1e-3),
    ),
    "version-before-1": ("LLB-M119", "/version", put("version", value="0.9.0")),
    "version-a-candidate": ("LLB-M119", "/version", put("version", value="1.0.0-rc.1")),
    "too-large": ("LLB-M120", "/files", put("files", 0, "bytes", value=50_000_000)),
}


@pytest.fixture(scope="module")
def good(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return publishable.write(tmp_path_factory.mktemp("publishable") / "good.llb")


@pytest.mark.parametrize("profile", PROFILES)
def test_a_publishable_bundle_has_no_findings(profile: Profile, good: Path) -> None:
    report = validate(good, profile=profile)
    assert (report.level, report.findings, report.profile) == (DEFAULT_LEVEL, (), profile)


@pytest.mark.requirement(
    "PROFILE-2",
    "PROFILE-3",
    "PROFILE-4",
    "PROFILE-5",
    "PROFILE-6",
    "PROFILE-7",
    "PROFILE-8",
    "PROFILE-9",
    "PROFILE-10",
    "PROFILE-11",
    "PROFILE-12",
    "PROFILE-13",
    "PROFILE-14",
    "PROFILE-15",
    "PROFILE-16",
    "PROFILE-17",
    "PROFILE-18",
    "PROFILE-19",
    "PROFILE-20",
    "PROFILE-21",
)
@pytest.mark.parametrize("name", DEMANDS)
def test_each_demand_is_made_of_publishable_bundles_only(name: str, good: Path, tmp_path: Path) -> None:
    code, pointer, change = DEMANDS[name]
    document = json.loads((good / "manifest.json").read_text())
    change(document)
    bundle = tmp_path / "x.llb"
    bundle.mkdir()
    (bundle / "manifest.json").write_text(json.dumps(document))
    assert validate(bundle, 1).findings == ()
    report = validate(bundle, 1, profile="publishable")
    assert [(item.code, item.pointer) for item in report.findings] == [(code, pointer)]
    assert report.status == "invalid"


def test_every_demand_of_the_specification_has_a_code_and_a_bundle_that_lacks_it() -> None:
    codes = {
        code: entry.requirement for code, entry in catalogue().items() if "LLB-M101" <= code < "LLB-M200"
    }
    assert list(codes.values()) == [f"PROFILE-{number}" for number in range(2, len(codes) + 2)]
    assert {code for code, _, _ in DEMANDS.values()} == set(codes)


@pytest.mark.requirement("PROFILE-1")
def test_a_profile_neither_ends_a_validation_nor_hides_what_the_levels_find(tmp_path: Path) -> None:
    bundle = bundles.write(tmp_path / "x.llb")
    (bundle / "extra").touch()
    draft, asked = validate(bundle), validate(bundle, profile="publishable")
    assert asked.level == draft.level == 2
    assert set(draft.findings) < set(asked.findings)
    codes = [(item.code, item.pointer) for item in asked.findings]
    assert codes == sorted(codes)
    assert {"LLB-I004", "LLB-M101", "LLB-M106", "LLB-M113", "LLB-M114"} <= {code for code, _ in codes}


@pytest.mark.requirement("PROFILE-1")
@pytest.mark.parametrize("profile", PROFILES)
def test_a_report_names_its_profile(profile: Profile, good: Path, capsys: pytest.CaptureFixture[str]) -> None:
    arguments = ("validate", good, "--level", "1", "--profile", profile)
    code, out, _ = run(capsys, *arguments, "--format", "json")
    report = json.loads(out)
    assert (code, report["profile"]) == (0, profile)
    assert validate_document(report, "report") == ()
    _, out, _ = run(capsys, *arguments)
    assert ("publishable" in out) == (profile == "publishable")


def test_the_profiles_of_the_schema_are_those_of_the_validator() -> None:
    assert tuple(load_schema("report")["properties"]["profile"]["enum"]) == PROFILES == get_args(Profile)


def test_a_draft_is_not_fit_to_be_published(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, out, err = run(capsys, "validate", bundles.write(tmp_path / "x.llb"), "--profile", "publishable")
    assert (code, err) == (1, "")
    assert "three-bins@1.0.0: invalid (publishable, level 5, " in out


def test_a_profile_needs_the_manifest(good: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, _, err = run(capsys, "validate", good, "--profile", "publishable", "--level", "0")
    assert code == 2
    assert "--profile publishable reads the manifest" in err
    with pytest.raises(ValueError, match="level 1"):
        validate(good, 0, profile="publishable")


@pytest.mark.parametrize(
    ("orcid", "digit"),
    # The first three are the examples of ORCID's own documentation.
    [
        ("0000-0002-1825-0097", "7"),
        ("0000-0001-5109-3700", "0"),
        ("0000-0002-1694-233X", "X"),
        ("0000-0002-1825-0079", "0"),
    ],
)
def test_the_check_digit_of_an_orcid(orcid: str, digit: str) -> None:
    assert orcid_digit(orcid) == digit


@pytest.mark.parametrize("expression", ["CC0-1.0", "MIT OR Apache-2.0", "CC-BY-4.0 AND BSD-3-Clause"])
def test_open_licences(expression: str) -> None:
    assert is_open(expression)


@pytest.mark.parametrize("expression", ["CC BY 4.0", "cc0-1.0", "MIT or Apache-2.0", "MIT AND", "MIT WITH X"])
def test_what_is_no_open_licence(expression: str) -> None:
    assert not is_open(expression)


FORMED = {
    "doi": ("10.1140/epjc/s10052-021-09749-7", "10.17182/hepdata.89408.v3/r2"),
    "arxiv": ("1911.06660", "0704.0001v2", "hep-ex/0101001", "math.GT/0309136"),
    "inspire": ("1765529",),
    "hepdata": ("89408", "ins1765529", "10.17182/hepdata.89408.v3"),
    "url": ("https://example.org", "https://cds.cern.ch/record/2242860?ln=en"),
}
DEFORMED = {
    "doi": ("doi:10.1140/x", "10.1140", "10.1140/a b", "11.1140/x"),
    "arxiv": ("arXiv:1911.06660", "1913.06660", "1911.6", "1911.06660\n"),
    "inspire": ("ins1765529", "0", "https://inspirehep.net/literature/1765529"),
    "hepdata": ("ins0000000", "ins", "10.1140/x"),
    "url": ("http://example.org", "example.org", "https://", "https://example.org/a b", "https://localhost"),
}


@pytest.mark.parametrize(("kind", "value"), [(kind, value) for kind in FORMED for value in FORMED[kind]])
def test_references_of_the_right_form(kind: str, value: str) -> None:
    assert has_its_form(Reference(kind, value))


@pytest.mark.parametrize(("kind", "value"), [(kind, value) for kind in DEFORMED for value in DEFORMED[kind]])
def test_references_of_the_wrong_form(kind: str, value: str) -> None:
    assert not has_its_form(Reference(kind, value))


@pytest.mark.parametrize(
    ("kind", "value", "expected"),
    [
        ("doi", "10.5281/zenodo.123", True),
        ("doi", "10.17182/hepdata.1", True),
        ("doi", "10.7483/OPENDATA.CMS.1", True),
        ("doi", "10.1140/10.5281/x", False),
        ("hepdata", "ins1765529", True),
    ],
)
def test_a_reference_leads_to_data_or_to_a_paper(kind: str, value: str, expected: bool) -> None:
    reference = Reference(kind, value)
    assert leads_to_data(reference) is expected
    assert leads_to_paper(reference) is not expected
