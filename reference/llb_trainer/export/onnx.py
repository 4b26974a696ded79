"""The trained network as an ONNX graph with everything inside: events in, Delta NLL out.

Only operators for which widespread runtimes have double-precision CPU kernels are used, and no Sigmoid:
`x * Sigmoid(x)` in double is fused by some releases of onnxruntime into a kernel that does not exist.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray
from onnx import ModelProto, NodeProto, TensorProto, checker, helper, numpy_helper

from llb_schema import FindingError, finding
from llb_trainer.training.network import ProfileNetwork

__all__ = ["INPUT", "OPSET", "OUTPUT", "profile_graph"]

INPUT, OUTPUT = "signal", "delta_nll"
"""Names of the graph's input, [batch, n_bins] in events, and output, [batch, n_curves] in NLL units."""

OPSET = 17
_IR_VERSION = 8

_MEANING = (
    "Input: signal yields in events, one column per bin, never background or total yields. "
    "Output: Delta NLL = -ln L(s) + ln L(0), natural logarithm, profiled over the nuisance parameters, "
    "one column per curve; exactly 0 at zero signal."
)


def profile_graph(
    network: ProfileNetwork,
    dtype: Literal["float64", "float32"] = "float64",
    *,
    bins: Sequence[str] = (),
) -> bytes:
    """The network as a self-contained ONNX file; the same network always gives the same bytes.

    Args:
        network: what was trained.
        dtype: element type of input, output and all arithmetic. In float64 the graph agrees with
            `network(signals)` to rounding.
        bins: ids of the input columns, written into the file's metadata with the names of the curves.

    Returns:
        The bytes of a model of opset 17 and IR version 8. Delta NLL of the zero signal is exactly 0, for
        any number of rows.

    Raises:
        FindingError: LLB-T020 a weight is not finite in `dtype`, or the network is not exactly 0 at zero.
    """
    _check(network, dtype)
    graph = _Graph(np.dtype(dtype))
    ratio = _ratio(graph, network)
    start, phi = _start(graph, network), _phi(graph, network)
    remainder = graph.add("Mul", phi, ratio)
    branches = graph.add("Add", start, remainder)
    members = graph.add("ReduceMin", branches, axes=[3], keepdims=0)
    graph.add("ReduceMean", members, axes=[0], keepdims=0, output=OUTPUT)
    model = graph.model((len(network.scale), len(network.curves)))
    facts = {"llb.curves": ",".join(network.curves), "llb.units": "events; natural -ln L"}
    if bins:
        facts["llb.bins"] = ",".join(bins)
    helper.set_model_props(model, facts)
    checker.check_model(model, full_check=True)
    return model.SerializeToString(deterministic=True)


class _Graph:
    """Nodes and constants as they are added; every value is named after the node that makes it."""

    def __init__(self, dtype: np.dtype[np.floating]) -> None:
        self.dtype = dtype
        self.nodes: list[NodeProto] = []
        self.constants: list[TensorProto] = []

    def add(self, operator: str, *inputs: str, output: str = "", **attributes: Any) -> str:
        """Add a node and return the name of its output."""
        name = output or f"{operator.lower()}_{len(self.nodes)}"
        self.nodes.append(helper.make_node(operator, inputs, [name], name=name, **attributes))
        return name

    def real(self, name: str, values: ArrayLike) -> str:
        """Add weights in the graph's element type and return their name."""
        return self._constant(name, np.asarray(values, self.dtype))

    def integer(self, name: str, values: Sequence[int]) -> str:
        """Add a shape or axes and return its name."""
        return self._constant(name, np.asarray(values, np.int64))

    def _constant(self, name: str, values: NDArray[np.generic]) -> str:
        self.constants.append(numpy_helper.from_array(np.ascontiguousarray(values), name))
        return name

    def model(self, widths: tuple[int, int]) -> ModelProto:
        """The whole, for that many inputs and outputs a row."""
        kind = helper.np_dtype_to_tensor_dtype(self.dtype)
        ends = [
            helper.make_tensor_value_info(name, kind, ["batch", width])
            for name, width in zip((INPUT, OUTPUT), widths, strict=True)
        ]
        graph = helper.make_graph(
            self.nodes, "delta_nll", ends[:1], ends[1:], self.constants, doc_string=_MEANING
        )
        return helper.make_model(
            graph,
            opset_imports=[helper.make_opsetid("", OPSET)],
            ir_version=_IR_VERSION,
            producer_name="llb",
            doc_string=_MEANING,
        )


def _ratio(graph: _Graph, network: ProfileNetwork) -> str:
    """N_m[c,k](z(s)), shape (members, batch, curves, branches).

    The weights before each SiLU are halved (which is exact): with h = x/2 the activation
    x * (1 + tanh(x/2)) / 2 is h + h * tanh(h), half the operations.
    """
    x = graph.add("Div", INPUT, graph.real("scale", network.scale))
    square = graph.add("Mul", x, x)
    root = graph.add("Sqrt", graph.add("Add", square, graph.real("one", 1.0)))
    z = graph.add("Div", x, graph.add("Sqrt", root))
    hidden = graph.add("Unsqueeze", z, graph.integer("members_axis", [0]))
    last = len(network.kernels) - 1
    for layer, (kernel, bias) in enumerate(zip(network.kernels, network.biases, strict=True)):
        factor = 1.0 if layer == last else 0.5
        product = graph.add("MatMul", hidden, graph.real(f"kernel_{layer}", factor * kernel))
        hidden = graph.add("Add", product, graph.real(f"bias_{layer}", factor * bias[:, None, :]))
        if layer < last:
            gate = graph.add("Tanh", hidden)
            hidden = graph.add("Add", hidden, graph.add("Mul", hidden, gate))
    # 0 keeps the size of that dimension, so the shape holds for every batch
    shape = graph.integer("ratio_shape", [0, 0, *network.offset.shape])
    return graph.add("Reshape", hidden, shape)


def _start(graph: _Graph, network: ProfileNetwork) -> str:
    """Value and slope at zero signal, offset[c,k] + slope[c,k].s, shape (batch, curves, branches)."""
    slopes = network.slope.reshape(-1, len(network.scale)).T
    linear = graph.add("MatMul", INPUT, graph.real("slope", slopes))
    shape = graph.integer("start_shape", [0, *network.offset.shape])
    return graph.add("Add", graph.add("Reshape", linear, shape), graph.real("offset", network.offset))


def _phi(graph: _Graph, network: ProfileNetwork) -> str:
    """phi_c = q / (1 + sqrt(1 + q)) with q = |metric_c^T s|^2, shape (batch, curves, 1)."""
    n_curves, n_bins, _ = network.metric.shape
    columns = network.metric.transpose(1, 0, 2).reshape(n_bins, n_curves * n_bins)
    pulls = graph.add("MatMul", INPUT, graph.real("metric", columns))
    shape = graph.integer("pulls_shape", [0, n_curves, n_bins])
    q = graph.add("ReduceSumSquare", graph.add("Reshape", pulls, shape), axes=[2], keepdims=1)
    root = graph.add("Sqrt", graph.add("Add", q, "one"))
    return graph.add("Div", q, graph.add("Add", root, "one"))


def _check(network: ProfileNetwork, dtype: str) -> None:
    weights = {
        "scale": network.scale,
        "offset": network.offset,
        "slope": network.slope,
        "metric": network.metric,
        **{f"kernel_{layer}": kernel for layer, kernel in enumerate(network.kernels)},
        **{f"bias_{layer}": bias for layer, bias in enumerate(network.biases)},
    }
    for name, values in weights.items():
        with np.errstate(over="ignore"):
            finite = np.isfinite(np.asarray(values).astype(dtype)).all()
        if not finite:
            raise FindingError(finding("LLB-T020", f"{name} of the network is not finite", pointer=name))
    lowest = network.offset.min(axis=1)
    if np.any(lowest != 0.0):
        name = network.curves[int(np.argmax(np.abs(lowest)))]
        message = f"{name} is {np.abs(lowest).max():g} at zero signal"
        raise FindingError(finding("LLB-T020", message, pointer="offset", expected=0, actual=name))
