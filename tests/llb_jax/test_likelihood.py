"""A bundle as JAX functions: the numbers of onnxruntime, and what onnxruntime has not: derivatives."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

import llb
import llb_jax
from llb.runtime.graph_audit import ALLOWED_OPERATORS
from llb_conformance import counting_model, parabola_model, write_quadratic
from llb_conformance.corpus import corpus, write_case
from llb_conformance.corpus.case import write_bundle
from llb_conformance.suite import suite
from llb_jax.operators import OPERATORS
from llb_schema import FindingError

MODEL = counting_model()
# Those of profile likelihoods; from 1.1 on densities are stored as well.
STORED = (Path(__file__).resolve().parents[1] / "golden").glob("*.llb.zip")
GOLDEN = sorted(path for path in STORED if "-1.1" not in path.name)
# Of the conformance suite, every bundle whose graph runs.
GRAPHS = {
    case.bundles[0].name: case.bundles[0]
    for case in suite()
    if case.id.startswith(("graph-", "curves-all", "bins-", "sigma"))
}


@pytest.fixture(autouse=True)
def double_precision() -> Iterator[None]:
    with jax.enable_x64(True):
        yield


@pytest.fixture
def bundle(tmp_path: Path) -> Path:
    return write_quadratic(MODEL, tmp_path / "counting.llb")


def points(model: llb.ProfileLikelihood, count: int, seed: int = 3) -> np.ndarray:
    domain = model.bundle.manifest.domain
    lower, upper = np.asarray(domain.lower), np.asarray(domain.upper)
    generator = np.random.default_rng(seed)
    return lower + generator.random((count, len(lower))) * (upper - lower) * generator.random((count, 1))


@pytest.mark.parametrize("name", GRAPHS)
def test_every_graph_gives_the_numbers_of_onnxruntime(name: str, tmp_path: Path) -> None:
    path = write_bundle(GRAPHS[name].made(), tmp_path / "bundle")
    ours, theirs = llb_jax.load(path), llb.load(path)
    signals = points(theirs, 40)
    precise = theirs.dtype == np.float64
    compare = {"rtol": 1e-12, "atol": 1e-12} if precise else {"rtol": 2e-6, "atol": 2e-5}
    for function in (ours.delta_nll, jax.jit(ours.delta_nll), jax.vmap(ours.delta_nll)):
        found = function(jnp.asarray(signals))
        for curve, expected in theirs.delta_nll(signals).items():
            np.testing.assert_allclose(found[curve], expected, **compare)
    if theirs.has_uncertainty:
        for curve, expected in theirs.sigma(signals).items():
            np.testing.assert_allclose(ours.sigma(signals)[curve], expected, **compare)
    zero = ours.delta_nll(np.zeros(len(ours.bin_ids)))
    assert {curve: float(value) for curve, value in zero.items()} == dict.fromkeys(zero, 0.0)


def test_the_suite_and_the_table_have_every_operator() -> None:
    assert set(OPERATORS) == set(ALLOWED_OPERATORS)


@pytest.mark.parametrize("path", GOLDEN, ids=lambda path: path.name)
def test_stored_bundles(path: Path) -> None:
    ours, theirs = llb_jax.load(path), llb.load(path)
    signals = points(theirs, 20)
    for curve, expected in theirs.nll(signals).items():
        np.testing.assert_allclose(ours.nll(signals)[curve], expected, rtol=1e-12, atol=1e-12)


def test_derivatives_are_exact(bundle: Path) -> None:
    model = llb_jax.load(bundle)
    signals = points(llb.load(bundle), 6)
    for name in model.delta_nll(signals):
        curve = MODEL.curve(name)
        slope = jax.vmap(jax.grad(lambda s, name=name: model.delta_nll(s)[name]))(signals)
        np.testing.assert_allclose(slope, curve.slope + signals @ curve.root @ curve.root.T, rtol=1e-12)
        second = jax.hessian(lambda s, name=name: model.delta_nll(s)[name])(signals[0])
        np.testing.assert_allclose(second, curve.root @ curve.root.T, rtol=1e-12, atol=1e-15)


def test_differences_agree_with_derivatives(bundle: Path) -> None:
    model, signals = llb_jax.load(bundle), points(llb.load(bundle), 6)
    by_difference = llb.runtime.gradients(llb.load(bundle), signals)
    for name, expected in by_difference.items():
        slope = jax.vmap(jax.grad(lambda s, name=name: model.delta_nll(s)[name]))(signals)
        np.testing.assert_allclose(slope, expected, rtol=1e-9, atol=1e-9)


def test_one_signal_is_a_number_and_names_are_taken(bundle: Path) -> None:
    model = llb_jax.load(bundle)
    signal = model.signal({"SRlow": 1.0, "SRhigh[0]": 2.0, "SRhigh[1]": 0.5})
    assert model.delta_nll(signal)["observed"].shape == ()
    expected = llb.load(bundle).delta_nll([[1.0, 2.0, 0.5, 0.0]])["observed"][0]
    assert float(model.delta_nll(signal)["observed"]) == pytest.approx(expected, rel=1e-12)
    with pytest.raises(FindingError, match="LLB-Y001"):
        model.signal({"SRlow": 1.0, "other": 2.0})


@pytest.mark.parametrize("shape", [(3,), (2, 5), (1, 1, 4), ()])
def test_other_shapes_are_refused(bundle: Path, shape: tuple[int, ...]) -> None:
    with pytest.raises(FindingError, match="LLB-Y005"):
        llb_jax.load(bundle).delta_nll(np.zeros(shape))


def test_the_domain_is_that_of_the_loader(bundle: Path) -> None:
    ours, theirs = llb_jax.load(bundle), llb.load(bundle)
    signals = 3.0 * points(theirs, 200)
    inside = np.asarray(jax.jit(ours.in_domain)(signals))
    assert (inside == theirs.in_domain(signals)).all()
    assert 0 < inside.sum() < 200
    free = replace(parabola_model(), id="free")
    path = write_quadratic(free, bundle.with_name("free.llb"))
    assert (
        np.asarray(llb_jax.load(path).in_domain([[-3.0], [-3.1], [6.0], [6.1]])).tolist() == [True, False] * 2
    )


def test_single_precision_is_said_not_suffered(bundle: Path) -> None:
    model = llb_jax.load(bundle)
    with jax.enable_x64(False), pytest.raises(ValueError, match="jax_enable_x64"):
        model.delta_nll(np.zeros(4))
    single = write_quadratic(MODEL.with_precision("float32"), bundle.with_name("single.llb"))
    with jax.enable_x64(False):
        assert llb_jax.load(single).delta_nll(np.zeros(4))["observed"].dtype == np.float32


def test_a_bundle_without_an_error_states_none(bundle: Path) -> None:
    with pytest.raises(ValueError, match="states no error"):
        llb_jax.load(bundle).sigma(np.zeros(4))


@pytest.mark.parametrize(
    "name", ["graph-external-data", "graph-operator-random", "graph-subgraph", "digest-wrong-graph"]
)
def test_what_may_not_run_does_not(name: str, tmp_path: Path) -> None:
    case = next(
        item
        for item in corpus()
        if item.id == ("file-one-bit-flipped" if name.startswith("digest") else name)
    )
    with pytest.raises(FindingError, match=case.code):
        llb_jax.load(write_case(case, tmp_path))


def variants() -> dict[str, onnx.ModelProto]:
    """Forms of operators that no bundle of the suite has, each from x of shape (batch, 4) to (batch, ...)."""
    node, array = helper.make_node, numpy_helper.from_array
    i64 = lambda *values: np.array(values, dtype=np.int64)  # noqa: E731
    rows = {
        "split-evenly": ([node("Split", ["x"], ["a", "b"], axis=1), node("Sub", ["a", "b"], ["y"])], {}, 17),
        "split-by-number": ([node("Split", ["x"], ["a", "y"], axis=-1, num_outputs=2)], {}, 18),
        "reshape-zero": ([node("Reshape", ["x", "to"], ["y"])], {"to": i64(0, 2, 2)}, 17),
        "softmax-last": ([node("Softmax", ["x"], ["y"])], {}, 17),
        "flatten-negative": ([node("Flatten", ["x"], ["y"], axis=-1)], {}, 17),
        "squeeze-all": (
            [node("Unsqueeze", ["x", "at"], ["a"]), node("Squeeze", ["a"], ["y"])],
            {"at": i64(1)},
            17,
        ),
        "reduce-noop": ([node("ReduceSum", ["x"], ["y"], noop_with_empty_axes=1)], {}, 17),
        "reduce-everything": ([node("ReduceMax", ["x"], ["y"], keepdims=0)], {}, 17),
        "gemm-plain": ([node("Gemm", ["x", "w"], ["y"])], {"w": np.ones((4, 3))}, 17),
        "gemm-transposed": ([node("Gemm", ["x", "x"], ["y"], transA=1)], {}, 17),
        "integer-division": (
            [
                node("Cast", ["x"], ["i"], to=TensorProto.INT64),
                node("Div", ["i", "three"], ["q"]),
                node("Cast", ["q"], ["y"], to=TensorProto.DOUBLE),
            ],
            {"three": i64(3)},
            17,
        ),
        "slice-without-axes": (
            [node("Slice", ["x", "from", "to"], ["y"])],
            {"from": i64(0, 1), "to": i64(99, 3)},
            17,
        ),
        "constants-in-lists": (
            [
                node("Constant", [], ["c"], value_floats=[0.5, 1.5, 2.5, 3.5]),
                node("Cast", ["c"], ["d"], to=TensorProto.DOUBLE),
                node("Mul", ["x", "d"], ["y"]),
            ],
            {},
            17,
        ),
        "shapes-by-the-batch": (
            [
                node("Shape", ["x"], ["n"]),
                node("Constant", [], ["one"], value_ints=[1]),
                node("Gather", ["n", "one"], ["width"]),
                node("Constant", [], ["rest"], value_ints=[-1]),
                node("Concat", ["rest", "width"], ["to"], axis=0),
                node("Reshape", ["x", "to"], ["y"]),
            ],
            {},
            17,
        ),
    }
    made: dict[str, onnx.ModelProto] = {}
    for name, (nodes, constants, opset) in rows.items():
        graph = helper.make_graph(
            nodes,
            name,
            [helper.make_tensor_value_info("x", TensorProto.DOUBLE, ["batch", 4])],
            [helper.make_tensor_value_info("y", TensorProto.DOUBLE, None)],
            [array(np.asarray(value), key) for key, value in constants.items()],
        )
        made[name] = helper.make_model(graph, opset_imports=[helper.make_opsetid("", opset)], ir_version=8)
    return made


VARIANTS = variants()


@pytest.mark.parametrize("name", VARIANTS)
def test_other_forms_of_operators(name: str) -> None:
    import onnxruntime

    from llb_jax.graph import read_graph

    data = VARIANTS[name].SerializeToString()
    rows = (
        np.random.default_rng(int(hashlib.sha256(name.encode()).hexdigest()[:8], 16)).normal(size=(3, 4))
        * 5.0
    )
    (expected,) = onnxruntime.InferenceSession(data, providers=["CPUExecutionProvider"]).run(
        None, {"x": rows}
    )
    for function in (read_graph(data), jax.jit(read_graph(data))):
        np.testing.assert_allclose(function(jnp.asarray(rows))["y"], expected, rtol=1e-13, atol=1e-13)
