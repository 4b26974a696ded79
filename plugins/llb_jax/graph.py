"""A graph as a JAX function: its nodes run one after the other on whatever JAX traces."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import jax
import numpy as np
from numpy.typing import NDArray
from onnx import ModelProto, helper, numpy_helper

from llb_jax.operators import OPERATORS

__all__ = ["JaxGraph", "read_graph"]


@dataclass(frozen=True)
class _Node:
    operator: str
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    attributes: Mapping[str, Any]


@dataclass(frozen=True, eq=False)
class JaxGraph:
    """A graph of one input.

    Attributes:
        input: name of the input.
        outputs: names of the outputs.
        constants: weights by name.
        nodes: in an order in which they can run.
    """

    input: str
    outputs: tuple[str, ...]
    constants: Mapping[str, NDArray[Any]]
    nodes: tuple[_Node, ...]

    def __call__(self, rows: jax.Array) -> dict[str, jax.Array]:
        """The outputs by name, for rows of the graph's own element type."""
        values: dict[str, Any] = {**self.constants, self.input: rows}
        for node in self.nodes:
            found = OPERATORS[node.operator]([values.get(name) for name in node.inputs], node.attributes)
            several = found if isinstance(found, tuple) else (found,)
            values.update(zip(node.outputs, several, strict=True))
        return {name: values[name] for name in self.outputs}


def read_graph(data: bytes) -> JaxGraph:
    """The graph of an ONNX file that has passed the audit (`llb.runtime.audit_graph`)."""
    graph = ModelProto.FromString(data).graph
    return JaxGraph(
        input=graph.input[0].name,
        outputs=tuple(item.name for item in graph.output),
        constants={item.name: numpy_helper.to_array(item) for item in graph.initializer},
        nodes=tuple(_node(item) for item in graph.node),
    )


def _node(node: Any) -> _Node:
    attributes = {item.name: helper.get_attribute_value(item) for item in node.attribute}
    if "value" in attributes:
        attributes["value"] = np.asarray(numpy_helper.to_array(attributes["value"]))
    if node.op_type == "Split":
        attributes["outputs"] = len(node.output)
    return _Node(node.op_type, tuple(node.input), tuple(node.output), attributes)
