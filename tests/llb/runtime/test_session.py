from __future__ import annotations

import json
import pkgutil
from importlib import import_module
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest
from onnx import TensorProto, helper
from regraph import graph, replace_graph

from llb.runtime import load, open_graph
from llb.runtime.session import MAX_SESSIONS
from llb_conformance import counting_model, parabola_model, write_quadratic
from llb_schema import FindingError


def flip_the_last_bit(path: Path) -> None:
    data = bytearray(path.read_bytes())
    data[-1] ^= 1
    path.write_bytes(bytes(data))


def test_models_of_one_graph_share_its_session(tmp_path: Path) -> None:
    one, other = (load(write_quadratic(counting_model(), tmp_path / name)) for name in ("a.llb", "b.llb"))
    assert one.graph.session is other.graph.session


def test_the_cache_is_bounded(tmp_path: Path) -> None:
    first = load(write_quadratic(parabola_model(), tmp_path / "first.llb"))
    for number in range(1, MAX_SESSIONS + 1):
        load(write_quadratic(parabola_model(sigma=0.5 + number / 100), tmp_path / f"{number}.llb"))
    again = load(tmp_path / "first.llb")
    assert again.graph.session is not first.graph.session
    np.testing.assert_array_equal(again.columns([[1.0]]), first.columns([[1.0]]))


def test_a_graph_that_fails_the_audit_gets_no_session(tmp_path: Path) -> None:
    bundle = write_quadratic(parabola_model(), tmp_path / "toy.llb")
    nodes = [
        helper.make_node("MatMul", ["signal", "w"], ["y"]),
        helper.make_node("Softsign", ["y"], ["delta_nll"]),
    ]
    replace_graph(bundle, graph(nodes, {"w": np.ones((1, 4))}, 1, 4))
    with pytest.raises(FindingError, match="LLB-G003"):
        load(bundle)


def test_a_changed_graph_is_noticed_before_it_runs(tmp_path: Path) -> None:
    bundle = write_quadratic(parabola_model(sigma=0.123), tmp_path / "toy.llb")
    flip_the_last_bit(bundle / "graphs/delta_nll.onnx")
    with pytest.raises(FindingError, match="LLB-I001"):
        load(bundle)


def test_a_changed_graph_is_noticed_though_the_good_one_is_loaded(tmp_path: Path) -> None:
    bundle = write_quadratic(parabola_model(sigma=0.321), tmp_path / "toy.llb")
    model = load(bundle)
    flip_the_last_bit(bundle / "graphs/delta_nll.onnx")
    with pytest.raises(FindingError, match="LLB-I001"):
        load(bundle)
    with pytest.raises(FindingError, match="LLB-I001"):
        open_graph(model.bundle, "delta_nll")


def test_a_loaded_graph_is_audited_against_every_manifest_that_names_it(tmp_path: Path) -> None:
    bundle = write_quadratic(parabola_model(), tmp_path / "toy.llb")
    load(bundle)
    path = bundle / "manifest.json"
    manifest = json.loads(path.read_text())
    manifest["graphs"][0]["input"]["dtype"] = "float32"
    path.write_text(json.dumps(manifest))
    with pytest.raises(FindingError, match="LLB-G010"):
        load(bundle)


def test_what_onnxruntime_cannot_load_is_a_finding_and_silent(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    # ONNX allows exponents of any integer type, onnxruntime has kernels for two of them.
    bundle = write_quadratic(parabola_model(), tmp_path / "toy.llb")
    nodes = [
        helper.make_node("MatMul", ["signal", "w"], ["y"]),
        helper.make_node("Pow", ["y", "two"], ["delta_nll"]),
    ]
    constants = {"w": np.ones((1, 4)), "two": np.array([[2]], dtype=np.uint8)}
    replace_graph(bundle, graph(nodes, constants, 1, 4))
    with pytest.raises(FindingError, match="LLB-G012"):
        load(bundle)
    assert capfd.readouterr() == ("", "")


def test_what_fails_when_it_runs_is_a_finding_and_silent(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    bundle = write_quadratic(parabola_model(), tmp_path / "toy.llb")
    nodes = [
        helper.make_node("Cast", ["signal"], ["place"], to=TensorProto.INT64),
        helper.make_node("Gather", ["w", "place"], ["rows"], axis=0),
        helper.make_node("Squeeze", ["rows", "one"], ["delta_nll"]),
    ]
    constants = {"w": np.zeros((1, 4)), "one": np.array([1])}
    model = load(replace_graph(bundle, graph(nodes, constants, 1, 4)))
    np.testing.assert_array_equal(model.columns([[0.0]]), np.zeros((1, 4)))
    with pytest.raises(FindingError, match="LLB-G015"):
        model.columns([[5.0]])
    assert capfd.readouterr() == ("", "")


def test_a_role_that_the_bundle_does_not_have(tmp_path: Path) -> None:
    model = load(write_quadratic(parabola_model(), tmp_path / "toy.llb"))
    with pytest.raises(FindingError, match="delta_nll_float32"):
        open_graph(model.bundle, "delta_nll_float32")


def test_evaluation_in_blocks_equals_evaluation_at_once(tmp_path: Path) -> None:
    exact = counting_model()
    model = load(write_quadratic(exact, tmp_path / "toy.llb"))
    signals = np.random.default_rng(1).uniform(0.0, 9.0, (20_000, 4))
    delta, absolute = model.delta_nll(signals), model.nll(signals[:5])
    assert set(delta) == set(model.curve_names)
    for name in model.curve_names:
        np.testing.assert_allclose(delta[name], exact.curve(name).delta(signals), rtol=1e-9, atol=1e-11)
    np.testing.assert_allclose(absolute["observed"], 20.0 + delta["observed"][:5])
    # The alias shares a column, not a baseline.
    assert np.all(absolute["apriori_asimov"] - absolute["apriori"] == 1.5)


def test_no_signals_give_no_numbers(tmp_path: Path) -> None:
    model = load(write_quadratic(counting_model(), tmp_path / "toy.llb"))
    assert model.delta_nll(np.empty((0, 4)))["observed"].shape == (0,)


@pytest.mark.parametrize("name", ["llb", "llb.runtime"])
def test_public_names_are_there_when_asked_for(name: str) -> None:
    package = import_module(name)
    # A module called like a public function would take its place as soon as it is imported.
    for module in pkgutil.iter_modules(package.__path__):
        import_module(f"{name}.{module.name}")
    assert set(package.__all__) == set(dir(package))
    for public in package.__all__:
        assert not isinstance(getattr(package, public), ModuleType)
    with pytest.raises(AttributeError, match="nothing"):
        package.nothing  # noqa: B018
