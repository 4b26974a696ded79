"""The families of the format: their contracts hold, and a reader without one says only that."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import bundles
import pytest
from densities import FULL, REGRESSION, density_manifest

from llb.bundle import check_manifest, read_bundle
from llb.validation import validate
from llb_schema import FAMILIES_OF_FORMAT, READER, FindingError, Reader, load_schema, validate_document

PROFILES_ONLY = Reader(frozenset(), frozenset({"profile_likelihood"}))
GOOD = {
    "flow": density_manifest(FULL),
    "regression": density_manifest(REGRESSION),
    "conditional flow": density_manifest(FULL, conditional=True),
    "conditional regression": density_manifest(REGRESSION, conditional=True),
}


def codes(document: Any, reader: Reader = READER) -> list[tuple[str, str]]:
    return [(item.code, item.pointer) for item in validate_document(document, "manifest", reader)]


@pytest.mark.requirement("FAMILY-1")
def test_the_families_are_those_of_the_schema() -> None:
    assert tuple(load_schema("manifest")["properties"]["family"]["enum"]) == FAMILIES_OF_FORMAT
    assert READER.families == set(FAMILIES_OF_FORMAT)


@pytest.mark.parametrize("name", GOOD)
def test_the_contracts_can_be_kept(name: str) -> None:
    assert codes(GOOD[name]) == []


CURVES = bundles.manifest()["curves"]
TENSOR = {"name": "x", "dtype": "float64", "shape": ["batch", 1]}
FAULTS: dict[str, tuple[str, str, Any, str]] = {
    "no parameters": (FULL, "/parameters", None, "LLB-S001"),
    "no density": (FULL, "/density", None, "LLB-S001"),
    "no prior": (FULL, "/density/prior", None, "LLB-S001"),
    "normal without a width": (FULL, "/density/prior/1/width", None, "LLB-S001"),
    "normal of no width": (FULL, "/density/prior/1/width", 0, "LLB-S006"),
    "a likelihood is no density": (FULL, "/density/kind", "likelihood", "LLB-S004"),
    "offset of a posterior": (FULL, "/density/offset", 1.0, "LLB-S002"),
    "role of a parameter": (FULL, "/parameters/0/role", "interesting", "LLB-S004"),
    "parameter without a unit": (FULL, "/parameters/0/unit", None, "LLB-S001"),
    "parameter without a label": (FULL, "/parameters/0/label", None, "LLB-S001"),
    "parameter without bounds": (FULL, "/parameters/0/bounds", None, "LLB-S001"),
    "curves of a density": (FULL, "/curves", CURVES, "LLB-S002"),
    "graph of a profile": (FULL, "/graphs/1/role", "delta_nll", "LLB-S004"),
    "truncation": (FULL, "/domain/truncation", {"delta_nll_max": 3.0}, "LLB-S002"),
    "benchmarks": (FULL, "/validation/benchmarks", "a.csv", "LLB-S002"),
    "metric of nothing": (FULL, "/validation/metrics/0/quantity", None, "LLB-S001"),
    "metric in a region": (FULL, "/validation/metrics/0/region", "tail", "LLB-S004"),
    "condition that is not declared": (FULL, "/graphs/0/condition", TENSOR, "LLB-S002"),
    "no offset": (REGRESSION, "/density/offset", None, "LLB-S001"),
    "a regression is not normalised": (REGRESSION, "/density/kind", "normalized_likelihood", "LLB-S004"),
    "prior of a likelihood": (
        REGRESSION,
        "/density/prior",
        [{"parameter": "mu", "kind": "uniform"}],
        "LLB-S002",
    ),
}


@pytest.mark.requirement("DENSITY-1", "DENSITY-2")
@pytest.mark.parametrize("name", FAULTS)
def test_each_fault_is_found_at_its_place(name: str) -> None:
    family, pointer, value, code = FAULTS[name]
    document = density_manifest(family)
    bundles.put(document, pointer, value)
    found = codes(document)
    assert (code, pointer) in found
    # Another kind of density has other keys; everything else is one fault.
    assert len(found) == 1 or pointer == "/density/kind"


@pytest.mark.requirement("DENSITY-3", "DENSITY-4")
def test_a_density_has_its_graph() -> None:
    document = density_manifest()
    document["graphs"][0]["role"] = "score"
    (item,) = validate_document(document, "manifest")
    assert (item.code, item.pointer, "log_prob" in item.expected) == ("LLB-S009", "/graphs", True)


@pytest.mark.requirement("DENSITY-4")
def test_a_regression_has_no_samples() -> None:
    document = density_manifest(REGRESSION)
    document["graphs"].append({**density_manifest(FULL)["graphs"][1]})
    assert codes(document) == [("LLB-S004", "/graphs/1/role")]


@pytest.mark.requirement("DENSITY-5")
def test_conditions_and_the_feature_come_together() -> None:
    document = density_manifest(conditional=True)
    document["required_features"] = []
    (item,) = validate_document(document, "manifest")
    assert (item.code, item.pointer) == ("LLB-S009", "/required_features")
    assert item.expected == 'an item that is "conditional_inputs"'
    document = density_manifest(conditional=True)
    del document["conditions"]
    assert ("LLB-S001", "/conditions") in codes(document)
    document = density_manifest(conditional=True)
    del document["graphs"][1]["condition"]
    assert codes(document) == [("LLB-S001", "/graphs/1/condition")]


@pytest.mark.requirement("FAMILY-1")
@pytest.mark.parametrize(("key", "value"), [("parameters", []), ("density", {}), ("conditions", [])])
def test_a_profile_has_no_keys_of_a_density(key: str, value: Any) -> None:
    document = {**bundles.manifest(), "files": density_manifest()["files"], key: value}
    assert ("LLB-S002", f"/{key}") in codes(document)
    assert codes({**document, key: None}, PROFILES_ONLY) == codes({**document, key: None})


@pytest.mark.requirement("FAMILY-2")
@pytest.mark.parametrize("family", [FULL, REGRESSION])
def test_a_reader_without_the_family_says_that_and_nothing_else(family: str) -> None:
    document = density_manifest(family)
    document["colour"] = "red"
    (item,) = validate_document(document, "manifest", PROFILES_ONLY)
    assert (item.code, item.pointer, item.actual) == ("LLB-S018", "/family", repr(family))
    assert item.expected == "profile_likelihood"
    assert "Update the reader" in item.hint


@pytest.mark.requirement("FAMILY-2")
@pytest.mark.parametrize("family", [FULL, REGRESSION])
def test_a_family_that_its_version_only_reserves_is_refused(family: str) -> None:
    document = {**density_manifest(family), "format_version": "1.0.0", "colour": "red"}
    (item,) = check_manifest(document)
    assert (item.code, item.pointer, item.expected) == ("LLB-S018", "/family", "profile_likelihood")
    assert "1.1.0 or later" in item.hint


def test_a_reader_without_the_feature_says_so() -> None:
    found = validate_document(density_manifest(conditional=True), "manifest", PROFILES_ONLY)
    assert [item.code for item in found] == ["LLB-S012", "LLB-S018"]


def test_a_bundle_of_a_reserved_family_is_refused_in_one_finding(tmp_path: Path) -> None:
    path = bundles.write(tmp_path / "x.llb")
    old = {**density_manifest(), "format_version": "1.0.0"}
    bundles.reseal(path, lambda document: document.update(old))
    assert [item.code for item in validate(path).findings] == ["LLB-S018"]
    with pytest.raises(FindingError, match="LLB-S018"):
        read_bundle(path)


def test_families_of_a_newer_version_are_refused_by_name() -> None:
    document = {**bundles.manifest(), "format_version": "1.4.0", "family": "flow", "layers": 3}
    found = validate_document(document, "manifest")
    assert [item.code for item in found] == ["LLB-S018", "LLB-S011"]
    assert "later version of the format" in found[0].hint
