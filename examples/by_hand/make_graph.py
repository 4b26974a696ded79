"""Writes the graph of the tutorial with plain onnx: Delta NLL = sum s - sum n ln(1 + s/b), for two data sets.

python make_graph.py TARGET
"""

import sys

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

background = np.array([4.0, 2.0])
# One column a curve: the observed events, and the Asimov data, which are the background.
events = np.array([[5.0, 4.0], [1.0, 2.0]])

nodes = [
    helper.make_node("Div", ["signal", "background"], ["ratio"]),
    helper.make_node("Add", ["ratio", "one"], ["total"]),
    # ln(1) is exactly 0, and so is every number that follows from it: NUMERICS-2 asks for that.
    helper.make_node("Log", ["total"], ["log"]),
    helper.make_node("MatMul", ["log", "events"], ["gain"]),
    helper.make_node("MatMul", ["signal", "ones"], ["cost"]),
    helper.make_node("Sub", ["cost", "gain"], ["delta_nll"]),
]
constants = {
    "background": background,
    "one": np.array(1.0),
    "events": events,
    "ones": np.ones((2, 2)),
}
graph = helper.make_graph(
    nodes,
    "two_bins",
    inputs=[helper.make_tensor_value_info("signal", TensorProto.DOUBLE, ["batch", 2])],
    outputs=[helper.make_tensor_value_info("delta_nll", TensorProto.DOUBLE, ["batch", 2])],
    initializer=[numpy_helper.from_array(value, name) for name, value in constants.items()],
)
# GRAPH-4: one opset of ai.onnx, which ONNX also writes as "", and an IR version from 8 to 10.
model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
onnx.checker.check_model(model, full_check=True)
onnx.save(model, sys.argv[1])
