"""Operators that bundles do not have, rewritten: the same function to the last digits of a float32."""

from __future__ import annotations

import math

import numpy as np
import onnx
import pytest
from numpy.typing import NDArray
from olll_files import run
from onnx import TensorProto, helper

from llb.interop.portable import ERF_RANGE, REWRITTEN, erf_coefficients, portable
from llb.runtime import audit_graph

Array = NDArray[np.float64]
ROWS = np.concatenate([np.linspace(-12.0, 12.0, 4001), [-90.0, -1e-8, 0.0, 1e-8, 90.0]])[:, np.newaxis]


def operator(name: str, opset: int = 20, **attributes: float | str) -> onnx.ModelProto:
    graph = helper.make_graph(
        [helper.make_node(name, ["features"], ["y"], **attributes)],
        "one",
        [helper.make_tensor_value_info("features", TensorProto.FLOAT, ["batch", 1])],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, ["batch", 1])],
    )
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", opset)], ir_version=9)


CASES = [
    operator("Erf"),
    operator("Softplus"),
    operator("Elu"),
    operator("Elu", alpha=0.3),
    operator("LeakyRelu"),
    operator("LeakyRelu", alpha=0.2),
    operator("Gelu"),
    operator("Gelu", approximate="tanh"),
]


@pytest.mark.parametrize("model", CASES, ids=[str(model.graph.node[0].op_type) for model in CASES])
def test_the_function_stays(model: onnx.ModelProto) -> None:
    before = [item.code for item in audit_graph(model.SerializeToString())]
    assert before == ["LLB-G003"]
    rewritten = onnx.ModelProto()
    rewritten.CopyFrom(model)
    rewritten.graph.CopyFrom(portable(model.graph, np.dtype(np.float32)))
    assert audit_graph(rewritten.SerializeToString()) == ()
    # Some steps of a float32, which onnxruntime's own approximations take: of GELU the most.
    atol = 1e-6 if model.graph.node[0].op_type == "Gelu" else 2.5e-7
    np.testing.assert_allclose(run(rewritten, ROWS), run(model, ROWS), rtol=5e-7, atol=atol)


def test_all_rewritten_operators_are_tried() -> None:
    assert {model.graph.node[0].op_type for model in CASES} == REWRITTEN


def test_erf_is_exact() -> None:
    x = np.linspace(-ERF_RANGE, ERF_RANGE, 2001)
    got = x * np.polyval(erf_coefficients(), 2.0 * (x / ERF_RANGE) ** 2 - 1.0)
    np.testing.assert_allclose(got, [math.erf(value) for value in x], atol=1e-9)
    assert math.erfc(ERF_RANGE) < 1e-9


def test_softplus_keeps_tiny_sigmas() -> None:
    model = operator("Softplus", 17)
    rewritten = onnx.ModelProto()
    rewritten.CopyFrom(model)
    rewritten.graph.CopyFrom(portable(model.graph, np.dtype(np.float32)))
    x = np.array([[-60.0], [-36.5], [-30.0], [-3.0]])
    np.testing.assert_allclose(run(rewritten, x), np.log1p(np.exp(x)), rtol=1e-6)


def test_the_network_itself_is_left_alone() -> None:
    model = operator("Erf")
    before = model.SerializeToString()
    portable(model.graph, np.dtype(np.float32))
    assert model.SerializeToString() == before
