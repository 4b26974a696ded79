"""The adapter by itself: which yields it takes, what it answers, what it keeps."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from regraph import poisson_graph, replace_graph

from llb.bundle import copy_bundle, read_bundle
from llb.runtime import load, rays
from llb_conformance import QuadraticModel, counting_model, parabola_model, write_quadratic
from llb_schema import FindingError
from llb_smodels import BundleAdapter, is_bundle, load_bytes
from llb_smodels.adapter import CURVES

COUNTING = counting_model()
SIGNAL = {"SRlow-0": 3.0, "SRhigh[0]-0": 2.0, "SRhigh[1]-0": 1.0, "CR-0": 4.0}
VECTOR = (3.0, 2.0, 1.0, 4.0)


def archived(model: QuadraticModel, folder: Path) -> bytes:
    path = copy_bundle(read_bundle(write_quadratic(model, folder / "toy.llb")), folder / "toy.llb.zip")
    return path.read_bytes()


@pytest.fixture
def adapter(tmp_path: Path) -> BundleAdapter:
    return BundleAdapter(
        archived(COUNTING, tmp_path),
        "toy.llb.zip",
        session_options={"intra_op_num_threads": 1},
        validate_metadata=True,
    )


def totals(adapter: BundleAdapter, mu: float, signal: dict[str, float] = SIGNAL) -> dict[str, float]:
    offset = adapter.onnxMeta["bkg_yields"]
    return {key: offset[key] + mu * events for key, events in signal.items()}


def codes(error: pytest.ExceptionInfo[FindingError]) -> list[str]:
    return [item.code for item in error.value.findings]


def test_keys_are_regions_and_both_tables_have_one_offset(adapter: BundleAdapter) -> None:
    meta = adapter.onnxMeta
    assert list(meta["bkg_yields"]) == list(SIGNAL)
    assert meta["bkg_yields"] == meta["obs_yields"]
    assert meta["bkg_yields"] is not meta["obs_yields"]
    assert list(meta["bkg_yields"].values()) == [item.background for item in COUNTING.bins]


@pytest.mark.parametrize("mu", [-2.0, 0.0, 1e-9, 1e-4, 0.3, 1.0, 40.0, 1e6])
def test_nlls_are_those_of_the_curves(mu: float, adapter: BundleAdapter) -> None:
    found = adapter.predict(totals(adapter, mu), yields_are_signal_yields=False)
    alone = adapter.predict({key: mu * value for key, value in SIGNAL.items()})
    for name, (nll, sigma) in CURVES.items():
        # A curve's own baseline, also where it is an alias.
        curve = next(item for item in COUNTING.curves if item.name == name)
        baseline = curve.baseline + adapter.constant
        assert found[f"{nll}_0"] == pytest.approx(baseline, rel=1e-15)
        # Below zero the domain has no side; there, and far out, the parabolas go on as parabolas.
        if mu >= 0.0 or name != "observed":
            delta = float(COUNTING.curve(name).delta(mu * np.array(VECTOR)))
            assert found[f"{nll}_1"] - baseline == pytest.approx(delta, rel=1e-6, abs=1e-12 * baseline)
        assert alone[f"{nll}_1"] == pytest.approx(found[f"{nll}_1"], rel=1e-12)
        assert found[sigma] == 0.0
    assert found["in_domain"] is (mu in (0.0, 1e-9, 1e-4, 0.3, 1.0))


def test_beyond_the_domain_it_is_the_continuation_of_the_loader(tmp_path: Path) -> None:
    # s - n ln(1 + s/b) has no value below -b.
    graph = poisson_graph([14.0, 10.5, 10.5, 10.5], 10.5)
    bundle = write_quadratic(parabola_model(), tmp_path / "toy.llb")
    model = load(replace_graph(bundle, graph, domain={"lower": [-9.0], "upper": [30.0]}))
    adapter, ray = BundleAdapter(model), rays(model, np.array([[3.0]]))
    (key,) = adapter.onnxMeta["bkg_yields"]
    for mu in (-1e6, -30.0, -3.5, -2.0, 1.0, 9.0, 11.0, 400.0, 1e6):
        found = adapter.predict({key: 3.0 * mu})
        for name, (nll, _) in CURVES.items():
            delta = float(found[f"{nll}_1"]) - float(found[f"{nll}_0"])
            assert delta == pytest.approx(float(ray.delta(name, mu)[0]), rel=1e-6, abs=1e-9)
        assert found["in_domain"] is (-3.0 <= mu <= 10.0)


def test_at_zero_signal_both_nlls_are_the_same_number(adapter: BundleAdapter) -> None:
    found = adapter.predict(totals(adapter, 0.0), yields_are_signal_yields=False)
    assert all(found[f"{nll}_0"] == found[f"{nll}_1"] for nll, _ in CURVES.values())


def test_a_small_signal_on_a_large_background_is_not_lost(tmp_path: Path) -> None:
    # float32 has steps of 0.008 at 1e5; the total is taken apart in float64.
    bins = (replace(COUNTING.bins[0], background=1e5, observed=100_000), *COUNTING.bins[1:])
    model = replace(COUNTING, bins=bins, dtype="float32")
    adapter = BundleAdapter(archived(model, tmp_path))
    signal = dict(zip(SIGNAL, (0.01, 0.0, 0.0, 0.0), strict=True))
    for mu in (1e-3, 1.0, 7.0):
        found = adapter.predict(totals(adapter, mu, signal), yields_are_signal_yields=False)
        delta = float(found["nllA_obs_1"]) - float(found["nllA_obs_0"])
        exact = float(model.curve("observed_asimov").delta(np.array([0.01 * mu, 0.0, 0.0, 0.0])))
        assert delta == pytest.approx(exact, rel=1e-4, abs=1e-13)


def test_stated_errors_are_those_of_the_bundle_and_stay_beyond_the_domain(tmp_path: Path) -> None:
    model = parabola_model(upper=2.0).with_spread(observed=0.1, apriori_asimov=0.3)
    adapter = BundleAdapter(archived(model, tmp_path))
    key = next(iter(adapter.onnxMeta["bkg_yields"]))
    for events, expected in ((0.0, 0.0), (1.0, 1.0), (1.5, 1.5), (50.0, 2.0)):
        found = adapter.predict({key: events})
        assert found["sigma_obs"] == pytest.approx(0.1 * expected, rel=1e-6)
        assert found["sigma_expA"] == pytest.approx(0.3 * expected, rel=1e-6)
        assert found["sigma_obsA"] == 0.0


def test_control_regions_may_be_left_out_together(tmp_path: Path) -> None:
    channels = (("SR", 1, "SR"), ("CR", 2, "CR"))
    strict = counting_model(channels=channels)
    strict = replace(strict, bins=tuple(replace(item, optional=False) for item in strict.bins))
    adapter = BundleAdapter(archived(strict, tmp_path))
    nothing = adapter.predict({"SR-0": 2.0, "CR[0]-0": 0.0, "CR[1]-0": 0.0})
    assert adapter.predict({"SR-0": 2.0}) == nothing
    with pytest.raises(FindingError, match=r"CR\[1\]") as some:
        adapter.predict({"SR-0": 2.0, "CR[0]-0": 1.0})
    assert codes(some) == ["LLB-Y002"]
    with pytest.raises(FindingError, match=r"SR\[0\]") as none:
        adapter.predict({"CR[0]-0": 1.0, "CR[1]-0": 0.0})
    assert codes(none) == ["LLB-Y002"]


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"SRhigh-0": 1.0}, "LLB-Y001"),
        ({"SRhigh[2]-0": 1.0}, "LLB-Y001"),
        ({"SRlow": 1.0}, "LLB-Y001"),
        ({"SRlow-0": float("nan")}, "LLB-Y004"),
        ({"SRlow-0": float("inf")}, "LLB-Y004"),
        ({"SRhigh[1]-0": -1.0}, "LLB-L001"),
    ],
)
def test_yields_that_cannot_be_answered_are_findings(
    changes: dict[str, float], code: str, adapter: BundleAdapter
) -> None:
    with pytest.raises(FindingError) as error:
        adapter.predict(SIGNAL | changes)
    assert codes(error) == [code]


def test_files_that_are_no_bundles_are_findings(tmp_path: Path) -> None:
    onnx = write_quadratic(COUNTING, tmp_path / "toy.llb") / "graphs" / "delta_nll.onnx"
    for data, code in ((onnx.read_bytes(), "LLB-A001"), (b"", "LLB-A001"), (b"PK\x03\x04", "LLB-A002")):
        with pytest.raises(FindingError, match="it.onnx" if code == "LLB-A001" else "zip") as error:
            BundleAdapter(data, "it.onnx")
        assert codes(error) == [code]


def test_archives_of_both_kinds_are_bundles(tmp_path: Path) -> None:
    bundle = read_bundle(write_quadratic(COUNTING, tmp_path / "toy.llb"))
    expected = BundleAdapter(bundle).predict(SIGNAL)
    for name in ("toy.llb.zip", "toy.llb.tar.gz"):
        path = copy_bundle(bundle, tmp_path / name)
        assert is_bundle(path.read_bytes())
        for source in (path, path.read_bytes(), load(path)):
            assert BundleAdapter(source).predict(SIGNAL) == expected


def test_nothing_is_loaded_twice_and_nothing_grows(tmp_path: Path) -> None:
    data = archived(COUNTING, tmp_path)
    first, second = (BundleAdapter(bytes(bytearray(data)), "toy.llb.zip") for _ in range(2))
    assert first.model is second.model
    assert first.model.graph.session is load(tmp_path / "toy.llb").graph.session
    generator = np.random.default_rng(3)
    for _ in range(40):
        # Directions that are close to each other, and yet each its own.
        yields = np.array(VECTOR) * generator.uniform(0.95, 1.05, 4)
        found = first.predict(dict(zip(SIGNAL, yields.tolist(), strict=True)))
        delta = float(found["nll_obs_1"]) - float(found["nll_obs_0"])
        assert delta == pytest.approx(float(COUNTING.curve("observed").delta(yields)), rel=1e-5)
    assert len(kept(first)) <= 8
    assert load_bytes.cache_parameters()["maxsize"] == 16


def test_one_ray_serves_all_mu(adapter: BundleAdapter) -> None:
    for mu in (0.25, *np.linspace(-3.0, 30.0, 101), 1e6):
        adapter.predict(totals(adapter, float(mu)), yields_are_signal_yields=False)
    assert len(kept(adapter)) == 1


def kept(adapter: BundleAdapter) -> Any:
    return adapter._directions._known
