"""Imported bundles: the published function, exactly zero at no signal, valid, with what had to be decided."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import incumbent
import numpy as np
import olll_files
import onnx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from olll_files import IDS, NAMES, OURS, STANDARD, document, learned, pipelines
from scipy.optimize import brentq, minimize_scalar
from scipy.stats import norm

from llb.bundle import read_bundle
from llb.interop import CLOSURE_LIMIT, CLOSURE_WARNING, ImportChoices, ImportReport, import_olll
from llb.interop.olll_domain import domain_of
from llb.interop.olll_identity import bundle_id_of, references_of, spdx_of
from llb.interop.olll_metadata import CURVES, OlllSource
from llb.runtime import Signals, limits, load
from llb.validation import validate
from llb_schema import FindingError

Array = NDArray[np.float64]
Import = Callable[..., ImportReport]

MEAN, STD = np.array(olll_files.TARGET_MEAN), np.array(olll_files.TARGET_STD)
PER_OUTPUT = {
    "nLL_exp": ["log", "standardization"],
    "nLL_obs": ["asinh", "standardization"],
    "nLLA_exp": ["log_w_negatives", "standardization"],
    "nLLA_obs": ["asinh"],
}
SCALE = 18.36
LO, HI = np.array([-0.5, -0.51, -0.4, -0.3]), np.array([70.0, 60.0, 65.0, 50.0])


def transform_case(name: str) -> tuple[dict[str, Any], Array, tuple[float, ...]]:
    """Metadata, what the targets are at no signal, and what features are there."""
    total = np.array(olll_files.OFFSET)
    signed = olll_files.standard_features(total)
    values = document()
    values["standardization"] |= {"nLLs_lo": [LO.tolist()], "nLLs_hi": [HI.tolist()]}
    little = np.log(0.004)
    zero = olll_files.standard_zero()
    match name:
        case "log_w_negatives":
            return values, zero, tuple(signed)
        case "no transforms":
            return values | pipelines([], []), np.zeros(4), tuple(total)
        case "standardization":
            parts = ["standardization"]
            return (
                values | pipelines(parts, parts),
                zero,
                tuple((total - olll_files.FEATURE_MEAN) / olll_files.FEATURE_STD),
            )
        case "log":
            parts = ["log", "standardization"]
            features = (np.log(total) - olll_files.FEATURE_MEAN) / olll_files.FEATURE_STD
            return values | pipelines(parts, parts), (little - MEAN) / STD, tuple(features)
        case "asinh":
            outputs = {"per_output": [["asinh", "standardization"]] * 4, "asinh_scale": SCALE}
            return values | pipelines(STANDARD, outputs), zero, tuple(signed)
        case "logit_bounded":
            p = -LO / (HI - LO)
            target = (np.log(p / (1.0 - p)) - MEAN) / STD
            parts = ["logit_bounded", "standardization"]
            return values | pipelines(STANDARD, parts), target, tuple(signed)
    outputs = {"per_output": PER_OUTPUT, "asinh_scale": SCALE}
    target = np.array([(little - MEAN[0]) / STD[0], zero[1], zero[2], 0.0])
    return values | pipelines(STANDARD, outputs), target, tuple(signed)


MIXES = ("log_w_negatives", "no transforms", "standardization", "log", "asinh", "logit_bounded", "per output")


def named(row: Array) -> dict[str, float]:
    return dict(zip(NAMES, row.tolist(), strict=True))


def by_output(columns: dict[str, Array]) -> Array:
    return np.stack([columns[name] for name in OURS], axis=1)


@pytest.mark.parametrize("mix", MIXES)
def test_the_bundle_is_what_the_incumbent_evaluates(mix: str, bring: Import, tmp_path: Path) -> None:
    values, target, at = transform_case(mix)
    network = learned(target=target.tolist(), at=at, strength=0.35 if mix != "no transforms" else 0.1)
    report = bring(network, values)
    report_of_validation = validate(report.path)
    assert [str(item) for item in report_of_validation.findings] == []
    adapter = incumbent.Adapter((tmp_path / "model.onnx").read_bytes())
    model = load(report.path)
    rows = olll_files.signals(30)
    zero, _ = adapter.predict(named(np.zeros(4)))
    theirs = [adapter.predict(named(row)) for row in rows]
    delta = np.stack([item for item, _ in theirs]) - zero
    delta[:, 2:] = np.maximum(delta[:, 2:], 0.0)
    np.testing.assert_allclose(by_output(model.delta_nll(rows)), delta, rtol=3e-6, atol=3e-6)
    # The sigma is there, as the file states it, and not claimed to be one.
    assert not model.has_uncertainty
    spec = model.graph.spec.outputs[1]
    (sigma,) = model.graph.run_outputs(rows, [spec])
    ours = {name: sigma[:, model.bundle.manifest.curve(name).column] for name in OURS}
    np.testing.assert_allclose(by_output(ours), np.stack([item for _, item in theirs]), rtol=2e-4)
    closure = dict(zip(OURS, zero.tolist(), strict=True))
    assert report.closure == pytest.approx(closure, abs=1e-6)


@pytest.mark.parametrize("mix", MIXES)
def test_no_signal_is_exactly_zero(mix: str, bring: Import) -> None:
    values, target, at = transform_case(mix)
    model = load(bring(learned(target=target.tolist(), at=at, strength=0.1), values).path)
    rows = np.vstack([olll_files.signals(70), np.zeros((1, 4)), olll_files.signals(9)])
    assert (model.columns(np.zeros((1, 4))) == 0.0).all()
    assert (model.columns(rows)[70] == 0.0).all()
    assert (model.columns(-np.zeros((3, 4))) == 0.0).all()
    # It is no hole in the curve: next to it Delta NLL is small as well.
    assert np.abs(model.columns(np.full((1, 4), 1e-9))).max() < 1e-5


@settings(max_examples=20, deadline=None)
@given(mu=st.floats(0.0, 1.0), seed=st.integers(0, 40))
def test_mu_scales_the_signal(mu: float, seed: int, tmp_path_factory: pytest.TempPathFactory) -> None:
    folder = tmp_path_factory.mktemp("property")
    path = olll_files.write(folder, learned(target=olll_files.standard_zero(), seed=seed))
    choices = ImportChoices(signal_uncertainty=0.0, floor_asimov=True)
    model = load(import_olll(path, folder / "x.llb", facts=olll_files.facts(), choices=choices).path)
    adapter = incumbent.Adapter(path.read_bytes())
    (row,) = olll_files.signals(1, seed)
    nll = adapter.nll(named(row), mu) - adapter.nll(named(row), 0.0) + adapter.baseline
    got = by_output(model.nll(mu * row[np.newaxis]))[0]
    raised = np.where([False, False, True, True], np.maximum(nll, adapter.baseline), nll)
    np.testing.assert_allclose(got, raised, rtol=1e-6, atol=1e-5)


def test_the_manifest_says_what_was_said(bring: Import, standard: onnx.ModelProto) -> None:
    bundle = read_bundle(bring(standard, signal_uncertainty=0.2, optional_control_regions=True).path)
    manifest = bundle.manifest
    assert manifest.id == "toy-2026-01_mumlp-2x8"
    assert [author.name for author in manifest.authors] == ["Ada Example", "Ben Example"]
    assert manifest.license == "CC-BY-4.0"
    assert [(item.kind, item.value) for item in manifest.references] == [
        ("arxiv", "1007.1727"),
        ("inspire", "855936"),
        ("doi", "10.17182/hepdata.12345.v1/r2"),
    ]
    assert (manifest.analysis.name, manifest.analysis.sqrt_s) == ("ATLAS-TOY-2026-01", 13.0)
    assert manifest.bin_ids == IDS
    assert [item.signal_optional for item in manifest.bins] == [False, False, False, True]
    assert [curve.name for curve in manifest.curves] == [
        "observed",
        "observed_asimov",
        "apriori",
        "apriori_asimov",
    ]
    baselines = {curve.name: curve.baseline_nll for curve in manifest.curves}
    assert baselines == dict(zip(OURS, olll_files.BASELINES, strict=True))
    assert manifest.signal_model.modifiers == ("lumi",)
    assert manifest.signal_model.relative_uncertainty == 0.2
    np.testing.assert_allclose(manifest.domain.lower, olll_files.LOWER)
    np.testing.assert_allclose(manifest.domain.upper, olll_files.UPPER)
    assert manifest.domain.delta_nll_max == 60.0
    said = manifest.extensions["org.llb.olll"]
    assert said["offset"] == dict(zip(IDS, olll_files.OFFSET, strict=True))
    assert said["offset_rule"] == "obs-in-control-regions"
    record = json.loads(bundle.read("provenance/olll.json"))
    assert record["metadata"] == dict(olll_files.texts(document()))
    assert "say nothing about the accuracy" in manifest.validation.method
    assert {metric.count for metric in manifest.validation.metrics} == {1}


def test_the_order_of_the_file_counts(bring: Import) -> None:
    values = document()
    for key in ("obs_yields", "bkg_yields", "bkg_unc"):
        values[key] = values[key][::-1]
    # Now the names stand for other columns than the network has; all that depends on the order turns too.
    for key in ("x_min", "x_max"):
        values[key] = values[key][::-1]
    for key in ("features_mean", "features_std"):
        values["standardization"][key] = [values["standardization"][key][0][::-1]]
    at = olll_files.standard_features(np.array(olll_files.OFFSET))[::-1]
    network = learned(target=olll_files.standard_zero(), at=tuple(at))
    assert read_bundle(bring(network, values).path).manifest.bin_ids == IDS[::-1]


def shifted(shift: float) -> onnx.ModelProto:
    return olll_files.counting(shift=shift)


def test_a_small_closure_error_is_reported(bring: Import) -> None:
    report = bring(shifted(0.5 * CLOSURE_WARNING), olll_files.counting_document())
    assert report.findings == ()
    report = bring(shifted(2.0 * CLOSURE_WARNING), olll_files.counting_document())
    assert [item.code for item in report.findings] == ["LLB-F018"]
    assert report.closure == pytest.approx(dict.fromkeys(OURS, 2.0 * CLOSURE_WARNING), abs=1e-6)
    # It is gone from the bundle, everywhere.
    rows = olll_files.signals(20)
    np.testing.assert_allclose(
        by_output(load(report.path).delta_nll(rows)), olll_files.exact_delta(rows), atol=2e-5
    )


def test_a_large_one_is_refused_unless_it_is_taken(bring: Import) -> None:
    network = shifted(2.0 * CLOSURE_LIMIT)
    with pytest.raises(FindingError) as error:
        bring(network, olll_files.counting_document())
    assert [item.code for item in error.value.findings] == ["LLB-F019"]
    report = bring(network, olll_files.counting_document(), accept_closure=True)
    assert [item.code for item in report.findings] == ["LLB-F018"]
    assert validate(report.path).status == "ok"


def test_the_other_offset_is_shown_where_it_is_better(bring: Import) -> None:
    values = olll_files.counting_document()
    values["bkg_yields"][3] = ["CRtop-0", 47.0]
    with pytest.raises(FindingError) as error:
        bring(olll_files.counting(), values, offset="bkg")
    (found,) = error.value.findings
    assert found.code == "LLB-F019"
    assert found.hint.startswith("With --offset obs-in-control-regions it is ")
    assert float(found.hint.split(" it is ")[1].split(". ")[0]) < 1e-5


def test_an_offset_by_background(bring: Import) -> None:
    total = np.array(olll_files.BACKGROUND)
    network = learned(target=olll_files.standard_zero(), at=tuple(olll_files.standard_features(total)))
    report = bring(network, offset="bkg")
    assert max(map(abs, report.closure.values())) < 1e-6
    said = read_bundle(report.path).manifest.extensions["org.llb.olll"]
    assert said["offset"] == dict(zip(IDS, olll_files.BACKGROUND, strict=True))


def test_validation_regions_are_counted_from_the_data(bring: Import, standard: onnx.ModelProto) -> None:
    values = document() | {"channels": olll_files.ROLES | {"CRtop": "VR"}}
    manifest = read_bundle(bring(standard, values).path).manifest
    assert manifest.extensions["org.llb.olll"]["offset"]["CRtop[0]"] == 40.0
    assert manifest.bins[3].role == "VR"


def test_asimov_curves_below_zero(bring: Import) -> None:
    network = olll_files.counting(dip=0.2)
    values = olll_files.counting_document()
    with pytest.raises(FindingError) as error:
        bring(network, values, floor_asimov=False)
    assert {item.code for item in error.value.findings} == {"LLB-F020"}
    assert len(error.value.findings) == 2
    report = bring(network, values)
    assert validate(report.path).findings == ()
    model = load(report.path)
    low = model.delta_nll(np.array([[0.2, 0.0, 0.0, 0.0]]))
    assert (low["apriori_asimov"], low["observed_asimov"]) == (0.0, 0.0)
    assert low["apriori"] < 0.0


def test_numbers_that_are_none(bring: Import) -> None:
    # The box reaches to 3 total yields in the first bin; the logarithm of what is below zero is none.
    values = olll_files.counting_document()
    values["x_min"] = [-1.0, *values["x_min"][1:]]
    with pytest.raises(FindingError) as error:
        bring(olll_files.counting(), values)
    assert [item.code for item in error.value.findings] == ["LLB-N004"]


def test_points_beyond_the_targets_of_the_training_are_outside(bring: Import) -> None:
    values = olll_files.counting_document() | {"y_max": [0.5, 2.0, 0.5, 1.0]}
    report = bring(olll_files.counting(), values)
    # The corners of the box have larger numbers; a test vector there would be a finding.
    assert validate(report.path).findings == ()
    model = load(report.path)
    assert model.bundle.manifest.domain.delta_nll_max == 2.0
    assert not model.in_domain(np.array([olll_files.UPPER]))[0]
    vectors = json.loads(model.bundle.read("validation/vectors.json"))
    largest = max(max(case["delta_nll"].values()) for case in vectors["cases"])
    assert 0.5 < largest < 2.0


def test_a_pinned_bin(bring: Import, standard: onnx.ModelProto) -> None:
    values = document()
    values["x_min"][3] = values["x_max"][3] = 40.0
    report = bring(standard, values)
    assert [(item.code, item.pointer) for item in report.findings] == [("LLB-F017", "/metadata/x_min/3")]
    manifest = read_bundle(report.path).manifest
    assert (manifest.domain.lower[3], manifest.domain.upper[3]) == (-1e-6, 1e-6)
    assert validate(report.path).status == "ok"


def test_rounding_does_not_put_no_signal_outside(bring: Import, standard: onnx.ModelProto) -> None:
    values = document()
    values["x_min"][0] = np.nextafter(4.0, 5.0)
    assert read_bundle(bring(standard, values).path).manifest.domain.lower[0] == 0.0


def test_limits_are_those_of_the_incumbent(bring: Import, tmp_path: Path) -> None:
    report = bring(olll_files.counting(), olll_files.counting_document(), floor_asimov=False)
    adapter = incumbent.Adapter((tmp_path / "model.onnx").read_bytes())
    model = load(report.path)
    rows = np.array([[3.0, 1.0, 0.5, 0.2], [0.5, 2.5, 2.0, 0.0], [6.0, 0.1, 0.1, -0.5]])
    found = limits(model, Signals(("a", "b", "c"), rows))
    observed, asimov = 1, 3
    for row, item in zip(rows, found, strict=True):

        def nll(mu: float, column: int, signal: Array = row) -> float:
            return float(adapter.nll(named(signal), mu)[column])

        best = minimize_scalar(lambda mu: nll(mu, observed), bounds=(0.0, 3.0), method="bounded")
        mu_hat, lowest = (best.x, best.fun) if best.fun < nll(0.0, observed) else (0.0, nll(0.0, observed))

        def cls(mu: float, mu_hat: float = mu_hat, lowest: float = lowest) -> float:
            q = 0.0 if mu < mu_hat else max(0.0, 2.0 * (nll(mu, observed) - lowest))
            a = max(0.0, 2.0 * (nll(mu, asimov) - nll(0.0, asimov)))
            if q <= a:
                return float(norm.sf(np.sqrt(q)) / norm.cdf(np.sqrt(a) - np.sqrt(q)))
            return float(norm.sf((q + a) / (2 * np.sqrt(a))) / norm.sf((q - a) / (2 * np.sqrt(a))))

        assert item.cls_observed == pytest.approx(cls(1.0), rel=1e-3)
        upper = brentq(lambda mu: cls(mu) - 0.05, max(mu_hat, 0.05), 5.0)
        assert item.upper_limit_observed == pytest.approx(upper, rel=1e-3)
        assert item.in_domain


def test_heldout_truth_becomes_claims(tmp_path: Path) -> None:
    path = olll_files.write(tmp_path, olll_files.counting(), olll_files.counting_document())
    rows = olll_files.signals(50)
    rows[0, 0], rows[1, 0] = 99.0, -1.5
    order = [OURS.index(name) for name in ("observed", "observed_asimov", "apriori", "apriori_asimov")]
    truth = olll_files.exact_delta(rows)[:, order] + 0.01
    header = ["apriori_asimov", "name", *IDS, "observed", "observed_asimov", "apriori", "note"]
    lines = [",".join(header)]
    for number, (row, values) in enumerate(zip(rows.tolist(), truth.tolist(), strict=True)):
        lines.append(",".join(map(str, [values[3], f"p{number}", *row, *values[:3], "x"])))
    table = tmp_path / "truth.csv"
    table.write_text("\n".join(lines) + "\n")
    choices = ImportChoices(signal_uncertainty=0.0)
    report = import_olll(path, tmp_path / "x.llb", facts=olll_files.facts(), choices=choices, heldout=table)
    assert validate(report.path).findings == ()
    validation = read_bundle(report.path).manifest.validation
    assert "48 points" in validation.method
    assert validation.metrics[0].median == pytest.approx(0.01, abs=1e-4)
    faults = {"name,x\na,1\n": "LLB-M026", "": "LLB-M026", lines[0] + "\n1,a,x\n": "LLB-M027"}
    faults[lines[0] + "\n0,far,99,0,0,0,0,0,0,x\n"] = "LLB-T021"
    for text, code in faults.items():
        table.write_text(text)
        with pytest.raises(FindingError) as error:
            import_olll(path, tmp_path / "y.llb", facts=olll_files.facts(), choices=choices, heldout=table)
        assert [item.code for item in error.value.findings] == [code]


def test_a_baseline_that_is_not_the_teachers(tmp_path: Path, standard: onnx.ModelProto) -> None:
    from dataclasses import replace

    facts = olll_files.facts()
    data = {name: replace(item, baseline_nll=20.0) for name, item in facts.data.items()}
    path = olll_files.write(tmp_path, standard)
    choices = ImportChoices(signal_uncertainty=0.0, floor_asimov=True)
    report = import_olll(path, tmp_path / "x.llb", facts=replace(facts, data=data), choices=choices)
    assert [(item.code, item.pointer) for item in report.findings] == [
        ("LLB-F025", f"/metadata/{key}_mu0") for key in sorted(CURVES) if CURVES[key] != "apriori"
    ]


def test_a_teacher_of_another_search(tmp_path: Path, standard: onnx.ModelProto) -> None:
    from dataclasses import replace

    facts = olll_files.facts()
    background = {name: value for name, value in facts.background.items() if name != "SRa[0]"}
    data = {name: item for name, item in facts.data.items() if name != "apriori"}
    path = olll_files.write(tmp_path, standard)
    with pytest.raises(FindingError) as error:
        import_olll(
            path,
            tmp_path / "x.llb",
            facts=replace(facts, background=background, data=data),
            choices=ImportChoices(signal_uncertainty=0.0),
        )
    assert [(item.code, item.message) for item in error.value.findings] == [
        ("LLB-F022", "the teacher has no data set apriori"),
        ("LLB-F022", "the teacher has no bin SRa[0]"),
    ]


def test_nothing_is_written_where_something_is(
    bring: Import, standard: onnx.ModelProto, tmp_path: Path
) -> None:
    bring(standard)
    path = tmp_path / "model.onnx"
    with pytest.raises(FindingError) as error:
        import_olll(path, tmp_path / "x.llb", facts=olll_files.facts())
    assert [item.code for item in error.value.findings] == ["LLB-X002"]


@pytest.mark.parametrize(
    ("text", "spdx"),
    [
        ("CC BY 4.0", "CC-BY-4.0"),
        ("cc-by-4.0", "CC-BY-4.0"),
        ("Creative Commons Attribution 4.0 International", "CC-BY-4.0"),
        ("CC0 1.0", "CC0-1.0"),
        ("GPLv3", "GPL-3.0-only"),
        ("MIT", "MIT"),
    ],
)
def test_licences_by_their_names(text: str, spdx: str) -> None:
    assert spdx_of(text) == spdx


def test_references_in_all_their_forms() -> None:
    def found(**parts: str) -> list[tuple[str, str]]:
        return [(item["kind"], item["value"]) for item in references_of(OlllSource("A", **parts))]

    assert found(arxiv="hep-ex/0101001v2") == [("arxiv", "hep-ex/0101001v2")]
    assert found(arxiv="unknown", inspire="soon", reference="ask me") == []
    assert found(reference="10.5281/zenodo.1") == [("doi", "10.5281/zenodo.1")]
    assert found(reference="https://example.org/a.json") == [("url", "https://example.org/a.json")]
    assert bundle_id_of("ATLAS SUSY/2018 (v2)") == "atlas-susy-2018-v2"
    assert bundle_id_of("***") == "imported"


def test_the_domain_needs_bounds_for_every_bin() -> None:
    # Short lists have a finding of their own; the rest of the file is still looked at.
    from dataclasses import replace

    from llb.interop.metadata_values import MetadataValues
    from llb.interop.olll_metadata import read_metadata

    metadata = read_metadata(MetadataValues(dict(olll_files.texts(document()))))
    assert metadata is not None
    assert len(domain_of(replace(metadata, lower=(3.0,)), olll_files.OFFSET, []).lower) == 1
