"""Nodes and constants of a graph as they are added, in one element type."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray
from onnx import ModelProto, NodeProto, TensorProto, checker, helper, numpy_helper

from llb_schema import FindingError, finding

__all__ = ["OPSET", "Dtype", "GraphBuilder"]

Dtype = Literal["float64", "float32"]

OPSET = 17
_IR_VERSION = 8


class GraphBuilder:
    """A graph in the making; every value is named after the node that makes it, and equal constants are one.

    Args:
        dtype: element type of inputs, outputs and all arithmetic.
        inputs: columns of each input, by its name; the first dimension is the batch.
    """

    def __init__(self, dtype: Dtype, inputs: Mapping[str, int]) -> None:
        self.dtype: np.dtype[np.floating] = np.dtype(dtype)
        self.inputs = dict(inputs)
        self.nodes: list[NodeProto] = []
        self.constants: dict[str, TensorProto] = {}
        self._known: dict[tuple[str, tuple[int, ...], bytes], str] = {}

    def add(self, operator: str, *inputs: str, output: str = "", **attributes: Any) -> str:
        """Add a node and return the name of its output."""
        return self.add_many(operator, inputs, 1, output=output, **attributes)[0]

    def add_many(
        self, operator: str, inputs: Sequence[str], outputs: int, *, output: str = "", **attributes: Any
    ) -> list[str]:
        """Add a node with several outputs and return their names."""
        node = output or f"{operator.lower()}_{len(self.nodes)}"
        names = [node] if outputs == 1 else [f"{node}_{number}" for number in range(outputs)]
        self.nodes.append(helper.make_node(operator, inputs, names, name=node, **attributes))
        return names

    def split(self, value: str, sizes: Sequence[int], axis: int) -> list[str]:
        """Cut a value into parts of these sizes along an axis and return their names."""
        if len(sizes) == 1:
            return [value]
        return self.add_many("Split", [value, self.integer(sizes)], len(sizes), axis=axis)

    def reshape(self, value: str, *shape: int) -> str:
        """The value with another shape behind the batch."""
        return self.add("Reshape", value, self.integer([0, *shape]))

    def total(self, value: str, axis: int = -1) -> str:
        """The sum along an axis, which stays with length 1."""
        return self.add("ReduceSum", value, self.integer([axis]), keepdims=1)

    def real(self, values: ArrayLike) -> str:
        """Add numbers in the graph's element type and return their name.

        Raises:
            FindingError: LLB-T020 one of them is not finite in that type.
        """
        numbers = np.asarray(values, np.float64)
        # What overflows is refused here; a warning would say it twice.
        with np.errstate(over="ignore"):
            weights = numbers.astype(self.dtype)
        if not np.isfinite(weights).all():
            raise FindingError(
                finding("LLB-T020", "a weight of the flow is not finite", actual=self.dtype.name)
            )
        return self.constant(weights)

    def integer(self, values: Sequence[int]) -> str:
        """Add a shape, axes or sizes and return the name."""
        return self.constant(np.asarray(values, np.int64))

    def constant(self, values: NDArray[np.generic]) -> str:
        """Add numbers as they are and return their name."""
        array = np.ascontiguousarray(values).reshape(np.shape(values))
        key = (array.dtype.name, array.shape, array.tobytes())
        if key not in self._known:
            name = f"constant_{len(self.constants)}"
            self._known[key] = name
            self.constants[name] = numpy_helper.from_array(array, name)
        return self._known[key]

    def model(
        self, name: str, outputs: Mapping[str, int | None], meaning: str, facts: Mapping[str, str]
    ) -> ModelProto:
        """The whole, not checked yet.

        Args:
            name: of the graph.
            outputs: columns of each, by its name; None where the shape is left open.
            meaning: for people, in the file.
            facts: metadata of the file.
        """
        kind = helper.np_dtype_to_tensor_dtype(self.dtype)

        def value(called: str, columns: int | None) -> Any:
            return helper.make_tensor_value_info(
                called, kind, None if columns is None else ["batch", columns]
            )

        used = {item for node in self.nodes for item in node.input}
        graph = helper.make_graph(
            self.nodes,
            name,
            [value(*item) for item in self.inputs.items()],
            [value(*item) for item in outputs.items()],
            [tensor for constant, tensor in self.constants.items() if constant in used],
            doc_string=meaning,
        )
        model = helper.make_model(
            graph,
            opset_imports=[helper.make_opsetid("", OPSET)],
            ir_version=_IR_VERSION,
            producer_name="llb",
            doc_string=meaning,
        )
        helper.set_model_props(model, dict(facts))
        return model

    def data(
        self, name: str, outputs: Mapping[str, int | None], meaning: str, facts: Mapping[str, str]
    ) -> bytes:
        """The bytes of the whole, after ONNX has checked it; arguments as for `model`."""
        model = self.model(name, outputs, meaning, facts)
        checker.check_model(model, full_check=True)
        return model.SerializeToString(deterministic=True)
