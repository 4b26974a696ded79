"""ONNX graphs node by node, with another graph's nodes taken in under names of their own."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import onnx
from numpy.typing import ArrayLike, NDArray
from onnx import GraphProto, ModelProto, NodeProto, helper, numpy_helper

__all__ = ["IR_VERSION", "GraphBuilder"]

IR_VERSION = 8
"""The lowest that GRAPH-4 allows: the most runtimes read it, whatever opset comes with it."""


class GraphBuilder:
    """A graph that grows; every method that adds to it returns the name of the tensor that comes out."""

    def __init__(self, prefix: str = "llb") -> None:
        self._prefix = prefix
        self._nodes: list[NodeProto] = []
        self._constants: dict[str, NDArray[Any]] = {}
        self._initializers: list[onnx.TensorProto] = []
        self._count = 0

    @property
    def nodes(self) -> tuple[NodeProto, ...]:
        """The nodes so far, in the order in which they run."""
        return tuple(self._nodes)

    @property
    def initializers(self) -> tuple[onnx.TensorProto, ...]:
        """The constants so far."""
        own = (numpy_helper.from_array(value, name) for name, value in self._constants.items())
        return (*self._initializers, *own)

    def constant(self, value: ArrayLike, dtype: type[np.generic] = np.float64) -> str:
        """A constant tensor."""
        name = self._name("constant")
        # from_array wants memory in order.
        self._constants[name] = np.ascontiguousarray(np.asarray(value, dtype)).reshape(np.shape(value))
        return name

    def add(self, operator: str, *inputs: str, name: str = "", **attributes: Any) -> str:
        """A node with one output, called `name` or by a name of its own."""
        output = name or self._name(operator.lower())
        self._nodes.append(helper.make_node(operator, list(inputs), [output], **attributes))
        return output

    def cast(self, value: str, dtype: np.dtype[Any], *, name: str = "") -> str:
        """The tensor as another element type."""
        return self.add("Cast", value, name=name, to=helper.np_dtype_to_tensor_dtype(dtype))

    def columns(self, value: str, wanted: Sequence[int]) -> str:
        """These columns of a (batch, width) tensor, in this order."""
        return self.add("Gather", value, self.constant(list(wanted), np.int64), axis=1)

    def include(self, graph: GraphProto, feeds: Mapping[str, str], label: str) -> dict[str, str]:
        """Takes in the nodes and constants of another graph.

        Args:
            graph: the other one.
            feeds: the tensor here that each of its inputs is.
            label: goes before its own names, which may be those of tensors here.

        Returns:
            Name here of each of its tensors, outputs included.
        """
        # An optional input that is left out is "", which stays.
        names = {"": "", **feeds}

        def renamed(name: str) -> str:
            return names.setdefault(name, f"{label}/{name}")

        for tensor in graph.initializer:
            copied = onnx.TensorProto()
            copied.CopyFrom(tensor)
            copied.name = renamed(tensor.name)
            self._initializers.append(copied)
        for node in graph.node:
            copy = NodeProto()
            copy.CopyFrom(node)
            copy.name = f"{label}/{node.name}" if node.name else ""
            copy.input[:] = [renamed(name) for name in node.input]
            copy.output[:] = [renamed(name) for name in node.output]
            self._nodes.append(copy)
        return names

    def model(
        self,
        title: str,
        source: tuple[str, np.dtype[Any], int],
        outputs: Sequence[tuple[str, np.dtype[Any], int]],
        opset: int,
    ) -> ModelProto:
        """The model: one input and some outputs, each a name, an element type and a number of columns."""

        def value(name: str, dtype: np.dtype[Any], width: int) -> onnx.ValueInfoProto:
            kind = helper.np_dtype_to_tensor_dtype(dtype)
            return helper.make_tensor_value_info(name, kind, ["batch", width])

        graph = helper.make_graph(
            list(self.nodes),
            title,
            [value(*source)],
            [value(*item) for item in outputs],
            list(self.initializers),
        )
        return helper.make_model(
            graph,
            producer_name="llb",
            opset_imports=[helper.make_opsetid("", opset)],
            ir_version=IR_VERSION,
        )

    def _name(self, what: str) -> str:
        self._count += 1
        return f"{self._prefix}_{what}_{self._count}"
