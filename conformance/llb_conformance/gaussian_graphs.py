"""The graphs of an analytic density: its logarithm, its samples and its score, with plain onnx.helper."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import onnx
from numpy.typing import ArrayLike
from onnx import helper, numpy_helper

from llb_conformance.gaussian import TINY, GaussianModel

__all__ = ["DENSITY_OPSET", "gaussian_graphs"]

DENSITY_OPSET = 17
IR_VERSION = 8
# The smallest normal number of single precision is 1.2e-38.
_TINY = {"float64": TINY, "float32": 1e-37}


class _Builder:
    """Nodes and constants of one graph, by name; tensors of a column have shape [batch, 1]."""

    def __init__(self, model: GaussianModel) -> None:
        self.model = model
        self.dtype = np.dtype(model.dtype)
        self.nodes: list[onnx.NodeProto] = []
        self.constants: dict[str, np.ndarray] = {}

    def constant(self, name: str, value: ArrayLike, dtype: str | None = None) -> str:
        self.constants[name] = np.asarray(value, dtype=self.dtype if dtype is None else dtype)
        return name

    def node(self, operator: str, inputs: Sequence[str], output: str, **attributes: int) -> str:
        # Apart from the call, whose own arguments have texts as values.
        made = helper.make_node(operator, list(inputs), [output], name=output)
        made.attribute.extend(helper.make_attribute(key, value) for key, value in attributes.items())
        self.nodes.append(made)
        return output

    def column(self, source: str, column: int) -> str:
        index = self.constant(f"column_{column}", [column], "int64")
        return self.node("Gather", [source, index], f"{source}_{column}", axis=1)

    def positive_log(self, source: str) -> str:
        tiny = self.constant("tiny", _TINY[self.model.dtype])
        self.node("Max", [source, tiny], f"{source}_positive")
        return self.node("Log", [f"{source}_positive"], f"{source}_log")

    def centre(self) -> str:
        """The mean of y: a constant row, or one row for each row of conditions."""
        mean = self.constant("mean", self.model.mean)
        if not self.model.conditions:
            return mean
        self.node("MatMul", ["condition", self.constant("shift", self.model.shift)], "shifted")
        return self.node("Add", ["shifted", mean], "centre")

    def proto(self, name: str, inputs: Mapping[str, int], output: str, width: int) -> onnx.ModelProto:
        kind = helper.np_dtype_to_tensor_dtype(self.dtype)
        graph = helper.make_graph(
            self.nodes,
            name,
            [helper.make_tensor_value_info(key, kind, ["batch", size]) for key, size in inputs.items()],
            [helper.make_tensor_value_info(output, kind, ["batch", width])],
            [numpy_helper.from_array(value, key) for key, value in self.constants.items()],
        )
        opset = helper.make_opsetid("", DENSITY_OPSET)
        made = helper.make_model(graph, opset_imports=[opset], ir_version=IR_VERSION)
        onnx.checker.check_model(made, full_check=True)
        return made


def gaussian_graphs(model: GaussianModel) -> dict[str, onnx.ModelProto]:
    """The graphs of the model's family, by role."""
    graphs = {"log_prob": _log_prob(model), "score": _score(model)}
    return graphs if model.family == "parameter_likelihood" else graphs | {"sample": _sample(model)}


def _inputs(model: GaussianModel, name: str) -> dict[str, int]:
    return {name: len(model.names)} | ({"condition": len(model.conditions)} if model.conditions else {})


def _base(build: _Builder) -> None:
    """The tensors `bends`, ln |dy/dtheta| by column, and `z`."""
    bases: list[str] = []
    bends: list[str] = []
    for column, item in enumerate(build.model.parameters):
        theta = build.column("theta", column)
        if item.kind == "normal":
            bases.append(theta)
            build.constant("zero", 0.0)
            bends.append(build.node("Mul", [theta, "zero"], f"bend_{column}"))
        elif item.kind == "lognormal":
            bases.append(build.positive_log(theta))
            bends.append(build.node("Neg", [bases[-1]], f"bend_{column}"))
        else:
            edges = (
                build.constant(f"lower_{column}", item.lower),
                build.constant(f"upper_{column}", item.upper),
            )
            below = build.positive_log(build.node("Sub", [theta, edges[0]], f"below_{column}"))
            above = build.positive_log(build.node("Sub", [edges[1], theta], f"above_{column}"))
            bases.append(build.node("Sub", [below, above], f"base_{column}"))
            width = build.constant(f"log_width_{column}", np.log(item.upper - item.lower))
            both = build.node("Add", [below, above], f"logs_{column}")
            bends.append(build.node("Sub", [width, both], f"bend_{column}"))
    build.node("Concat", bases, "y", axis=1)
    build.node("Concat", bends, "bends", axis=1)
    build.node("Sub", ["y", build.centre()], "pulls")
    build.node("MatMul", ["pulls", build.constant("inverse_root", build.model.inverse_root.T)], "z")


def _log_prob(model: GaussianModel) -> onnx.ModelProto:
    build = _Builder(model)
    _base(build)
    axes = build.constant("axes", [1], "int64")
    build.node("Mul", ["z", "z"], "squares")
    build.node("Mul", ["squares", build.constant("half", -0.5)], "terms")
    build.node("Add", ["terms", "bends"], "parts")
    build.node("ReduceSum", ["parts", axes], "sum", keepdims=1)
    constant = model.log_norm + model.evidence - model.offset
    build.node("Add", ["sum", build.constant("constant", constant)], "log_prob")
    return build.proto("log_prob", _inputs(model, "theta"), "log_prob", 1)


def _score(model: GaussianModel) -> onnx.ModelProto:
    build = _Builder(model)
    _base(build)
    build.node("MatMul", ["z", build.constant("back", -model.inverse_root)], "by_base")
    build.node("Exp", ["bends"], "slopes")
    build.node("Mul", ["by_base", "slopes"], "through")
    own: list[str] = []
    for column, item in enumerate(model.parameters):
        theta = f"theta_{column}"
        if item.kind == "normal":
            own.append(f"bend_{column}")
        elif item.kind == "lognormal":
            build.node("Reciprocal", [theta], f"inverse_{column}")
            own.append(build.node("Neg", [f"inverse_{column}"], f"own_{column}"))
        else:
            build.node("Reciprocal", [f"above_{column}"], f"from_above_{column}")
            build.node("Reciprocal", [f"below_{column}"], f"from_below_{column}")
            own.append(build.node("Sub", [f"from_above_{column}", f"from_below_{column}"], f"own_{column}"))
    build.node("Concat", own, "own", axis=1)
    build.node("Add", ["through", "own"], "score")
    return build.proto("score", _inputs(model, "theta"), "score", len(model.names))


def _sample(model: GaussianModel) -> onnx.ModelProto:
    build = _Builder(model)
    build.node("MatMul", ["z", build.constant("root", model.root.T)], "pulls")
    build.node("Add", ["pulls", build.centre()], "y")
    columns: list[str] = []
    for column, item in enumerate(model.parameters):
        base = build.column("y", column)
        if item.kind == "normal":
            columns.append(base)
        elif item.kind == "lognormal":
            columns.append(build.node("Exp", [base], f"exp_{column}"))
        else:
            build.node("Sigmoid", [base], f"part_{column}")
            width = build.constant(f"width_{column}", item.upper - item.lower)
            build.node("Mul", [f"part_{column}", width], f"length_{column}")
            edge = build.constant(f"lower_{column}", item.lower)
            columns.append(build.node("Add", [f"length_{column}", edge], f"theta_{column}"))
    build.node("Concat", columns, "theta", axis=1)
    return build.proto("sample", _inputs(model, "z"), "theta", len(model.names))
