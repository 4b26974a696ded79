from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llb.fetch import Services
from llb.fetch.reference import HepdataRecord, PublishedFile, Reference, ZenodoRecord, parse_reference
from llb_schema import FindingError

SERVICES = Services()
RESOURCE = "10.17182/hepdata.90607.v3/r3"


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ("10.17182/hepdata.90607", HepdataRecord("90607")),
        ("doi:10.17182/hepdata.90607.v3", HepdataRecord("90607", 3)),
        ("https://doi.org/10.17182/hepdata.90607.v3", HepdataRecord("90607", 3)),
        ("http://dx.doi.org/10.17182%2Fhepdata.90607.v3", HepdataRecord("90607", 3)),
        ("https://www.hepdata.net/record/ins1755298?version=2", HepdataRecord("ins1755298", 2)),
        ("https://hepdata.net/record/90607", HepdataRecord("90607")),
        (" INS1755298 ", HepdataRecord("ins1755298")),
        (RESOURCE, PublishedFile(f"https://doi.org/{RESOURCE}", RESOURCE)),
        (
            "https://www.hepdata.net/record/resource/997020?landing=true",
            PublishedFile("https://www.hepdata.net/record/resource/997020?view=true", "resource 997020"),
        ),
        ("10.5281/zenodo.1234567", ZenodoRecord("1234567")),
        ("10.5281/ZENODO.1234567", ZenodoRecord("1234567")),
        ("https://zenodo.org/record/1234567", ZenodoRecord("1234567")),
        ("https://zenodo.org/records/1234567", ZenodoRecord("1234567")),
        (
            "https://zenodo.org/records/1234567/files/x.llb.zip?download=1",
            PublishedFile("https://zenodo.org/records/1234567/files/x.llb.zip?download=1", "x.llb.zip"),
        ),
        ("10.1000/182", PublishedFile("https://doi.org/10.1000/182", "10.1000/182")),
        ("https://example.org/a/x.llb.zip", PublishedFile("https://example.org/a/x.llb.zip", "x.llb.zip")),
        ("http://example.org", PublishedFile("http://example.org", "file")),
    ],
)
def test_what_is_meant(text: str, meant: Reference) -> None:
    assert parse_reference(text, SERVICES) == meant


@pytest.mark.parametrize(
    "text",
    [
        "",
        "search.llb.zip",
        "/etc/passwd",
        "file:///etc/passwd",
        "ftp://example.org/x",
        "https://",
        "http://[",
        "2007.14858",
        "10.17182/hepdata.90607.v3/t2",
        "javascript:alert(1)",
    ],
)
def test_what_names_nothing(text: str) -> None:
    with pytest.raises(FindingError, match="LLB-D001"):
        parse_reference(text, SERVICES)


def test_services_with_a_path_of_their_own() -> None:
    services = Services("http://here:1/doi", "http://here:1/hepdata", "http://here:1/zenodo")
    assert parse_reference("http://here:1/doi/10.5281/zenodo.7", services) == ZenodoRecord("7")
    assert parse_reference("http://here:1/hepdata/record/5?version=2", services) == HepdataRecord("5", 2)
    assert parse_reference("http://here:1/zenodo/records/7", services) == ZenodoRecord("7")
    assert parse_reference("10.1000/182", services) == PublishedFile(
        "http://here:1/doi/10.1000/182", "10.1000/182"
    )


def test_services_of_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    assert Services.from_environment() == Services()
    monkeypatch.setenv("LLB_ZENODO_URL", "https://sandbox.zenodo.org/")
    assert Services.from_environment() == Services(zenodo="https://sandbox.zenodo.org")


# What addresses are made of, in any order.
PIECES = [
    "http",
    "https",
    "file",
    "://",
    "[",
    "]",
    "@",
    ":",
    "/",
    "?",
    "#",
    "%2F",
    "..",
    "10.17182/hepdata.",
    "1.v",
]
PIECES += [
    "10.5281/zenodo.",
    "www.hepdata.net",
    "zenodo.org",
    "doi.org",
    "/record/",
    "resource/",
    "version=",
    "9" * 9,
]
texts = st.text(max_size=20) | st.lists(st.sampled_from(PIECES) | st.characters(), max_size=8).map("".join)


@given(texts)
def test_anything_is_a_reference_or_a_finding(text: str) -> None:
    codes: list[str] = []
    try:
        parse_reference(text, SERVICES)
    except FindingError as error:
        codes = [item.code for item in error.findings]
    assert codes in ([], ["LLB-D001"])
