"""A trained flow as ONNX graphs of the roles of a density, with everything inside, in physical units."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType

import numpy as np

from llb_trainer.export.flow.builder import Dtype, GraphBuilder
from llb_trainer.export.flow.derivative import differentiate
from llb_trainer.export.flow.networks import backwards, forwards
from llb_trainer.export.flow.units import inside_rows, physical, standard
from llb_trainer.flows.flow import Flow

__all__ = [
    "CONDITION",
    "LOG_PROB",
    "SAMPLE",
    "SCORE",
    "TENSORS",
    "log_prob_graph",
    "sample_graph",
    "score_graph",
]

LOG_PROB, SAMPLE, SCORE = ("theta", "log_prob"), ("z", "theta"), ("theta", "score")
"""Names of the first input, [batch, D], and of the output, [batch, D] or, of `log_prob`, [batch, 1]."""

TENSORS: Mapping[str, tuple[str, str]] = MappingProxyType(
    {"log_prob": LOG_PROB, "sample": SAMPLE, "score": SCORE}
)
"""The same by role."""

CONDITION = "condition"
"""Name of the second input, [batch, conditions], of a conditional density."""

_DENSITY = (
    "ln of the density of the parameters, in their physical units, with all Jacobians; minus infinity "
    "outside of their bounds, NaN where an input is NaN."
)
_DRAWS = (
    "Parameters in physical units from base noise z: independent standard normal columns give independent "
    "draws."
)
_SLOPES = (
    "Derivative of ln of the density by each parameter, in physical units; 0 outside of the bounds, NaN "
    "where an input is NaN."
)


def log_prob_graph(flow: Flow, dtype: Dtype = "float64", *, parameters: Sequence[str] = ()) -> bytes:
    """The density as an ONNX file: theta [batch, D] (and condition) to log_prob [batch, 1].

    In float64 it agrees with `flow.log_prob` to rounding. On a bound the density is that next to it, so that
    the whole box is finite; beyond it is minus infinity (DENSITY-2). NaN gives NaN, infinity minus infinity.

    Args:
        flow: what was trained.
        dtype: element type of inputs, output and all arithmetic.
        parameters: names of the columns, for the file's metadata.

    Returns:
        The bytes of a model of opset 17 and IR version 8; the same flow always gives the same.

    Raises:
        FindingError: LLB-T020 a weight is not finite in `dtype`.
    """
    graph, (theta, output) = _started(flow, dtype, LOG_PROB), LOG_PROB
    inside, found = _log_prob(graph, flow, theta)
    found = graph.add("Where", inside, found, graph.constant(np.full((1, 1), -np.inf, graph.dtype)))
    graph.add("Add", found, _nan(graph), output=output)
    return graph.data(output, {output: 1}, _DENSITY, _facts(parameters))


def score_graph(flow: Flow, dtype: Dtype = "float64", *, parameters: Sequence[str] = ()) -> bytes:
    """The derivative of `log_prob_graph` by theta as an ONNX file: theta (and condition) to score.

    Outside of the bounds it is 0. Arguments, result and errors as there.
    """
    graph, (theta, output) = _started(flow, dtype, SCORE), SCORE
    _, found = _log_prob(graph, flow, theta)
    graph.add("Add", differentiate(graph, found, theta), _nan(graph), output=output)
    return graph.data(output, {output: flow.layout.columns}, _SLOPES, _facts(parameters))


def sample_graph(flow: Flow, dtype: Dtype = "float64", *, parameters: Sequence[str] = ()) -> bytes:
    """The sampler as an ONNX file: z [batch, D] (and condition) to theta [batch, D].

    Columns follow each other without a loop, which is not on the allow-list; a sample takes as many
    multiplications as its density. Arguments, result and errors as for `log_prob_graph`, `parameters` being
    the output's.
    """
    graph, (x, output) = _started(flow, dtype, SAMPLE), SAMPLE
    condition = _condition(graph, flow)
    for number in reversed(range(len(flow.networks))):
        x = backwards(graph, flow, number, x, condition)
    n = len(flow.whitening)
    unwhitening = np.linalg.solve(flow.whitening, np.eye(n))
    theta = physical(graph, flow.units, graph.add("MatMul", x, graph.real(unwhitening.T)))
    graph.add("Add", theta, _nan(graph), output=output)
    return graph.data("sample", {output: n}, _DRAWS, _facts(parameters))


def _log_prob(graph: GraphBuilder, flow: Flow, theta: str) -> tuple[str, str]:
    """Whether rows are inside, and ln p, (batch, 1) both; where they are not, that of a point inside."""
    n = flow.layout.columns
    inside = inside_rows(graph, flow.units, theta)
    somewhere = graph.real(flow.units.physical(np.zeros((1, n))))
    points = graph.add("Where", inside, theta, somewhere)
    x, terms, constant = standard(graph, flow.units, points)
    x = graph.add("MatMul", x, graph.real(flow.whitening.T))
    condition = _condition(graph, flow)
    for number in range(len(flow.networks)):
        x, more = forwards(graph, flow, number, x, condition)
        terms += more
    terms.append(graph.add("Mul", graph.add("Mul", x, x), graph.real(-0.5)))
    every = graph.add("Sum", *terms) if len(terms) > 1 else terms[0]
    constant += float(np.sum(np.log(np.diag(flow.whitening)))) - 0.5 * n * np.log(2.0 * np.pi)
    return inside, graph.add("Add", graph.total(every), graph.real([[constant]]))


def _started(flow: Flow, dtype: Dtype, names: tuple[str, str]) -> GraphBuilder:
    inputs = {names[0]: flow.layout.columns}
    if flow.layout.conditions:
        inputs[CONDITION] = flow.layout.conditions
    return GraphBuilder(dtype, inputs)


def _condition(graph: GraphBuilder, flow: Flow) -> str:
    """The standardised condition, or "" without one."""
    if not flow.layout.conditions:
        return ""
    moved = graph.add("Sub", CONDITION, graph.real(flow.condition_shift[None, :]))
    return graph.add("Div", moved, graph.real(flow.condition_scale[None, :]))


def _nan(graph: GraphBuilder) -> str:
    """0, or NaN in rows with NaN in an input, (batch, 1): comparisons and limits on the way may lose it."""
    zero = graph.real(0.0)
    flags = [
        graph.total(graph.add("Where", graph.add("Equal", name, name), zero, name)) for name in graph.inputs
    ]
    return graph.add("Sum", *flags) if len(flags) > 1 else flags[0]


def _facts(parameters: Sequence[str]) -> dict[str, str]:
    return {"llb.parameters": ",".join(parameters)} if parameters else {}
