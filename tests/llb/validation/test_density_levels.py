"""Validation of densities: good ones reach level 5, and each fault ends in its finding at its level."""

from __future__ import annotations

import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from gaussians import HELDOUT, VECTORS, write_changed
from onnx import helper, numpy_helper

from llb.validation import DEFAULT_LEVEL, validate
from llb_conformance.gaussian import GaussianModel, conditional_model, mixed_model, regression_model
from llb_conformance.gaussian_bundle import gaussian_files, write_gaussian
from llb_conformance.gaussian_graphs import gaussian_graphs
from llb_schema import Severity

MODELS = (mixed_model(), mixed_model("float32"), conditional_model(), regression_model())


@pytest.mark.requirement("NUMERICS-7", "NUMERICS-8", "NUMERICS-9", "CLAIM-4", "CLAIM-6", "HELDOUT-4")
@pytest.mark.parametrize("model", MODELS, ids=lambda model: f"{model.id}-{model.dtype}")
def test_good_densities_have_no_findings(model: GaussianModel, tmp_path: Path) -> None:
    report = validate(write_gaussian(model, tmp_path / "good.llb"))
    assert (report.level, report.findings) == (DEFAULT_LEVEL, ())


def found(path: Path, level: int = DEFAULT_LEVEL) -> list[tuple[int, str]]:
    """Level that was reached, and codes, of errors first; in this process, which is sooner."""
    report = validate(path, level, limits=None)
    errors = [item for item in report.findings if item.severity is Severity.ERROR]
    return [(report.level, item.code) for item in (errors or report.findings)]


def drop(*keys: str) -> Callable[[Any], object]:
    def change(document: Any) -> None:
        *path, last = keys
        for key in path:
            document = document[int(key)] if isinstance(document, list) else document[key]
        del document[last]

    return change


def put(value: Any, *keys: str) -> Callable[[Any], object]:
    def change(document: Any) -> None:
        *path, last = keys
        for key in path:
            document = document[int(key)] if isinstance(document, list) else document[key]
        document[int(last) if isinstance(document, list) else last] = value

    return change


VECTOR_FAULTS: dict[str, tuple[Callable[[Any], object], str]] = {
    "parameter missing": (drop("cases", "2", "parameters", "mu"), "LLB-M051"),
    "parameter unknown": (put(1.0, "cases", "2", "parameters", "nu"), "LLB-M051"),
    "score missing": (drop("cases", "0", "score"), "LLB-M051"),
    "condition of none": (put({"x": 1.0}, "cases", "0", "condition"), "LLB-M051"),
    "tolerance missing": (drop("tolerance", "score"), "LLB-M051"),
    "samples missing": (drop("samples"), "LLB-M053"),
    "noise too short": (put([0.0], "samples", "0", "z"), "LLB-M053"),
    "name twice": (put("point-1", "cases", "0", "name"), "LLB-M028"),
    "name of a sample twice": (put("noise-1", "samples", "0", "name"), "LLB-M028"),
    "log_prob missing": (drop("cases", "0", "log_prob"), "LLB-S001"),
    "vectors of a profile": (put("delta_nll", "graph"), "LLB-S001"),
}


@pytest.mark.requirement("VECTORS-2", "VECTORS-7")
@pytest.mark.parametrize("name", VECTOR_FAULTS)
def test_faults_of_vectors_end_level_2(name: str, tmp_path: Path) -> None:
    change, code = VECTOR_FAULTS[name]
    assert (2, code) in found(write_changed(tmp_path / "x.llb", vectors=change))


@pytest.mark.requirement("VECTORS-7")
def test_vectors_of_the_other_family_are_one_finding(tmp_path: Path) -> None:
    import bundles

    def profile(document: Any) -> None:
        document.clear()
        document.update(bundles.vectors())

    assert found(write_changed(tmp_path / "x.llb", vectors=profile)) == [(2, "LLB-M052")]


NUMBER_FAULTS: dict[str, tuple[Callable[[Any], object], str]] = {
    "log_prob": (put(-2.0, "cases", "1", "log_prob"), "LLB-N001"),
    "score": (put(0.0, "cases", "1", "score", "rate"), "LLB-N001"),
    "sample": (put(125.0, "samples", "1", "parameters", "mass"), "LLB-N001"),
}


@pytest.mark.requirement("NUMERICS-1", "VECTORS-6")
@pytest.mark.parametrize("name", NUMBER_FAULTS)
def test_every_graph_has_to_give_its_vectors(name: str, tmp_path: Path) -> None:
    change, code = NUMBER_FAULTS[name]
    report = validate(write_changed(tmp_path / "x.llb", vectors=change), limits=None)
    (item,) = report.findings
    place = f"{VECTORS}#/{'samples' if name == 'sample' else 'cases'}/1"
    assert (report.level, item.code, item.pointer) == (4, code, place)


@pytest.mark.requirement("VECTORS-8")
def test_tolerances_of_samples_are_in_units_of_the_domain(tmp_path: Path) -> None:
    # The mass is 125 GeV, its domain 2.3 GeV wide, and that of mu twice as wide.
    def shifted(size: float) -> Callable[[Any], object]:
        def change(document: Any) -> None:
            document["tolerance"]["sample"] |= {"absolute": 1e-3, "relative": 0.0}
            document["samples"][1]["parameters"]["mass"] += size

        return change

    assert found(write_changed(tmp_path / "in.llb", vectors=shifted(1.5e-3))) == []
    assert found(write_changed(tmp_path / "out.llb", vectors=shifted(4e-3))) == [(4, "LLB-N001")]


@pytest.mark.requirement("VECTORS-4")
def test_vectors_lie_inside_the_domain(tmp_path: Path) -> None:
    def narrow(document: Any) -> None:
        document["domain"]["upper"][3] = 125.11

    assert (4, "LLB-M025") in found(write_changed(tmp_path / "x.llb", manifest=narrow))


def altered(role: str, change: Callable[[onnx.ModelProto], None]) -> onnx.ModelProto:
    """A graph of the mixed density that gives something else."""
    graph = gaussian_graphs(mixed_model())[role]
    change(graph)
    return graph


def scaled(name: str, factor: float) -> Callable[[onnx.ModelProto], None]:
    """Multiplies a constant."""

    def change(graph: onnx.ModelProto) -> None:
        (tensor,) = (item for item in graph.graph.initializer if item.name == name)
        tensor.CopyFrom(numpy_helper.from_array(factor * numpy_helper.to_array(tensor), name))

    return change


def without_bends(graph: onnx.ModelProto) -> None:
    """Leaves the Jacobian of the transformations of the parameters out."""
    (node,) = (item for item in graph.graph.node if item.output[0] == "parts")
    node.op_type = "Identity"
    del node.input[1:]


def swapped(graph: onnx.ModelProto) -> None:
    """Exchanges the last two columns of the samples, both of which may have any value."""
    (node,) = (item for item in graph.graph.node if item.op_type == "Concat")
    names = list(node.input)
    del node.input[:]
    node.input.extend([*names[:2], names[3], names[2]])


def unbounded(graph: onnx.ModelProto) -> None:
    """Makes twice the range of the bounded parameter of it."""
    scaled("width_0", 2.0)(graph)


# What the vectors cannot see, because the maker wrote them with the same wrong graph.
GRAPH_FAULTS: dict[str, tuple[str, Callable[[onnx.ModelProto], None], str]] = {
    "half the exponent": ("log_prob", scaled("half", 0.5), "LLB-N022"),
    "a constant": ("log_prob", scaled("constant", 0.5), "LLB-N022"),
    "no Jacobian": ("log_prob", without_bends, "LLB-N022"),
    "columns swapped": ("sample", swapped, "LLB-N022"),
    "samples beyond the bounds": ("sample", unbounded, "LLB-N021"),
    "score of another sign": ("score", scaled("back", -1.0), "LLB-N023"),
    "score by standardised parameters": ("score", scaled("back", 0.3), "LLB-N023"),
}


def with_own_vectors(target: Path, role: str, graph: onnx.ModelProto) -> Path:
    """A bundle whose vectors are what the wrong graph gives."""
    from onnx.reference import ReferenceEvaluator

    evaluator = ReferenceEvaluator(graph)

    def own(document: Any) -> None:
        names = mixed_model().names
        for case in document["samples" if role == "sample" else "cases"]:
            given = case["z"] if role == "sample" else [case["parameters"][name] for name in names]
            (output,) = evaluator.run(None, {graph.graph.input[0].name: np.array([given])})
            if role == "log_prob":
                case["log_prob"] = float(np.asarray(output)[0, 0])
            else:
                values = dict(zip(names, np.asarray(output)[0].tolist(), strict=True))
                case["parameters" if role == "sample" else "score"] = values

    return write_changed(target, vectors=own, graphs={role: graph})


@pytest.mark.requirement("NUMERICS-8", "NUMERICS-9")
@pytest.mark.parametrize("name", GRAPH_FAULTS)
def test_graphs_have_to_belong_to_each_other(name: str, tmp_path: Path) -> None:
    role, change, code = GRAPH_FAULTS[name]
    path = with_own_vectors(tmp_path / "x.llb", role, altered(role, change))
    assert (4, code) in found(path)


@pytest.mark.requirement("NUMERICS-7")
def test_the_density_is_finite_in_the_domain(tmp_path: Path) -> None:
    def broken(graph: onnx.ModelProto) -> None:
        (node,) = (item for item in graph.graph.node if item.output[0] == "log_prob")
        node.output[0] = "almost"
        graph.graph.node.append(helper.make_node("Log", ["almost"], ["log_prob"]))

    path = write_changed(tmp_path / "x.llb", graphs={"log_prob": altered("log_prob", broken)})
    assert (4, "LLB-N020") in found(path)


TABLE_FAULTS: dict[str, tuple[Callable[[str], str], int, str]] = {
    "columns swapped": (lambda text: text.replace("mu,rate", "rate,mu", 1), 2, "LLB-M026"),
    "not a number": (lambda text: text.replace("draw-7,", "draw-7,nan", 1), 2, "LLB-M027"),
    "beyond the bounds": (lambda text: f"{text}more,-2.0,7.0,0.0,125.0,-3.0\n", 5, "LLB-C009"),
}


@pytest.mark.requirement("HELDOUT-4", "HELDOUT-5")
@pytest.mark.parametrize("name", TABLE_FAULTS)
def test_faults_of_the_table(name: str, tmp_path: Path) -> None:
    change, level, code = TABLE_FAULTS[name]
    assert (level, code) in found(write_changed(tmp_path / "x.llb", heldout=change))


def without_last(text: str) -> str:
    return "\n".join(line.rpartition(",")[0] for line in text.splitlines()) + "\n"


@pytest.mark.requirement("HELDOUT-4", "CLAIM-6")
def test_a_density_need_not_know_the_teachers(tmp_path: Path) -> None:
    none = put([], "validation", "metrics")
    path = write_changed(tmp_path / "a.llb", heldout=without_last, manifest=none)
    assert found(path) == []
    # What cannot be recomputed cannot be claimed.
    path = write_changed(tmp_path / "b.llb", heldout=without_last)
    assert found(path) == [(5, "LLB-C005")]
    # What is known has to be claimed.
    assert found(write_changed(tmp_path / "c.llb", manifest=none)) == [(5, "LLB-C001")]
    path = write_changed(tmp_path / "d.llb", regression_model(), heldout=without_last, manifest=none)
    assert found(path) == [(2, "LLB-M026")]


@pytest.mark.requirement("HELDOUT-4", "CLAIM-6")
def test_a_truth_may_lack_one_constant(tmp_path: Path) -> None:
    def shifted(text: str) -> str:
        head, *rows = text.splitlines()
        cells = (row.rpartition(",") for row in rows)
        lines = [f"{first},{float(last) + 206.32!r}" for first, _, last in cells]
        return "\n".join([head.replace("log_prob", "log_prob_unnormalized"), *lines]) + "\n"

    assert found(write_changed(tmp_path / "x.llb", heldout=shifted)) == []


CLAIM_FAULTS: dict[str, tuple[Callable[[Any], object], str]] = {
    "value too good": (put(0.0, "validation", "sample_metrics", "0", "value"), "LLB-C002"),
    "null too large": (put(1.0, "validation", "sample_metrics", "0", "null"), "LLB-C002"),
    "null too wide": (put(1.0, "validation", "sample_metrics", "0", "null_std"), "LLB-C002"),
    "value too bad": (put(1.0, "validation", "sample_metrics", "0", "value"), "LLB-C003"),
    "too many points": (put(1500, "validation", "sample_metrics", "0", "n"), "LLB-C010"),
    "twice": (put("correlation", "validation", "sample_metrics", "0", "quantity"), "LLB-C008"),
    "error too small": (put(1e-17, "validation", "metrics", "0", "count"), "LLB-S003"),
    "other points": (put(7, "validation", "metrics", "0", "count"), "LLB-C004"),
}


@pytest.mark.requirement("CLAIM-5", "CLAIM-6")
@pytest.mark.parametrize("name", CLAIM_FAULTS)
def test_claims_are_recomputed(name: str, tmp_path: Path) -> None:
    change, code = CLAIM_FAULTS[name]
    assert code in {item for _, item in found(write_changed(tmp_path / "x.llb", manifest=change))}


@pytest.mark.requirement("CLAIM-5")
@pytest.mark.parametrize("seed", [0, 99, 2**40])
def test_other_draws_agree_with_what_was_claimed(seed: int, tmp_path: Path) -> None:
    def reseeded(document: Any) -> None:
        for item in document["validation"]["sample_metrics"]:
            item["seed"] = seed

    assert found(write_changed(tmp_path / "x.llb", manifest=reseeded)) == []


@pytest.mark.requirement("CLAIM-4", "CLAIM-5")
def test_a_density_that_is_not_the_truth_cannot_claim_to_be(tmp_path: Path) -> None:
    wider = mixed_model()
    wider = GaussianModel(wider.id, wider.parameters, wider.mean, 1.3 * wider.root)
    # Everything belongs together but the held-out points, which are of the narrower truth.
    truth = gaussian_files(mixed_model())[HELDOUT].decode()
    path = write_changed(tmp_path / "x.llb", wider, heldout=lambda _: truth)
    codes = {code for _, code in found(path)}
    assert codes >= {"LLB-C002"}


def test_level_6_is_not_for_densities(tmp_path: Path) -> None:
    from llb.validation.teacher import Relabelling

    path = write_gaussian(mixed_model(), tmp_path / "x.llb")

    def never(*_: object) -> Any:
        raise AssertionError

    relabelling = Relabelling(never, points=4, seed=0)
    report = validate(path, 6, relabelling=relabelling)
    assert (report.level, [item.code for item in report.findings]) == (6, ["LLB-C108"])


@pytest.mark.requirement("PROFILE-1", "PROFILE-15")
def test_what_is_published_is_asked_for_what_a_density_has(tmp_path: Path) -> None:
    path = write_gaussian(mixed_model(), tmp_path / "x.llb")
    codes = {item.code for item in validate(path, 1, profile="publishable").findings}
    assert "LLB-M101" in codes
    assert not codes & {"LLB-M112", "LLB-M113", "LLB-M115", "LLB-M118"}
    few = put(900, "validation", "metrics", "0", "count")
    path = write_changed(tmp_path / "y.llb", manifest=few)
    assert "LLB-M114" in {item.code for item in validate(path, 1, profile="publishable").findings}


@pytest.mark.requirement("SECURITY-6")
def test_the_graphs_of_a_density_are_run_with_limits(tmp_path: Path) -> None:
    from llb.validation import RunLimits

    path = write_gaussian(mixed_model(), tmp_path / "x.llb")
    report = validate(path, limits=RunLimits(0.001, 2**32))
    assert [item.code for item in report.findings] == ["LLB-G016"]
    assert math.isfinite(report.level)
