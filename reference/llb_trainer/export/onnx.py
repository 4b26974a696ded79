"""The trained network as an ONNX graph with everything inside: events in, Delta NLL out.

Only operators for which widespread runtimes have double-precision CPU kernels are used.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray
from onnx import ModelProto, NodeProto, TensorProto, checker, helper, numpy_helper

from llb_schema import FindingError, finding
from llb_trainer.training.analytic import FLOOR, WINDOW, AnalyticProfile
from llb_trainer.training.network import Calibration, ProfileNetwork, pooling

__all__ = ["INPUT", "OPSET", "OUTPUT", "SIGMA", "profile_graph"]

INPUT, OUTPUT, SIGMA = "signal", "delta_nll", "sigma"
"""Names of the graph's input, [batch, n_bins] in events, and outputs, [batch, n_curves] in NLL units."""

OPSET = 17
_IR_VERSION = 8

Floats = NDArray[np.float64]

_MEANING = (
    "Input: signal yields in events, one column per bin, never background or total yields. "
    "Output: Delta NLL = -ln L(s) + ln L(0), natural logarithm, profiled over the nuisance parameters, "
    "one column per curve; exactly 0 at zero signal. Where there is a second output, it is one standard "
    "deviation of the error of Delta NLL."
)


# What overflows is refused where it is added to the graph; a warning on the way would say it twice.
@np.errstate(over="ignore", invalid="ignore")
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
    _check_start(network)
    graph = _Graph(np.dtype(dtype))
    x = graph.add("Div", INPUT, graph.real("scale", network.scale))
    square = graph.add("Mul", x, x)
    quarter, stretch, psi = _psi(graph, square, len(network.scale))
    remainder = graph.add("Mul", _network(graph, network, x, square), psi)
    start, offset = _start(graph, network, psi), graph.real("offset", network.offset[:, None, :])
    members = _lowest(graph, network, graph.add("Sum", remainder, start, offset))
    graph.add("ReduceMean", members, axes=[0], keepdims=0, output=OUTPUT)
    outputs = (OUTPUT,)
    if network.calibration is not None:
        _sigma(graph, network.calibration, members, _away(graph, quarter, stretch), network.n_members)
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
        """Add weights in the graph's element type and return their name.

        Raises:
            FindingError: LLB-T020 one of them is not finite in that type.
        """
        weights = np.asarray(values).astype(self.dtype)
        if not np.isfinite(weights).all():
            raise FindingError(finding("LLB-T020", f"{name} of the network is not finite", pointer=name))
        return self._constant(name, weights)

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
    """N_m[k](z(s)) without its last bias, shape (members, batch, branches).

    The weights before each squareplus are halved (which is exact), and its constant is part of the next bias:
    with h = x/2 the activation (x + sqrt(x^2 + 1) - 1) / 2 is h + sqrt(h^2 + 1/4), two operations less.
    """
    root = graph.add("Sqrt", graph.add("Add", square, graph.real("one", 1.0)))
    hidden = graph.add("Div", x, graph.add("Sqrt", root))
    *kernels, last = network.kernels
    *biases, _ = _biases(network)
    corner = graph.real("corner", 0.25)
    for layer, (kernel, bias) in enumerate(zip(kernels, biases, strict=True)):
        product = graph.add("MatMul", hidden, graph.real(f"kernel_{layer}", 0.5 * kernel))
        half = graph.add("Add", product, graph.real(f"bias_{layer}", 0.5 * bias[:, None, :]))
        root = graph.add("Sqrt", graph.add("Add", graph.add("Mul", half, half), corner))
        hidden = graph.add("Add", half, root)
    return graph.add("MatMul", hidden, graph.real(f"kernel_{len(kernels)}", last))


def _biases(network: ProfileNetwork) -> list[Floats]:
    """(n_members, n_out) of each layer, where those after a squareplus also do its - 1/2."""
    first, *others = network.biases
    return [first] + [
        bias - 0.5 * kernel.sum(axis=1) for kernel, bias in zip(network.kernels[1:], others, strict=True)
    ]


def _psi(graph: _Graph, square: str, n_bins: int) -> tuple[str, str, str]:
    """q = |s / scale|^2 / 4, 1 + psi = sqrt(1 + q), and psi, each of shape (batch, 1)."""
    one = graph.real("unit", [1.0])
    quarter = graph.add("MatMul", square, graph.real("quarter", np.full((n_bins, 1), 0.25)))
    stretch = graph.add("Sqrt", graph.add("Add", quarter, one))
    return quarter, stretch, graph.add("Sub", stretch, one)


def _away(graph: _Graph, quarter: str, stretch: str) -> str:
    """psi / (1 + psi), shape (batch, 1), from what keeps its digits next to zero signal, as psi does not."""
    return graph.add("Div", quarter, graph.add("Add", stretch, graph.add("Mul", stretch, stretch)))


def _start(graph: _Graph, network: ProfileNetwork, psi: str) -> str:
    """gain * analytic + tilt.s + psi * last bias, shape (members, batch, branches), by one product."""
    owner = network.branches.owner
    gain = np.where(np.arange(len(network.curves))[:, None] == owner, network.gain[:, None, :], 0.0)
    # The line that the analytic part adds is one more tilt.
    tilt = network.tilt + network.gain[:, None, :] * network.analytic.linear[owner].T
    parts = graph.add("Concat", INPUT, _analytic(graph, network.analytic), psi, axis=1)
    weights = np.concatenate([tilt, gain, _biases(network)[-1][:, None, :]], axis=1)
    return graph.add("MatMul", parts, graph.real("start", weights))


def _analytic(graph: _Graph, analytic: AnalyticProfile) -> str:
    """The analytic part without its line, (batch, curves); steps as in `llb_trainer.training.analytic`.

    Inside, the batch is the last axis: there are too few bins for loops over them to be fast.
    """
    rate, share = (graph.real(name, getattr(analytic, name)[:, :, None]) for name in ("rate", "share"))
    # Rounded as the runtime rounds it, so that it is cancelled exactly where there is no signal.
    pull = graph.real("pull", 1 - analytic.share.astype(graph.dtype)[:, :, None])
    one, half, floor = graph.real("whole", 1.0), graph.real("half", 0.5), graph.real("floor", FLOOR)
    least, most = graph.real("least", WINDOW[0]), graph.real("most", WINDOW[1])
    give = graph.real("give", analytic.give.mT)
    relative = graph.add("Div", graph.add("Transpose", INPUT, perm=[1, 0]), rate)

    def expected(shift: str) -> tuple[str, str]:
        growth = graph.add("Exp", graph.add("Clip", shift, least, most))
        return growth, graph.add("Max", graph.add("Add", relative, growth), floor)

    def force(shift: str) -> str:
        growth, y = expected(shift)
        away = graph.add("Mul", graph.add("Sub", graph.add("Div", share, y), one), growth)
        return graph.add("Sum", away, shift, pull)

    y = graph.add("Max", graph.add("Add", relative, one), floor)
    first = graph.add("MatMul", give, graph.add("Sub", graph.add("Div", share, y), share))
    second = graph.add("MatMul", give, force(first))
    final = force(graph.add("Mul", graph.add("Add", first, second), half))
    shift = graph.add("MatMul", give, final)
    _, y = expected(shift)
    poisson = graph.add("Sub", graph.add("Sub", y, one), graph.add("Mul", share, graph.add("Log", y)))
    bent = graph.add("Mul", graph.add("Sub", final, shift), half)
    terms = graph.add("Add", poisson, graph.add("Mul", shift, graph.add("Sub", bent, pull)))
    total = graph.add("MatMul", graph.real("events", analytic.rate[:, None, :]), terms)
    total = graph.add("Squeeze", total, graph.integer("terms_axis", [1]))
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


def _sigma(graph: _Graph, calibration: Calibration, members: str, away: str, n_members: int) -> None:
    """sqrt(factor^2 (variance + floor^2 away)) with away = psi / (1 + psi), shape (batch, curves)."""
    square = calibration.factor**2
    apart = graph.add("ReduceSumSquare", graph.add("Sub", members, OUTPUT), axes=[0], keepdims=0)
    pooled = pooling(len(square)) * square / n_members
    variance = graph.add("MatMul", apart, graph.real("factor", pooled))
    least = graph.real("least_spread", square * calibration.floor**2)
    least = graph.add("Mul", away, least)
    graph.add("Sqrt", graph.add("Add", variance, least), output=SIGMA)


def _check_start(network: ProfileNetwork) -> None:
    starts = np.minimum.reduceat(network.offset, network.branches.first, axis=1)
    for name, lowest in zip(network.curves, starts.T, strict=True):
        if np.any(lowest != 0.0):
            message = f"{name} is {np.abs(lowest).max():g} at zero signal"
            raise FindingError(finding("LLB-T020", message, pointer="offset", expected=0, actual=name))
