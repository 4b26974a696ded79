"""Other graphs in an analytic bundle, for curves that are no parabolas."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

__all__ = ["graph", "poisson_graph", "replace_graph"]


def graph(
    nodes: list[onnx.NodeProto], constants: dict[str, NDArray[np.generic]], width: int, curves: int
) -> onnx.ModelProto:
    """A float64 model from `signal` to `delta_nll` made of the given nodes."""
    made = helper.make_graph(
        nodes,
        "test",
        [helper.make_tensor_value_info("signal", TensorProto.DOUBLE, ["batch", width])],
        [helper.make_tensor_value_info("delta_nll", TensorProto.DOUBLE, ["batch", curves])],
        [numpy_helper.from_array(value, name) for name, value in constants.items()],
    )
    return helper.make_model(made, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)


def poisson_graph(data: list[float], rate: float) -> onnx.ModelProto:
    """One bin: s - n ln(1 + s/b), one column for each n; NaN for s < -b."""
    nodes = [
        helper.make_node("Div", ["signal", "rate"], ["ratio"]),
        helper.make_node("Add", ["ratio", "one"], ["total"]),
        helper.make_node("Log", ["total"], ["log"]),
        helper.make_node("MatMul", ["log", "data"], ["weighted"]),
        helper.make_node("Sub", ["signal", "weighted"], ["delta_nll"]),
    ]
    constants = {"rate": np.array([[rate]]), "one": np.array([[1.0]]), "data": np.array([data])}
    return graph(nodes, constants, 1, len(data))


def replace_graph(bundle: Path, model: onnx.ModelProto, **changes: object) -> Path:
    """Puts a graph (and other top-level keys of the manifest) into a bundle and corrects its digest."""
    onnx.checker.check_model(model, full_check=True)
    data = model.SerializeToString(deterministic=True)
    (bundle / "graphs/delta_nll.onnx").write_bytes(data)
    manifest = json.loads((bundle / "manifest.json").read_text())
    for entry in manifest["files"]:
        if entry["role"] == "graph":
            entry |= {"bytes": len(data), "sha256": hashlib.sha256(data).hexdigest()}
    (bundle / "manifest.json").write_text(json.dumps(manifest | changes))
    return bundle
