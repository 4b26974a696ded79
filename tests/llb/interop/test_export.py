"""Exported files: the incumbent's adapter and both validators take them, and they say what a bundle says."""

from __future__ import annotations

import ast
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import bundles
import incumbent
import numpy as np
import olll_files
import onnx
import pytest
from numpy.typing import NDArray

from llb.bundle import read_bundle, write_file
from llb.interop import ExportChoices, ExportReport, ImportChoices, ImportReport, export_olll, import_olll
from llb.interop.olll_export import FLOAT32_WARNING
from llb.runtime import limits, load, read_signals
from llb.validation import validate
from llb_conformance import parabola_model, write_quadratic
from llb_schema import FindingError

Array = NDArray[np.float64]
Import = Callable[..., ImportReport]
Change = Callable[[dict[str, Any]], None]

NAMES = ("SR-0", "SR-1", "CR-0")
CHOICES = ExportChoices(reference="10.17182/hepdata.12345")
# By the incumbent's outputs.
CURVES = ("apriori", "observed", "apriori_asimov", "observed_asimov")


@pytest.fixture
def bundle(tmp_path: Path) -> Path:
    return bundles.write(tmp_path / "x.llb")


def export(bundle: Path, **choices: Any) -> tuple[ExportReport, bytes]:
    chosen = ExportChoices(**{"reference": "10.17182/hepdata.12345", **choices})
    report = export_olll(read_bundle(bundle), bundle.with_suffix(".onnx"), choices=chosen, overwrite=True)
    return report, report.path.read_bytes()


def metadata(data: bytes) -> dict[str, str]:
    return {item.key: item.value for item in onnx.load_model_from_string(data).metadata_props}


def by_output(columns: dict[str, Array]) -> Array:
    return np.stack([columns[name] for name in CURVES], axis=1)


def named(row: Array, names: tuple[str, ...] = NAMES) -> dict[str, float]:
    return dict(zip(names, row.tolist(), strict=True))


def test_the_adapter_evaluates_the_bundle(bundle: Path) -> None:
    report, data = export(bundle)
    assert report.findings == ()
    adapter, model = incumbent.Adapter(data), load(bundle)
    rows = bundles.signals(40)
    delta = np.stack([adapter.predict(named(row))[0] for row in rows])
    wanted = by_output(model.delta_nll(rows))
    # Single precision of total yields around 40: half a step is 2e-6 events.
    np.testing.assert_allclose(delta, wanted, atol=6e-6)
    assert 0.0 < report.loss < 2e-5
    nll = np.stack([adapter.nll(named(row), 1.0) for row in rows])
    np.testing.assert_allclose(nll, by_output(model.nll(rows)), atol=6e-6)


def test_no_signal_is_exactly_zero(bundle: Path) -> None:
    adapter = incumbent.Adapter(export(bundle)[1])
    delta, sigma = adapter.predict(named(np.zeros(3)))
    assert (delta == 0.0).all()
    assert (sigma > 0.0).all()
    assert sigma.max() < 1e-14


def test_signals_in_quarters_lose_nothing(tmp_path: Path) -> None:
    # Totals that a float32 has exactly.
    def rounded(document: dict[str, Any]) -> None:
        for item in document["inputs"]:
            item["background"] = round(4 * item["background"]) / 4

    bundle = bundles.write(tmp_path / "x.llb", rounded)
    adapter, model = incumbent.Adapter(export(bundle)[1]), load(bundle)
    rows = np.round(4 * bundles.signals(30)) / 4
    delta = np.stack([adapter.predict(named(row))[0] for row in rows])
    np.testing.assert_allclose(delta, by_output(model.delta_nll(rows)), atol=1e-12)


def test_the_validator_of_the_adapter_takes_the_list(bundle: Path) -> None:
    _, data = export(bundle)
    incumbent.adapter_validator(data)
    assert incumbent.validator_errors(data) == ["CHANNELS"]
    assert json.loads(metadata(data)["channels"]) == [{"SR": "SR", "CR": "CR"}]


def test_the_validator_of_the_standard_takes_the_map(bundle: Path) -> None:
    _, data = export(bundle, channels="map")
    assert incumbent.validator_errors(data) == []
    assert json.loads(metadata(data)["channels"]) == {"SR": "SR", "CR": "CR"}
    # The reason for there being a choice.
    with pytest.raises(AttributeError):
        incumbent.Adapter(data)


def test_what_the_adapter_evals_are_literals(bundle: Path) -> None:
    texts = metadata(export(bundle)[1])
    for key in ("channels", "remove_channels", "obs_yields", "bkg_yields", "standardization"):
        assert ast.literal_eval(texts[key]) == json.loads(texts[key])
    counts = ast.literal_eval(texts["obs_yields"])
    assert counts == [["SR-0", 5], ["SR-1", 3], ["CR-0", 40]]
    assert all(isinstance(value, int) for _, value in counts)
    assert next(iter(texts)) == "olll_schema_version"


def test_the_graph_has_the_names_that_the_adapter_feeds(bundle: Path) -> None:
    model = onnx.load_model_from_string(export(bundle)[1])
    assert [item.name for item in model.graph.input] == ["features"]
    assert [item.name for item in model.graph.output] == ["nLLs"]
    assert model.graph.input[0].type.tensor_type.elem_type == onnx.TensorProto.FLOAT


def test_best_fits_are_of_the_first_benchmark(bundle: Path) -> None:
    adapter = incumbent.Adapter(export(bundle)[1])
    model = load(bundle)
    for output, curve in enumerate(CURVES):
        baseline = model.bundle.manifest.curve(curve).baseline_nll
        assert adapter.baseline[output] == baseline
        if curve != "observed":
            assert adapter.best[output] == [0.0, baseline]
    signal = np.array([[1.0, 2.0, 0.5]])
    grid = np.linspace(0.0, 2.0, 20001)[:, np.newaxis]
    curve = model.nll(grid * signal)["observed"]
    mu_hat, lowest = adapter.best[1]
    assert 0.0 < mu_hat == pytest.approx(float(grid[np.argmin(curve), 0]), abs=1e-3)
    assert lowest == pytest.approx(curve.min(), abs=1e-8)


def test_without_benchmarks_the_best_fit_is_no_signal(tmp_path: Path) -> None:
    bundle = write_quadratic(parabola_model(), tmp_path / "q.llb")
    data = export(bundle, sqrt_s=13.0)[1]
    values = metadata(data)
    assert json.loads(values["nLL_obs_max"]) == [0.0, json.loads(values["nLL_obs_mu0"])]


def test_a_stated_error_is_the_sigma(tmp_path: Path) -> None:
    bundle = bundles.write(tmp_path / "x.llb", bundles.stating, {bundles.GRAPH: bundles.stating_graph()})
    adapter, model = incumbent.Adapter(export(bundle)[1]), load(bundle)
    rows = bundles.signals(10)
    sigma = np.stack([adapter.predict(named(row))[1] for row in rows])
    np.testing.assert_allclose(sigma, by_output(model.sigma(rows)), rtol=1e-4)


def no_energy(document: dict[str, Any]) -> None:
    del document["analysis"]["sqrt_s"]
    del document["analysis"]["experiment"]
    document["references"] = []


def no_apriori(document: dict[str, Any]) -> None:
    document["curves"] = [item for item in document["curves"] if item["name"] != "apriori_asimov"]


def negative(document: dict[str, Any]) -> None:
    document["curves"][1]["baseline_nll"] = -3.0


def mixed(document: dict[str, Any]) -> None:
    document["inputs"][1]["role"] = "CR"


def simplified(document: dict[str, Any]) -> None:
    teacher = document["teacher"]
    for key in ("pyhf_digest", "measurement", "poi", "interpolation"):
        del teacher[key]
    teacher |= {"kind": "simplified_likelihood", "third_moments": False}


@pytest.mark.parametrize(
    ("change", "found"),
    [
        (no_energy, [("LLB-F104", "/analysis")] * 3),
        (no_apriori, [("LLB-F101", "/curves")]),
        (negative, [("LLB-F102", "/curves/1/baseline_nll")]),
        (mixed, [("LLB-F106", "/inputs")]),
        (simplified, [("LLB-F106", "/teacher/kind")]),
    ],
)
def test_what_cannot_be_said_there(change: Change, found: list[tuple[str, str]], tmp_path: Path) -> None:
    bundle = bundles.write(tmp_path / "x.llb", change)
    with pytest.raises(FindingError) as error:
        export(bundle)
    assert [(item.code, item.pointer) for item in error.value.findings] == found
    assert not bundle.with_suffix(".onnx").exists()


def test_what_the_bundle_does_not_say_is_given(tmp_path: Path) -> None:
    bundle = bundles.write(tmp_path / "x.llb", no_energy)
    _, data = export(bundle, sqrt_s=8.0, experiment="ATLAS", arxiv="2101.00001", channels="map")
    assert incumbent.validator_errors(data) == []
    source = json.loads(metadata(data)["source"])
    assert (source["sqrt_s"], source["experiment"], source["arxiv"]) == (8.0, "ATLAS", "2101.00001")


def test_baselines_that_are_not_positive_are_lifted(tmp_path: Path) -> None:
    bundle = bundles.write(tmp_path / "x.llb", negative)
    report, data = export(bundle, positive_baselines=True)
    assert [item.code for item in report.findings] == ["LLB-F103"]
    adapter, model = incumbent.Adapter(data), load(bundle)
    lifted = adapter.baseline - [model.bundle.manifest.curve(name).baseline_nll for name in CURVES]
    np.testing.assert_allclose(lifted, 103.0)
    assert min(adapter.baseline) == 100.0


def test_large_backgrounds_are_measured(tmp_path: Path) -> None:
    def large(document: dict[str, Any]) -> None:
        document["inputs"][2] |= {"observed": 40, "background": 42.0, "role": "SR"}
        document["inputs"][0] |= {"background": 3.0e8 + 7.0}
        document["curves"] = [
            item | {"data": item["data"] | {"main": [3.0e8 + 7.0, *item["data"]["main"][1:]]}}
            if item["name"].startswith("apriori")
            else item
            for item in document["curves"]
        ]

    report, data = export(bundles.write(tmp_path / "x.llb", large))
    assert [item.code for item in report.findings] == ["LLB-F105"]
    assert report.loss > FLOAT32_WARNING
    # Still, no signal is no signal.
    assert (incumbent.Adapter(data).predict(named(np.zeros(3)))[0] == 0.0).all()


def test_files_are_written_whole_or_not_at_all(
    bundle: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "a.onnx"
    write_file(path, b"old", overwrite=False)
    with pytest.raises(FindingError) as error:
        export_olll(read_bundle(bundle), path, choices=CHOICES)
    assert [item.code for item in error.value.findings] == ["LLB-X002"]

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "replace", full)
    with pytest.raises(FindingError) as error:
        write_file(path, b"new", overwrite=True)
    assert [item.code for item in error.value.findings] == ["LLB-X003"]
    assert path.read_bytes() == b"old"
    assert {item.name for item in tmp_path.iterdir()} == {"a.onnx", bundle.name}
    for target in (tmp_path, tmp_path / "none" / "a.onnx"):
        with pytest.raises(FindingError) as error:
            write_file(target, b"", overwrite=True)
        assert [item.code for item in error.value.findings] == ["LLB-X003"]


def test_the_same_bundle_gives_the_same_bytes(bundle: Path) -> None:
    assert export(bundle)[1] == export(bundle)[1]


def test_bundle_to_file_to_bundle(bundle: Path, tmp_path: Path) -> None:
    report, _ = export(bundle)
    back = import_olll(report.path, tmp_path / "back.llb")
    assert back.findings == ()
    # Nothing had to be said: the file says it.
    assert validate(back.path).findings == ()
    assert set(back.closure.values()) == {0.0}
    before, after = load(bundle), load(back.path)
    rows = bundles.signals(50)
    assert after.bin_ids == before.bin_ids
    inside = after.in_domain(rows)
    assert inside.all()
    for name, values in before.nll(rows).items():
        np.testing.assert_allclose(after.nll(rows)[name], values, atol=6e-6)
    # Where single precision has the totals, nothing is lost.
    exact = np.round(8 * rows) / 8
    for name, values in before.delta_nll(exact).items():
        np.testing.assert_allclose(after.delta_nll(exact)[name], values, atol=1e-9)
    old, new = before.bundle.manifest, after.bundle.manifest
    assert new.teacher == old.teacher
    assert new.signal_model == old.signal_model
    assert [item.background for item in new.bins] == [item.background for item in old.bins]
    assert [item.data for item in new.curves] == [old.curve(item.name).data for item in new.curves]
    assert new.license == old.license
    np.testing.assert_allclose(new.domain.lower, old.domain.lower, atol=1e-12)
    np.testing.assert_allclose(new.domain.upper, old.domain.upper, atol=1e-12)


def test_a_validation_region_comes_back(tmp_path: Path) -> None:
    def validation(document: dict[str, Any]) -> None:
        document["inputs"][2]["role"] = "VR"

    report, data = export(bundles.write(tmp_path / "x.llb", validation))
    assert incumbent.Adapter(data).totals(named(np.zeros(3)))[2] == 42.0
    back = import_olll(report.path, tmp_path / "back.llb")
    assert set(back.closure.values()) == {0.0}
    assert read_bundle(back.path).manifest.bins[2].role == "VR"


def test_file_to_bundle_to_file(bring: Import, tmp_path: Path) -> None:
    # Counted from whole quarters and asked at such, so that single precision of the totals takes no part.
    report = bring(olll_files.counting(), olll_files.counting_document(), floor_asimov=False)
    first = incumbent.Adapter((tmp_path / "model.onnx").read_bytes())
    exported = export_olll(read_bundle(report.path), tmp_path / "again.onnx")
    second = incumbent.Adapter(exported.path.read_bytes())
    zero, _ = first.predict(named(np.zeros(4), olll_files.NAMES))
    rows = np.round(8 * olll_files.signals(40)) / 8
    for row in rows:
        signal = named(row, olll_files.NAMES)
        (one, sigma), (other, again) = first.predict(signal), second.predict(signal)
        # The closure error is gone; it is below 1e-6 here.
        np.testing.assert_allclose(other, one - zero, atol=1e-6)
        np.testing.assert_allclose(again, sigma, rtol=1e-3)
    assert np.abs(zero).max() < 1e-6


def test_a_truncation_comes_back(tmp_path: Path) -> None:
    def truncated(document: dict[str, Any]) -> None:
        document["domain"]["truncation"] = {"delta_nll_max": 17.0}

    bundle = bundles.write(
        tmp_path / "x.llb",
        truncated,
        {bundles.HELDOUT: bundles.BundleFile(bundles.heldout(), "heldout", "text/csv")},
    )
    report, _ = export(bundle)
    back = import_olll(report.path, tmp_path / "back.llb")
    assert read_bundle(back.path).manifest.domain.delta_nll_max == 17.0


def test_limits_survive_both_ways(tmp_path: Path) -> None:
    bundle = bundles.write(tmp_path / "x.llb")
    report, _ = export(bundle)
    back = import_olll(report.path, tmp_path / "back.llb", choices=ImportChoices())
    signal = tmp_path / "signal.json"
    signal.write_text(json.dumps({"SR[0]": 2.0, "SR[1]": 1.0, "CR[0]": 0.5}))
    one, other = (limits(load(path), read_signals(signal, load(path)))[0] for path in (bundle, back.path))
    assert other.cls_observed == pytest.approx(one.cls_observed, rel=1e-5)
    assert other.upper_limit_observed == pytest.approx(one.upper_limit_observed, rel=1e-5)
    np.testing.assert_allclose(other.upper_limit_expected, one.upper_limit_expected, rtol=1e-5)


@pytest.mark.parametrize(
    "value", ["[]", '{"teacher": 1}', '{"teacher": {}, "background": {}, "data": {"observed": 3}}']
)
def test_a_record_of_ours_that_is_broken(value: str, bundle: Path, tmp_path: Path) -> None:
    report, _ = export(bundle)
    model = onnx.load(report.path)
    next(item for item in model.metadata_props if item.key == "llb").value = value
    onnx.save(model, report.path)
    with pytest.raises(FindingError) as error:
        import_olll(report.path, tmp_path / "back.llb")
    found = error.value.findings
    assert ("LLB-F005", "/metadata/llb") in [(item.code, item.pointer) for item in found]
