"""A trained regression as ONNX graphs of ln L and its derivatives, with everything inside."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType

from llb_trainer.export.flow.builder import GraphBuilder
from llb_trainer.export.flow.derivative import differentiate
from llb_trainer.regression.function import Regression

__all__ = ["REGRESSION_TENSORS", "regression_graph", "regression_score_graph"]

REGRESSION_TENSORS: Mapping[str, tuple[str, str]] = MappingProxyType(
    {"log_prob": ("theta", "log_prob"), "score": ("theta", "score")}
)
"""Names of input and output, by role."""

_VALUE = "ln L of the parameters, in their physical units, less the manifest's offset."
_SLOPES = "Derivative of ln L by each parameter, in physical units."


def regression_graph(regression: Regression, *, parameters: Sequence[str] = ()) -> bytes:
    """`regression.relative` as an ONNX file: theta [batch, D] to log_prob [batch, 1], float64.

    Args:
        regression: what was trained.
        parameters: names of the columns, for the file's metadata.

    Returns:
        The bytes of a model of opset 17 and IR version 8; the same regression always gives the same.

    Raises:
        FindingError: LLB-T020 a weight is not finite.
    """
    theta, output = REGRESSION_TENSORS["log_prob"]
    graph = GraphBuilder("float64", {theta: regression.columns})
    parabola, remainder = _parts(graph, regression, theta)
    graph.add("Add", parabola, remainder, output=output)
    return graph.data(output, {output: 1}, _VALUE, _facts(parameters))


def regression_score_graph(regression: Regression, *, parameters: Sequence[str] = ()) -> bytes:
    """The derivative of `regression_graph` by theta as an ONNX file: theta to score [batch, D].

    Arguments, result and errors as there.
    """
    theta, output = REGRESSION_TENSORS["score"]
    graph = GraphBuilder("float64", {theta: regression.columns})
    value = graph.add("Add", *_parts(graph, regression, theta))
    graph.add("Identity", differentiate(graph, value, theta), output=output)
    return graph.data(output, {output: regression.columns}, _SLOPES, _facts(parameters))


def _parts(graph: GraphBuilder, regression: Regression, theta: str) -> tuple[str, str]:
    """The parabola and what was learned, (batch, 1) each."""
    known, one = regression.expansion, graph.real(1.0)
    moved = graph.add("Sub", theta, graph.real(known.center[None]))
    x = graph.add("MatMul", moved, graph.real(known.whitening.T))
    square = graph.total(graph.add("Mul", x, x))
    straight = graph.add("MatMul", x, graph.real(known.slope[:, None]))
    parabola = graph.add("Sub", straight, graph.add("Mul", square, graph.real(0.5)))
    # How far beyond the training points; 0 within.
    u = graph.add("Div", square, graph.real(regression.reach**2))
    m = graph.add("Max", graph.add("Sub", u, one), graph.real(0.0))
    far = graph.add("Mul", m, m)
    h = graph.add("Add", graph.add("Div", far, graph.add("Add", m, one)), one)
    p = graph.add("Div", x, graph.add("Sqrt", h))
    each = graph.add("Mul", p, p)
    quarter = graph.add("Mul", graph.total(each), graph.real(0.25))
    psi = graph.add("Sub", graph.add("Sqrt", graph.add("Add", quarter, one)), one)
    z = graph.add("Div", p, graph.add("Sqrt", graph.add("Sqrt", graph.add("Add", each, one))))
    members = [_member(graph, regression, number, z) for number in range(len(regression.kernels[0]))]
    total = graph.add("Sum", *members) if len(members) > 1 else members[0]
    damped = graph.add("Div", graph.add("Mul", psi, total), graph.add("Add", far, one))
    return parabola, graph.add("Mul", damped, graph.real(regression.scale / len(members)))


def _member(graph: GraphBuilder, regression: Regression, number: int, z: str) -> str:
    hidden, last = z, len(regression.kernels) - 1
    half, one = graph.real(0.5), graph.real(1.0)
    for layer, (kernel, bias) in enumerate(zip(regression.kernels, regression.biases, strict=True)):
        hidden = graph.add("Gemm", hidden, graph.real(kernel[number]), graph.real(bias[number]))
        if layer < last:
            root = graph.add("Sqrt", graph.add("Add", graph.add("Mul", hidden, hidden), one))
            hidden = graph.add("Mul", graph.add("Sub", graph.add("Add", hidden, root), one), half)
    return hidden


def _facts(parameters: Sequence[str]) -> dict[str, str]:
    return {"llb.parameters": ",".join(parameters)} if parameters else {}
