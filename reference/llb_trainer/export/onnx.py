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
from llb_trainer.training.analytic import DAMPING, FLOOR, STEPS, WINDOW
from llb_trainer.training.network import Calibration, ProfileNetwork

__all__ = ["INPUT", "OPSET", "OUTPUT", "SIGMA", "profile_graph"]

INPUT, OUTPUT, SIGMA = "signal", "delta_nll", "sigma"
"""Names of the graph's input, [batch, n_bins] in events, and outputs, [batch, n_curves] in NLL units."""

OPSET = 17
_IR_VERSION = 8

_MEANING = (
    "Input: signal yields in events, one column per bin, never background or total yields. "
    "Output: Delta NLL = -ln L(s) + ln L(0), natural logarithm, profiled over the nuisance parameters, "
    "one column per curve; exactly 0 at zero signal. Where there is a second output, it is one standard "
    "deviation of the error of Delta NLL."
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
    x = graph.add("Div", INPUT, graph.real("scale", network.scale))
    square = graph.add("Mul", x, x)
    psi = _psi(graph, square)
    remainder = graph.add("Mul", psi, _network(graph, network, x, square))
    branches = graph.add("Add", _start(graph, network), remainder)
    members = _lowest(graph, network, branches)
    graph.add("ReduceMean", members, axes=[0], keepdims=0, output=OUTPUT)
    outputs = (OUTPUT,)
    if network.calibration is not None:
        _sigma(graph, network.calibration, members, psi)
        outputs = (OUTPUT, SIGMA)
    model = graph.model(len(network.scale), len(network.curves), outputs)
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

    def split(self, value: str, sizes: Sequence[int], axis: int) -> list[str]:
        """Cut a value into parts of these sizes and return their names."""
        if len(sizes) == 1:
            return [value]
        names = [f"part_{number}" for number in range(len(sizes))]
        lengths = self.integer("part_sizes", sizes)
        self.nodes.append(helper.make_node("Split", [value, lengths], names, name="split", axis=axis))
        return names

    def real(self, name: str, values: ArrayLike) -> str:
        """Add weights in the graph's element type and return their name."""
        return self._constant(name, np.asarray(values, self.dtype))

    def integer(self, name: str, values: Sequence[int]) -> str:
        """Add a shape or axes and return its name."""
        return self._constant(name, np.asarray(values, np.int64))

    def _constant(self, name: str, values: NDArray[np.generic]) -> str:
        self.constants.append(numpy_helper.from_array(np.ascontiguousarray(values), name))
        return name

    def model(self, n_bins: int, n_curves: int, outputs: Sequence[str]) -> ModelProto:
        """The whole."""
        kind = helper.np_dtype_to_tensor_dtype(self.dtype)
        graph = helper.make_graph(
            self.nodes,
            "delta_nll",
            [helper.make_tensor_value_info(INPUT, kind, ["batch", n_bins])],
            [helper.make_tensor_value_info(name, kind, ["batch", n_curves]) for name in outputs],
            self.constants,
            doc_string=_MEANING,
        )
        return helper.make_model(
            graph,
            opset_imports=[helper.make_opsetid("", OPSET)],
            ir_version=_IR_VERSION,
            producer_name="llb",
            doc_string=_MEANING,
        )


def _network(graph: _Graph, network: ProfileNetwork, x: str, square: str) -> str:
    """N_m[k](z(s)), shape (members, batch, branches).

    The weights before each SiLU are halved (which is exact): with h = x/2 the activation
    x * (1 + tanh(x/2)) / 2 is h + h * tanh(h), half the operations.
    """
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
    return hidden


def _psi(graph: _Graph, square: str) -> str:
    """psi = r / (1 + sqrt(1 + r)) with r = |s / scale|^2 / 4, shape (batch, 1)."""
    total = graph.add("ReduceSum", square, graph.integer("bins_axis", [1]), keepdims=1)
    r = graph.add("Mul", total, graph.real("quarter", 0.25))
    root = graph.add("Sqrt", graph.add("Add", r, graph.real("unit", 1.0)))
    return graph.add("Div", r, graph.add("Add", root, "unit"))


def _start(graph: _Graph, network: ProfileNetwork) -> str:
    """offset + gain * analytic + tilt.s, shape (members, batch, branches)."""
    owner = graph.integer("owner", network.branches.owner.tolist())
    known = graph.add("Gather", _analytic(graph, network), owner, axis=1)
    gained = graph.add("Mul", known, graph.real("gain", network.gain[:, None, :]))
    tilted = graph.add("MatMul", INPUT, graph.real("tilt", network.tilt))
    offset = graph.real("offset", network.offset[:, None, :])
    return graph.add("Add", graph.add("Add", gained, tilted), offset)


def _analytic(graph: _Graph, network: ProfileNetwork) -> str:
    """The analytic part, (batch, curves); names and steps as in `llb_trainer.training.analytic`."""
    analytic = network.analytic
    data, rate, linear = (
        graph.real(name, values[:, None, :])
        for name, values in (("data", analytic.data), ("rate", analytic.rate), ("linear", analytic.linear))
    )
    response = graph.real("response", analytic.response)
    # Rounded as the runtime rounds it, so that it is cancelled exactly where there is no signal.
    rounded = analytic.data.astype(graph.dtype) / analytic.rate.astype(graph.dtype)
    pull = graph.real("pull", 1 - rounded[:, None, :])
    one, floor = graph.real("whole", 1.0), graph.real("floor", FLOOR * analytic.rate[:, None, :])
    least, most = graph.real("least", WINDOW[0]), graph.real("most", WINDOW[1])
    signals = graph.add("Unsqueeze", INPUT, graph.integer("curves_axis", [0]))

    def expected(force: str) -> tuple[str, str, str, str]:
        shift = graph.add("MatMul", force, response)
        relative = graph.add("Div", shift, rate)
        growth = graph.add("Exp", graph.add("Clip", relative, least, most))
        nu = graph.add("Add", signals, graph.add("Mul", rate, growth))
        return shift, relative, growth, graph.add("Max", nu, floor)

    force = graph.add("Mul", signals, graph.real("nothing", np.zeros_like(analytic.data)[:, None, :]))
    for step in range(STEPS):
        _, relative, growth, nu = expected(force)
        away = graph.add("Mul", graph.add("Sub", one, graph.add("Div", data, nu)), growth)
        wanted = graph.add("Add", graph.add("Sub", pull, away), relative)
        if step:
            change = graph.add("Mul", graph.real(f"damping_{step}", DAMPING), graph.add("Sub", wanted, force))
            force = graph.add("Add", force, change)
        else:
            force = wanted
    shift, relative, _, nu = expected(force)
    logs = graph.add("Mul", data, graph.add("Log", graph.add("Div", nu, rate)))
    poisson = graph.add(
        "Sub", graph.add("Sub", graph.add("Sub", nu, rate), logs), graph.add("Mul", pull, shift)
    )
    half = graph.add("Mul", graph.add("Sub", force, relative), graph.real("half", 0.5))
    terms = graph.add("Add", poisson, graph.add("Mul", half, shift))
    terms = graph.add("Add", terms, graph.add("Mul", linear, signals))
    total = graph.add("ReduceSum", terms, graph.integer("terms_axis", [2]), keepdims=0)
    return graph.add("Transpose", total, perm=[1, 0])


def _lowest(graph: _Graph, network: ProfileNetwork, branches: str) -> str:
    """The minimum over the branches of each curve, shape (members, batch, curves)."""
    parts = graph.split(branches, network.counts, axis=2)
    lowest = [graph.add("ReduceMin", part, axes=[2], keepdims=1) for part in parts]
    nothing = graph.real("least_asimov", 0.0)
    lowest = [
        graph.add("Max", part, nothing) if asimov else part
        for part, asimov in zip(lowest, network.asimov, strict=True)
    ]
    return graph.add("Concat", *lowest, axis=2) if len(lowest) > 1 else lowest[0]


def _sigma(graph: _Graph, calibration: Calibration, members: str, psi: str) -> None:
    """factor * sqrt(variance + (floor * psi / (1 + psi))^2), shape (batch, curves)."""
    apart = graph.add("Sub", members, OUTPUT)
    variance = graph.add("ReduceMean", graph.add("Mul", apart, apart), axes=[0], keepdims=0)
    away = graph.add("Div", psi, graph.add("Add", psi, "unit"))
    least = graph.add("Mul", away, graph.real("least_spread", calibration.floor))
    spread = graph.add("Sqrt", graph.add("Add", variance, graph.add("Mul", least, least)))
    graph.add("Mul", spread, graph.real("factor", calibration.factor), output=SIGMA)


def _check(network: ProfileNetwork, dtype: str) -> None:
    analytic = network.analytic
    weights = {
        "scale": network.scale,
        "data": analytic.data,
        "rate": analytic.rate,
        "response": analytic.response,
        "linear": analytic.linear,
        "offset": network.offset,
        "gain": network.gain,
        "tilt": network.tilt,
        **{f"kernel_{layer}": kernel for layer, kernel in enumerate(network.kernels)},
        **{f"bias_{layer}": bias for layer, bias in enumerate(network.biases)},
    }
    if network.calibration is not None:
        weights |= {"factor": network.calibration.factor, "floor": network.calibration.floor}
    for name, values in weights.items():
        with np.errstate(over="ignore"):
            finite = np.isfinite(np.asarray(values).astype(dtype)).all()
        if not finite:
            raise FindingError(finding("LLB-T020", f"{name} of the network is not finite", pointer=name))
    starts = np.minimum.reduceat(network.offset, network.branches.first, axis=1)
    for name, lowest in zip(network.curves, starts.T, strict=True):
        if np.any(lowest != 0.0):
            message = f"{name} is {np.abs(lowest).max():g} at zero signal"
            raise FindingError(finding("LLB-T020", message, pointer="offset", expected=0, actual=name))
