"""Faults of the ONNX file: not one, not portable, not safe, or not the one that the manifest declares."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from llb_conformance.corpus.case import Case, case
from llb_conformance.corpus.draft import GRAPH, Draft, faulty, good_model
from llb_conformance.corpus.graph_sizes import size_cases
from llb_conformance.corpus.surgery import behind, rewrite, unused, with_constants, wrong
from llb_conformance.quadratic import counting_model
from llb_conformance.quadratic_bundle import quadratic_graph

__all__ = ["graph_cases"]


def graph_cases() -> tuple[Case, ...]:
    """Cases of stage `graph`."""
    return (*_files(), *_versions(), *_operators(), *_parts(), *size_cases(), *_signature())


def _bytes_case(name: str, code: str, data: Callable[[bytes], bytes], note: str = "") -> Case:
    def fault(draft: Draft) -> None:
        draft.replace(GRAPH, data(draft.files[GRAPH]))

    return case(f"graph-{name}", "graph", code, GRAPH, faulty(fault), note=note)


def _files() -> tuple[Case, ...]:
    return (
        _bytes_case("not-onnx", "LLB-G001", lambda _: b"import os\n"),
        _bytes_case("empty", "LLB-G001", lambda _: b""),
        _bytes_case("truncated", "LLB-G001", lambda data: data[:-40]),
        wrong("without-a-graph", "LLB-G001", lambda model: model.ClearField("graph")),
        wrong("input-of-a-node-missing", "LLB-G002", lambda model: model.graph.node.pop(1)),
        wrong("weights-too-short", "LLB-G002", _short_weights),
        wrong(
            "shapes-contradict", "LLB-G002", lambda model: rewrite(model, "slopes", lambda _: np.ones((4, 3)))
        ),
        wrong("in-a-circle", "LLB-G002", _circle),
        wrong("tensor-written-twice", "LLB-G002", _twice),
        wrong("no-kernel", "LLB-G012", _bfloat16),
    )


def _versions() -> tuple[Case, ...]:
    return (
        wrong("opset-too-new", "LLB-G004", lambda model: _opset(model, 22)),
        wrong("opset-not-the-declared", "LLB-G004", lambda model: _opset(model, 18), "GRAPH-2"),
        wrong("ir-version-too-new", "LLB-G013", lambda model: setattr(model, "ir_version", 99)),
        wrong("ir-version-too-old", "LLB-G013", lambda model: setattr(model, "ir_version", 7)),
        wrong("custom-domain-imported", "LLB-G005", _import_domain),
        _bytes_case("domain-not-utf-8", "LLB-G005", _foreign_bytes, "There is another one beside it."),
        wrong("custom-operator", "LLB-G005", lambda model: _one(model, "Gelu", domain="com.microsoft")),
    )


def _operators() -> tuple[Case, ...]:
    return (
        wrong("operator-random", "LLB-G003", lambda model: _one(model, "RandomNormalLike")),
        wrong("operator-not-portable", "LLB-G003", lambda model: _one(model, "Softplus")),
        wrong("subgraph", "LLB-G007", _subgraph),
        wrong("function", "LLB-G007", _function),
    )


def _parts() -> tuple[Case, ...]:
    return (
        wrong("external-data", "LLB-G006", lambda model: _external(model, "weights.bin")),
        wrong(
            "external-data-outside",
            "LLB-G006",
            lambda model: _external(model, "../../../etc/passwd"),
            "SECURITY-4",
        ),
        wrong("training-information", "LLB-G007", lambda model: model.training_info.add()),
        wrong("sparse-weights", "LLB-G007", lambda model: model.graph.sparse_initializer.append(_sparse())),
        wrong("sparse-constant", "LLB-G007", _sparse_constant),
        wrong("weight-nan", "LLB-G014", lambda model: rewrite(model, "slopes", lambda value: value * np.nan)),
        wrong("weight-nan-in-half-precision", "LLB-G014", _half_nan),
        wrong("constant-nan", "LLB-G014", lambda model: unused(model, value_float=float("nan"))),
        wrong(
            "constant-nan-in-a-list",
            "LLB-G014",
            lambda model: unused(model, value_floats=[0.0, float("nan")]),
        ),
        wrong("constant-tensor-nan", "LLB-G014", _tensor_nan),
    )


def _signature() -> tuple[Case, ...]:
    return (
        wrong("input-renamed", "LLB-G009", _rename_input),
        wrong("input-beside-the-declared", "LLB-G009", _further_input),
        wrong("input-is-a-constant", "LLB-G009", lambda model: with_constants(model, signal=np.ones((1, 3)))),
        wrong("outputs-swapped", "LLB-G009", lambda model: model.graph.output.reverse()),
        wrong("output-missing", "LLB-G009", lambda model: model.graph.output.pop()),
        _bytes_case(
            "in-single-precision",
            "LLB-G010",
            lambda _: _graph_of(good_model().with_precision("float32")),
            "The type of every tensor is another one.",
        ),
        wrong("output-in-single-precision", "LLB-G010", _cast),
        wrong("batch-fixed", "LLB-G011", _fix_batch),
        wrong("output-transposed", "LLB-G011", _transpose),
        _bytes_case("of-more-bins", "LLB-G011", lambda _: _graph_of(_wider())),
    )


def _graph_of(model: Any) -> bytes:
    return quadratic_graph(model).SerializeToString(deterministic=True)


def _wider() -> Any:
    model = counting_model(channels=(("SR", 3, "SR"), ("CR", 1, "CR")))
    return replace(model.with_spread(observed=1e-3), id="wider")


def _one(model: onnx.ModelProto, operator: str, domain: str = "") -> None:
    behind(model, "delta_nll", helper.make_node(operator, ["inner"], ["delta_nll"], domain=domain))


def _short_weights(model: onnx.ModelProto) -> None:
    tensor = model.graph.initializer[0]
    tensor.raw_data = tensor.raw_data[:-1]


def _bfloat16(model: onnx.ModelProto) -> None:
    """An operator that ONNX knows for a type for which no common engine has it."""
    nodes = (
        helper.make_node("Cast", ["inner"], ["short"], to=TensorProto.BFLOAT16),
        helper.make_node("Tanh", ["short"], ["bent"]),
        helper.make_node("Cast", ["bent"], ["delta_nll"], to=TensorProto.DOUBLE),
    )
    behind(model, "delta_nll", *nodes)


def _opset(model: onnx.ModelProto, version: int) -> None:
    model.opset_import[0].version = version


def _import_domain(model: onnx.ModelProto) -> None:
    model.opset_import.append(helper.make_opsetid("com.microsoft", 1))


def _subgraph(model: onnx.ModelProto) -> None:
    _one(model, "Identity")
    body = helper.make_graph([helper.make_node("Identity", ["inner"], ["y"])], "body", [], [])
    model.graph.node[-1].attribute.append(helper.make_attribute("body", body))


def _function(model: onnx.ModelProto) -> None:
    nodes = [helper.make_node("Neg", ["x"], ["y"])]
    opsets = [helper.make_opsetid("", 17)]
    model.functions.append(helper.make_function("", "Minus", ["x"], ["y"], nodes, opsets))


def _external(model: onnx.ModelProto, location: str) -> None:
    tensor = model.graph.initializer[0]
    tensor.ClearField("raw_data")
    tensor.data_location = TensorProto.EXTERNAL
    tensor.external_data.add(key="location", value=location)


def _sparse() -> onnx.SparseTensorProto:
    values = numpy_helper.from_array(np.array([1.0]), "sparse")
    return helper.make_sparse_tensor(values, numpy_helper.from_array(np.array([0])), [3])


def _sparse_constant(model: onnx.ModelProto) -> None:
    unused(model, sparse_value=_sparse())


def _half_nan(model: onnx.ModelProto) -> None:
    model.graph.initializer.append(numpy_helper.from_array(np.full(2, np.nan, np.float16), "half"))


def _tensor_nan(model: onnx.ModelProto) -> None:
    unused(model, value=numpy_helper.from_array(np.array([0.0, np.nan])))


def _circle(model: onnx.ModelProto) -> None:
    model.graph.node.append(helper.make_node("Neg", ["after"], ["before"]))
    model.graph.node.append(helper.make_node("Neg", ["before"], ["after"]))


def _twice(model: onnx.ModelProto) -> None:
    model.graph.node.append(model.graph.node[0])


def _further_input(model: onnx.ModelProto) -> None:
    model.graph.input.append(helper.make_tensor_value_info("more", TensorProto.DOUBLE, ["batch", 3]))


def _foreign_bytes(data: bytes) -> bytes:
    model = onnx.load_from_string(data)
    _import_domain(model)
    model.opset_import.append(helper.make_opsetid("com.example", 1))
    return model.SerializeToString(deterministic=True).replace(b"com.microsoft", b"com.\xff\xfecrosoft")


def _rename_input(model: onnx.ModelProto) -> None:
    model.graph.input[0].name = "x"
    for node in model.graph.node:
        node.input[:] = ["x" if name == "signal" else name for name in node.input]


def _declare(values: Any, kind: int, shape: list[Any]) -> None:
    """Declares the first of the graph's inputs or outputs anew."""
    values[0].CopyFrom(helper.make_tensor_value_info(values[0].name, kind, shape))


def _cast(model: onnx.ModelProto) -> None:
    behind(model, "delta_nll", helper.make_node("Cast", ["inner"], ["delta_nll"], to=TensorProto.FLOAT))
    _declare(model.graph.output, TensorProto.FLOAT, ["batch", 3])


def _fix_batch(model: onnx.ModelProto) -> None:
    _declare(model.graph.input, TensorProto.DOUBLE, [1, 3])


def _transpose(model: onnx.ModelProto) -> None:
    behind(model, "delta_nll", helper.make_node("Transpose", ["inner"], ["delta_nll"]))
    _declare(model.graph.output, TensorProto.DOUBLE, [3, "batch"])
