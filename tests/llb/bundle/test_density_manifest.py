"""Manifests of densities: typed, with a meaning that the schema cannot say, written and read again."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import bundles
import pytest
from densities import FULL, REGRESSION, good_manifest

from llb.bundle import (
    BundleFile,
    DensityManifest,
    check_manifest,
    compare_bundles,
    copy_bundle,
    model_card,
    read_any_bundle,
    read_density_bundle,
    write_bundle,
)
from llb_conformance.gaussian import conditional_model, mixed_model, regression_model
from llb_conformance.gaussian_bundle import write_gaussian


@pytest.mark.requirement("DENSITY-1", "DENSITY-2", "DENSITY-5", "SOURCE-3")
@pytest.mark.parametrize("conditional", [False, True])
@pytest.mark.parametrize("family", [FULL, REGRESSION])
def test_a_good_manifest_has_no_findings(family: str, conditional: bool) -> None:
    document = good_manifest(family, conditional=conditional)
    assert check_manifest(document) == ()
    files = document["teacher"]["files"]
    document["teacher"] = {"kind": "other", "text": "A chain.", "files": files, "software": []}
    assert check_manifest(document) == ()


def test_what_it_says_is_typed() -> None:
    document = good_manifest(conditional=True)
    document["parameters"].reverse()
    manifest = DensityManifest.from_json(document)
    assert manifest.columns == ("mu", "alpha")
    assert manifest.condition_names == ("x",)
    mu, alpha = manifest.parameters
    assert (mu.lower, mu.upper, mu.role) == (0.0, 10.0, "poi")
    assert (alpha.lower, alpha.upper) == (-math.inf, math.inf)
    assert (manifest.conditions[0].lower, manifest.conditions[0].upper) == (1.0, math.inf)
    assert [item.kind for item in manifest.density.prior] == ["uniform", "normal"]
    assert manifest.density.is_normalized
    assert manifest.graphs[0].inputs == (manifest.graphs[0].input, manifest.graphs[0].condition)
    (claim,) = manifest.validation.sample_metrics
    assert (claim.quantity, claim.n, claim.seed) == ("mean_ks", 4, 1)
    regression = DensityManifest.from_json(good_manifest(REGRESSION))
    assert (regression.density.offset, regression.density.is_normalized) == (-812.5, False)


PAIR = {"name": "theta", "dtype": "float64", "shape": ["batch", 3]}
FAULTS: dict[str, tuple[str, Any, str, str]] = {
    "name twice": ("/parameters/1/name", "mu", "LLB-M044", "/parameters"),
    "condition named like a parameter": ("/conditions/0/name", "mu", "LLB-M044", "/conditions"),
    "column twice": ("/parameters/1/column", 0, "LLB-M045", "/parameters"),
    "column of a condition": ("/conditions/0/column", 1, "LLB-M045", "/conditions"),
    "bounds reversed": ("/parameters/0/bounds", {"lower": 10.0, "upper": 0.0}, "LLB-M046", "/parameters"),
    "prior of another name": ("/density/prior/1/parameter", "beta", "LLB-M047", "/density/prior"),
    "prior twice": ("/density/prior/1/parameter", "mu", "LLB-M047", "/density/prior"),
    "flat without an end": (
        "/density/prior/1",
        {"parameter": "alpha", "kind": "uniform"},
        "LLB-M048",
        "/density/prior/1",
    ),
    "log-normal of a negative number": (
        "/density/prior/1/kind",
        "lognormal",
        "LLB-M048",
        "/density/prior/1",
    ),
    "domain too short": ("/domain/lower", [0.0], "LLB-M008", "/domain/lower"),
    "domain of no width": ("/domain/upper/1", -5.0, "LLB-M049", "/domain/upper/1"),
    "domain beyond the bounds": ("/domain/upper/0", 11.0, "LLB-M049", "/domain/upper/0"),
    "role twice": ("/graphs/2/role", "sample", "LLB-M017", "/graphs"),
    "input of three columns": ("/graphs/0/input", PAIR, "LLB-M018", "/graphs/0/input/shape"),
    "log_prob of two columns": (
        "/graphs/0/outputs/0/shape",
        ["batch", 2],
        "LLB-M018",
        "/graphs/0/outputs/0/shape",
    ),
    "samples of one column": (
        "/graphs/1/outputs/0/shape",
        ["batch", 1],
        "LLB-M018",
        "/graphs/1/outputs/0/shape",
    ),
    "condition of two columns": (
        "/graphs/0/condition/shape",
        ["batch", 2],
        "LLB-M018",
        "/graphs/0/condition/shape",
    ),
    "heldout not listed": ("/validation/heldout", "x.csv", "LLB-M014", "/validation/heldout"),
}


@pytest.mark.requirement("DENSITY-1", "DENSITY-2", "DOMAIN-4", "GRAPH-2")
@pytest.mark.parametrize("name", FAULTS)
def test_each_fault_is_found_at_its_place(name: str) -> None:
    pointer, value, code, place = FAULTS[name]
    document = good_manifest(conditional=True)
    bundles.put(document, pointer, value)
    assert (code, place) in [(item.code, item.pointer) for item in check_manifest(document)]


@pytest.mark.requirement("CLAIM-4")
def test_distances_between_samples_need_samples() -> None:
    document = good_manifest()
    document["graphs"] = document["graphs"][:1]
    found = [(item.code, item.pointer) for item in check_manifest(document)]
    assert found == [("LLB-M050", "/validation/sample_metrics")]


@pytest.mark.requirement("SOURCE-3")
def test_another_model_is_for_densities_and_has_a_text() -> None:
    document = good_manifest()
    document["teacher"]["kind"] = "other"
    found = {item.pointer for item in check_manifest(document)}
    assert {"/teacher/text", "/teacher/channels", "/teacher/pyhf_digest"} <= found
    profile = {**bundles.manifest(), "format_version": "1.1.0"}
    profile["files"] = document["files"]
    profile["teacher"] = {"kind": "other", "text": "?", "files": profile["teacher"]["files"], "software": []}
    assert ("LLB-S004", "/teacher/kind") in [(item.code, item.pointer) for item in check_manifest(profile)]


@pytest.mark.parametrize(
    "model", [mixed_model(), conditional_model(), regression_model()], ids=lambda model: model.id
)
def test_a_density_is_written_copied_compared_and_described(model: Any, tmp_path: Path) -> None:
    source = read_density_bundle(write_gaussian(model, tmp_path / "a.llb"))
    copied = read_any_bundle(copy_bundle(source, tmp_path / "b.llb.zip"))
    assert compare_bundles(source, copied).same
    files = {
        entry.path: BundleFile(source.read(entry.path), entry.role, entry.media_type)
        for entry in source.manifest.files
        if entry.role not in ("card", "license")
    }
    again = read_density_bundle(write_bundle(tmp_path / "c.llb", source.raw, files))
    assert again.manifest.parameters == source.manifest.parameters
    card = again.read("README.md").decode()
    assert card == model_card(source.raw)
    for word in ("`mu`", "`mass`", "llb profile", *(f"`{name}`" for name in model.conditions)):
        assert word in card
    assert ("density.sample" in card) == (model.family == FULL)
