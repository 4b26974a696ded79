"""A graph is run only once the audit has found nothing: one that would never end is refused at once."""

from __future__ import annotations

from pathlib import Path

import bundles
import onnx
import pytest
from onnx import helper

from llb.bundle import BundleFile
from llb.validation import validate


@pytest.mark.requirement("SECURITY-1")
def test_a_graph_that_is_not_allowed_is_never_run(tmp_path: Path) -> None:
    # It would loop for ever; a loop is a subgraph, which GRAPH-6 does not allow.
    kind = onnx.TensorProto
    body = helper.make_graph(
        [
            helper.make_node("Identity", ["going"], ["go_on"]),
            helper.make_node("Identity", ["last"], ["next"]),
        ],
        "body",
        [
            helper.make_tensor_value_info("turn", kind.INT64, []),
            helper.make_tensor_value_info("going", kind.BOOL, []),
            helper.make_tensor_value_info("last", kind.DOUBLE, ["batch", 3]),
        ],
        [
            helper.make_tensor_value_info("go_on", kind.BOOL, []),
            helper.make_tensor_value_info("next", kind.DOUBLE, ["batch", 3]),
        ],
    )
    constants = [helper.make_tensor("yes", kind.BOOL, [], [True])]
    graph = helper.make_graph(
        [helper.make_node("Loop", ["", "yes", bundles.INPUT], [bundles.OUTPUT], body=body)],
        "endless",
        [helper.make_tensor_value_info(bundles.INPUT, kind.DOUBLE, ["batch", 3])],
        [helper.make_tensor_value_info(bundles.OUTPUT, kind.DOUBLE, ["batch", 3])],
        constants,
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    file = BundleFile(model.SerializeToString(), "graph", "application/octet-stream")
    report = validate(bundles.write(tmp_path / "x.llb", replace={bundles.GRAPH: file}))
    assert report.level == 3
    assert {"LLB-G003", "LLB-G007"} <= {item.code for item in report.findings}
