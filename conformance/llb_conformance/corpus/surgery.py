"""Changes to the graph of the good bundle: nodes put behind an output, constants added or rewritten."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import onnx
from onnx import helper, numpy_helper

from llb_conformance.corpus.case import Build, Case, case
from llb_conformance.corpus.draft import GRAPH, faulty

__all__ = ["behind", "graph_fault", "rewrite", "unused", "with_constants", "wrong"]


def graph_fault(change: Callable[[onnx.ModelProto], Any]) -> Build:
    """The good bundle with its graph changed and sealed."""
    return faulty(lambda draft: draft.change_graph(change))


def behind(model: onnx.ModelProto, output: str, *nodes: onnx.NodeProto) -> None:
    """Puts nodes behind an output of the graph: they read it as `inner` and have to write it anew."""
    for node in model.graph.node:
        node.output[:] = ["inner" if name == output else name for name in node.output]
    model.graph.node.extend(nodes)


def with_constants(model: onnx.ModelProto, **values: Any) -> None:
    """Adds constants to the graph by name, in double precision unless they are whole numbers."""
    for name, value in values.items():
        model.graph.initializer.append(numpy_helper.from_array(np.array(value), name))


def rewrite(model: onnx.ModelProto, name: str, change: Callable[[Any], Any]) -> None:
    """Changes a constant of the graph."""
    tensor = next(item for item in model.graph.initializer if item.name == name)
    value = np.ascontiguousarray(change(numpy_helper.to_array(tensor)))
    tensor.CopyFrom(numpy_helper.from_array(value, name))


def unused(model: onnx.ModelProto, **attributes: Any) -> None:
    """Adds a constant that nothing depends on: what is wrong with it shows in no number."""
    model.graph.node.append(helper.make_node("Constant", [], ["unused"], **attributes))


def wrong(
    name: str, code: str, fault: Callable[[onnx.ModelProto], Any], requirement: str = "", note: str = ""
) -> Case:
    """A case of stage `graph`: the good bundle with something wrong in its graph."""
    build = graph_fault(fault)
    return case(f"graph-{name}", "graph", code, GRAPH, build, requirement=requirement, note=note)
