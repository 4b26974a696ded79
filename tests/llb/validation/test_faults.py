"""One fault a bundle: each is reported with its code at its level."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import bundles
import numpy as np
import onnx
import pytest
from bundles import BENCHMARKS, GRAPH, HELDOUT, VECTORS, replace_file, reseal
from onnx import TensorProto, helper, numpy_helper

from llb.validation import DEFAULT_LEVEL, validate

Fault = Callable[[Path], None]


def raw(text: str) -> Fault:
    """Replaces the manifest's text."""
    return lambda path: (path / "manifest.json").write_text(text) and None


def edit(old: str, new: str) -> Fault:
    """Replaces a piece of the manifest's text, once."""

    def fault(path: Path) -> None:
        file = path / "manifest.json"
        text = file.read_text()
        assert old in text
        file.write_text(text.replace(old, new, 1))

    return fault


def put(pointer: str, value: Any) -> Fault:
    """Sets a value of the manifest."""

    def change(document: Any) -> None:
        *parents, last = pointer.split("/")
        for part in parents:
            document = document[int(part) if isinstance(document, list) else part]
        document[int(last) if isinstance(document, list) else last] = value

    return lambda path: reseal(path, change)


def vectors(change: Callable[[dict[str, Any]], Any]) -> Fault:
    """Changes the vectors and seals the bundle again."""

    def fault(path: Path) -> None:
        document = bundles.vectors()
        change(document)
        replace_file(path, VECTORS, json.dumps(document).encode())

    return fault


def heldout(change: Callable[[bytes], bytes]) -> Fault:
    return lambda path: replace_file(path, HELDOUT, change(bundles.heldout()))


def graph(change: Callable[[onnx.ModelProto], Any]) -> Fault:
    """Changes the graph and seals the bundle again."""

    def fault(path: Path) -> None:
        model = bundles.graph_model()
        change(model)
        replace_file(path, GRAPH, model.SerializeToString())

    return fault


def stated(
    model: Callable[[onnx.ModelProto], Any] | None = None,
    manifest: Callable[[dict[str, Any]], Any] | None = None,
) -> Fault:
    """A bundle that states its own error, with the graph or the manifest changed."""

    def fault(path: Path) -> None:
        made = bundles.graph_model(sigma=True)
        if model is not None:
            model(made)
        reseal(path, bundles.stating)
        if manifest is not None:
            reseal(path, manifest)
        replace_file(path, GRAPH, made.SerializeToString())

    return fault


def behind_sigma(
    model: onnx.ModelProto, operator: str, *constants: tuple[str, Any], **attributes: Any
) -> None:
    """Puts an operator behind the second output."""
    model.graph.node[-1].output[0] = "inner"
    model.graph.initializer.extend(numpy_helper.from_array(value, name) for name, value in constants)
    names = [name for name, _ in constants]
    model.graph.node.append(helper.make_node(operator, ["inner", *names], [bundles.SIGMA], **attributes))


def couple_sigma(model: onnx.ModelProto) -> None:
    """Gives every row the largest of the batch times its own: zero at zero, and not its own elsewhere."""
    model.graph.node[-1].output[0] = "inner"
    model.graph.node.append(helper.make_node("ReduceMax", ["inner"], ["largest"], axes=[0], keepdims=1))
    model.graph.node.append(helper.make_node("Mul", ["inner", "largest"], [bundles.SIGMA]))


def claim(position: int, **numbers: float) -> Fault:
    """Changes a claimed metric."""
    return lambda path: reseal(
        path, lambda document: document["validation"]["metrics"][position].update(numbers)
    )


def cover(**numbers: Any) -> Fault:
    """Changes the claimed coverage of the first curve."""
    return stated(manifest=lambda document: document["uncertainty"]["coverage"][0].update(numbers))


def move_truth(data: bytes) -> bytes:
    """Shifts the teacher's value of the last curve at the last point."""
    *lines, last = data.decode().splitlines()
    *cells, value = last.split(",")
    return "\n".join([*lines, ",".join([*cells, repr(float(value) + 1e-3)])]).encode() + b"\n"


def insert(model: onnx.ModelProto, operator: str, domain: str = "", **attributes: Any) -> None:
    """Puts an operator of one input and one output behind the graph."""
    last = model.graph.node[-1]
    last.output[0] = "inner"
    model.graph.node.append(
        helper.make_node(operator, ["inner"], [bundles.OUTPUT], domain=domain, **attributes)
    )


def constant(model: onnx.ModelProto, name: str, value: Any) -> None:
    """Changes an initializer."""
    for tensor in model.graph.initializer:
        if tensor.name == name:
            tensor.CopyFrom(numpy_helper.from_array(value, name))


def external(model: onnx.ModelProto) -> None:
    tensor = model.graph.initializer[0]
    tensor.ClearField("raw_data")
    tensor.data_location = TensorProto.EXTERNAL
    tensor.external_data.add(key="location", value="../../../etc/passwd")


def subgraph(model: onnx.ModelProto) -> None:
    branch = helper.make_graph([helper.make_node("Identity", ["rows"], ["y"])], "branch", [], [])
    insert(model, "Identity")
    model.graph.node[-1].attribute.append(helper.make_attribute("body", branch))


def outputs(
    width: int, dtype: int = TensorProto.DOUBLE, batch: Any = "batch"
) -> Callable[[onnx.ModelProto], None]:
    def change(model: onnx.ModelProto) -> None:
        del model.graph.output[:]
        model.graph.output.append(helper.make_tensor_value_info(bundles.OUTPUT, dtype, [batch, width]))

    return change


def rename_input(model: onnx.ModelProto) -> None:
    model.graph.input[0].name = "x"
    model.graph.node[0].input[0] = "x"


def grow(model: onnx.ModelProto) -> None:
    """Doubles a constant thirty times."""
    model.graph.initializer.append(numpy_helper.from_array(np.ones(2), "grow0"))
    for step in range(30):
        node = helper.make_node("Concat", [f"grow{step}"] * 2, [f"grow{step + 1}"], axis=0)
        model.graph.node.append(node)


def shift(model: onnx.ModelProto) -> None:
    """Adds a constant: exactly zero no more."""
    insert(model, "Add")
    model.graph.initializer.append(numpy_helper.from_array(np.array(1e-12), "shift"))
    model.graph.node[-1].input.append("shift")


def couple(model: onnx.ModelProto) -> None:
    """Subtracts the mean over the batch: rows depend on each other."""
    model.graph.node[-1].output[0] = "inner"
    model.graph.node.append(helper.make_node("ReduceMean", ["inner"], ["mean"], axes=[0], keepdims=1))
    model.graph.node.append(helper.make_node("Sub", ["inner", "mean"], [bundles.OUTPUT]))


def swap_rows(model: onnx.ModelProto) -> None:
    data = np.array([curve[0] for curve in bundles.CURVES.values()])
    constant(model, "data", data[::-1].copy())


def negative(model: onnx.ModelProto) -> None:
    """Asimov data that do not belong to their rates."""
    data = np.array([curve[0] for curve in bundles.CURVES.values()])
    constant(model, "data", data * np.array([[1.0], [1.5], [1.0]]))


def without_its_curve(document: dict[str, Any]) -> None:
    document["validation"]["metrics"][0]["curve"] = document["curves"].pop()["name"]


FAULTS: dict[str, tuple[str, int, Fault]] = {
    "no manifest": ("LLB-A010", 0, lambda path: (path / "manifest.json").unlink()),
    "symbolic link": ("LLB-A005", 0, lambda path: (path / "link").symlink_to("/etc/passwd")),
    "two names in one": ("LLB-A006", 0, lambda path: (path / "readme.MD").write_text("") and None),
    "odd name": ("LLB-A004", 0, lambda path: (path / "a b").touch()),
    "byte order mark": ("LLB-P002", 0, raw("\ufeff{}")),
    "not JSON": ("LLB-P003", 0, raw("format: llb")),
    "NaN": ("LLB-P004", 0, edit("139.0", "NaN")),
    "overflow": ("LLB-P005", 0, edit("139.0", "1e400")),
    "duplicate key": ("LLB-P006", 0, edit('"version"', '"id": "other", "version"')),
    "deep": ("LLB-P007", 0, raw("[" * 100_000)),
    "huge": ("LLB-P008", 0, raw(" " * (4 * 2**20 + 1))),
    "array": ("LLB-S003", 1, raw("[]")),
    "other format": ("LLB-S013", 1, put("format", "onnx")),
    "newer version": ("LLB-S010", 1, put("format_version", "0.2.0")),
    "unknown feature": ("LLB-S012", 1, put("required_features", ["flows"])),
    "missing key": ("LLB-S001", 1, lambda path: reseal(path, lambda document: document.pop("teacher"))),
    "unknown key": ("LLB-S002", 1, put("colour", "red")),
    "trailing newline": ("LLB-S005", 1, put("files/0/sha256", "0" * 64 + "\n")),
    "traversal": ("LLB-S005", 1, put("files/0/path", "../secret")),
    "wrong id": ("LLB-M001", 1, put("inputs/0/id", "SR[7]")),
    "two columns": ("LLB-M003", 1, put("inputs/0/column", 1)),
    "gap": ("LLB-M004", 1, put("inputs/1", {**bundles.manifest()["inputs"][1], "index": 5, "id": "SR[5]"})),
    "curve twice": ("LLB-M005", 1, put("curves/1/name", "observed")),
    "curve columns": ("LLB-M006", 1, put("curves/1/column", 2)),
    "chain of aliases": ("LLB-M007", 1, put("curves/3/alias_of", "apriori_asimov")),
    "alias column": ("LLB-M007", 1, put("curves/3/column", 1)),
    "short domain": ("LLB-M008", 1, put("domain/lower", [0.0])),
    "zero outside": ("LLB-M009", 1, put("domain/lower", [1.0, 0.0, 0.0])),
    "short data": ("LLB-M010", 1, put("curves/1/data/main", [1.0])),
    "other data": ("LLB-M011", 1, put("curves/0/data/main/0", 6.0)),
    "half an event": ("LLB-M031", 1, put("inputs/0/observed", 5.5)),
    "unlisted use": ("LLB-M014", 1, put("validation/heldout", "nothing.csv")),
    "wrong role": ("LLB-M015", 1, put("validation/heldout", GRAPH)),
    "no graph": ("LLB-M017", 1, put("graphs/0/role", "delta_nll_float32")),
    "declared shape": ("LLB-M018", 1, put("graphs/0/outputs/0/shape", ["batch", 4])),
    "unknown metric": ("LLB-M019", 1, lambda path: reseal(path, without_its_curve)),
    "not in the teacher": ("LLB-M020", 1, put("teacher/channels/0/bins", 1)),
    "other auxiliary data": ("LLB-M029", 1, put("curves/1/data/auxiliary", [])),
    "changed file": (
        "LLB-I001",
        2,
        lambda path: (path / "LICENSE").write_bytes(flipped(path / "LICENSE")) and None,
    ),
    "cut file": ("LLB-I002", 2, lambda path: (path / "LICENSE").write_bytes(b"x") and None),
    "lost file": ("LLB-I003", 2, lambda path: (path / "LICENSE").unlink()),
    "extra file": ("LLB-I004", 2, lambda path: (path / "extra").touch()),
    "lists itself": ("LLB-I005", 1, put("files/0/path", "manifest.json")),
    "record is not JSON": ("LLB-P003", 2, lambda path: replace_file(path, "provenance/labels.json", b"{")),
    "vectors: NaN": ("LLB-P004", 2, lambda path: replace_file(path, VECTORS, b"NaN")),
    "vectors: key": ("LLB-S002", 2, vectors(lambda document: document.update(colour="red"))),
    "vectors: no tolerance": ("LLB-S001", 2, vectors(lambda document: document["tolerance"].clear())),
    "vectors: loose": (
        "LLB-S006",
        2,
        vectors(lambda document: document["tolerance"]["delta_nll"].update(absolute=1)),
    ),
    "vectors: bin": ("LLB-M022", 2, vectors(lambda document: document["cases"][1]["signal"].pop("CR[0]"))),
    "vectors: curve": (
        "LLB-M023",
        2,
        vectors(lambda document: document["cases"][1]["delta_nll"].pop("observed")),
    ),
    "vectors: no zero": ("LLB-M024", 2, vectors(lambda document: document["cases"].pop(0))),
    "vectors: zero": (
        "LLB-M024",
        2,
        vectors(lambda document: document["cases"][0]["delta_nll"].update(apriori=1e-12)),
    ),
    "vectors: names": ("LLB-M028", 2, vectors(lambda document: document["cases"][1].update(name="zero"))),
    "held-out: header": ("LLB-M026", 2, heldout(lambda data: data.replace(b"SR[0],SR[1]", b"SR[1],SR[0]"))),
    "held-out: NaN": ("LLB-M027", 2, heldout(lambda data: data + b"x,nan,0,0,0,0,0\n")),
    "held-out: text": ("LLB-M027", 2, heldout(lambda data: data + b"x,none,0,0,0,0,0\n")),
    "held-out: width": ("LLB-M027", 2, heldout(lambda data: data + b"x,0\n")),
    "held-out: empty": ("LLB-M027", 2, heldout(lambda data: data.splitlines(keepends=True)[0])),
    "held-out: quotes": ("LLB-P010", 2, heldout(lambda data: data + b'"x')),
    "graph: text": ("LLB-G001", 3, lambda path: replace_file(path, GRAPH, b"import os")),
    "graph: empty": ("LLB-G001", 3, lambda path: replace_file(path, GRAPH, b"")),
    "graph: cut": ("LLB-G001", 3, lambda path: replace_file(path, GRAPH, bundles.files()[GRAPH].data[:-40])),
    "graph: dangling": ("LLB-G002", 3, graph(lambda model: model.graph.node.pop(1))),
    "graph: operator": ("LLB-G003", 3, graph(lambda model: insert(model, "RandomNormalLike"))),
    "graph: opset": ("LLB-G004", 3, lambda path: replace_file(path, GRAPH, opset(22))),
    "graph: undeclared opset": ("LLB-G004", 3, lambda path: replace_file(path, GRAPH, opset(18))),
    "graph: domain": ("LLB-G005", 3, graph(lambda model: insert(model, "Gelu", "com.microsoft"))),
    "graph: external data": ("LLB-G006", 3, graph(external)),
    "graph: subgraph": ("LLB-G007", 3, graph(subgraph)),
    "graph: bomb": ("LLB-G008", 3, graph(grow)),
    "graph: absurd tensor": (
        "LLB-G008",
        3,
        graph(lambda model: model.graph.initializer[0].dims.append(2**40)),
    ),
    "graph: input name": ("LLB-G009", 3, graph(rename_input)),
    "graph: type": ("LLB-G010", 3, lambda path: replace_file(path, GRAPH, single())),
    "graph: fixed batch": ("LLB-G011", 3, graph(outputs(3, batch=1))),
    "graph: IR version": ("LLB-G013", 3, graph(lambda model: setattr(model, "ir_version", 99))),
    "graph: NaN weight": (
        "LLB-G014",
        3,
        graph(lambda model: constant(model, "data", np.full((3, 3), np.nan))),
    ),
    "numbers: curves swapped": ("LLB-N001", 4, graph(swap_rows)),
    "numbers: shifted": ("LLB-N002", 4, graph(shift)),
    "numbers: batch": ("LLB-N003", 4, graph(couple)),
    "numbers: not finite": ("LLB-N004", 4, put("domain/lower", [-5.0, -0.5, -5.0])),
    "numbers: Asimov": ("LLB-N005", 4, graph(negative)),
    "numbers: vector outside": ("LLB-M025", 4, put("domain/upper", [0.5, 0.5, 0.5])),
    "numbers: vector beyond truncation": ("LLB-M025", 4, put("domain/truncation", {"delta_nll_max": 1e-3})),
    "error: without an output": (
        "LLB-M021",
        1,
        stated(manifest=lambda document: document["uncertainty"].update(output="spread")),
    ),
    "error: none and yet something": ("LLB-M021", 1, put("uncertainty/output", "sigma")),
    "error: the first output": (
        "LLB-M021",
        1,
        stated(manifest=lambda document: document["uncertainty"].update(output=bundles.OUTPUT)),
    ),
    "error: declared type": (
        "LLB-M041",
        1,
        stated(manifest=lambda document: document["graphs"][0]["outputs"][1].update(dtype="float32")),
    ),
    "error: coverage of an alias": ("LLB-M042", 1, cover(curve="apriori_asimov")),
    "error: coverage twice": ("LLB-M042", 1, cover(curve="apriori")),
    "error: output not in the graph": (
        "LLB-G009",
        3,
        lambda path: reseal(path, bundles.stating),
    ),
    "error: negative": ("LLB-N010", 4, stated(lambda model: behind_sigma(model, "Neg"))),
    "error: not finite": ("LLB-N010", 4, stated(lambda model: behind_sigma(model, "Reciprocal"))),
    "error: not zero at zero": (
        "LLB-N011",
        4,
        stated(lambda model: behind_sigma(model, "Max", ("least", np.array(1e-9)))),
    ),
    "error: batch": ("LLB-N012", 4, stated(couple_sigma)),
    "claims: missing": (
        "LLB-C001",
        5,
        lambda path: reseal(path, lambda document: document["validation"]["metrics"].pop()),
    ),
    "claims: better": ("LLB-C002", 5, heldout(move_truth)),
    "claims: number of points": ("LLB-C004", 5, claim(0, count=12)),
    "claims: about an alias": ("LLB-C005", 5, claim(0, curve="apriori_asimov")),
    "claims: held-out point outside": (
        "LLB-C006",
        5,
        heldout(lambda data: data + b"far,21,0,0,13.1,13.7,14.3\n"),
    ),
    "claims: held-out point beyond truncation": (
        "LLB-C006",
        5,
        put("domain/truncation", {"delta_nll_max": 22.0}),
    ),
    "claims: twice": ("LLB-C008", 5, claim(0, region="all")),
    "claims: coverage missing": (
        "LLB-C001",
        5,
        stated(manifest=lambda document: document["uncertainty"]["coverage"].pop()),
    ),
    "claims: coverage better": (
        "LLB-C002",
        5,
        # Without any error stated, nothing but exact points is covered.
        stated(lambda model: behind_sigma(model, "Mul", ("nothing", np.array(0.0)))),
    ),
    "claims: points of the coverage": ("LLB-C004", 5, cover(points=12)),
}


def flipped(path: Path) -> bytes:
    data = bytearray(path.read_bytes())
    data[0] ^= 1
    return bytes(data)


def opset(version: int) -> bytes:
    return bundles.graph_model(version).SerializeToString()


def single() -> bytes:
    return bundles.graph_model(dtype=np.float32).SerializeToString()


@pytest.fixture(scope="module")
def good(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return bundles.write(tmp_path_factory.mktemp("good") / "x.llb")


@pytest.mark.parametrize("name", FAULTS)
def test_fault(name: str, good: Path, tmp_path: Path) -> None:
    code, level, fault = FAULTS[name]
    path = Path(shutil.copytree(good, tmp_path / "x.llb"))
    fault(path)
    report = validate(path)
    assert report.status == "invalid"
    assert code in [item.code for item in report.findings]
    assert report.level == level
    assert not [item for item in report.findings if item.code.startswith("LLB-X")]
    if level:
        below = validate(path, level - 1)
        assert (below.status, below.level) == ("ok", level - 1)


WARNINGS: dict[str, tuple[str, Fault]] = {
    "claims: worse": ("LLB-C003", claim(3, max=0.1)),
    "claims: coverage worse": ("LLB-C003", cover(within_68=0.5)),
    "claims: benchmark": (
        "LLB-C007",
        lambda path: replace_file(
            path, BENCHMARKS, bundles.files()[BENCHMARKS].data.replace(b"2.22", b"2.6")
        ),
    ),
}


@pytest.mark.parametrize("name", WARNINGS)
def test_warning(name: str, good: Path, tmp_path: Path) -> None:
    code, fault = WARNINGS[name]
    path = Path(shutil.copytree(good, tmp_path / "x.llb"))
    fault(path)
    report = validate(path)
    assert (report.status, report.level) == ("ok", DEFAULT_LEVEL)
    assert {item.code for item in report.findings} == {code}


def test_a_bundle_that_states_its_error_has_no_findings(good: Path, tmp_path: Path) -> None:
    path = Path(shutil.copytree(good, tmp_path / "x.llb"))
    stated()(path)
    assert validate(path).findings == ()


def test_every_code_of_the_format_half_is_provoked_somewhere() -> None:
    codes = {code for code, _, _ in FAULTS.values()}
    assert len(FAULTS) > 75
    assert len(codes) > 60
