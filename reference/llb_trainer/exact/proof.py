"""When a number is proven: it lies at a label, and that label is a proven minimum."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from llb.runtime.asymptotics import log_cls_expected, log_cls_observed
from llb_trainer.exact.nodes import Nodes
from llb_trainer.exact.numbers import Number

__all__ = ["RELATIVE", "Status", "cls_status", "given_up", "place_status"]

RELATIVE = 1e-5
"""How near a label a limit must be, relative to itself."""


@dataclass(frozen=True)
class Status:
    """How far one number has come.

    Attributes:
        value: the number, as the labels so far have it.
        ask: strengths at which the next labels are wanted; none once it is settled.
        precision: of a number that is proven, see `ExactLimits.precision`.
        reason: why a settled number is no finite one, or "".
    """

    value: float
    ask: tuple[float, ...] = ()
    precision: float = np.nan
    reason: str = ""


def place_status(
    nodes: Nodes,
    columns: Sequence[int],
    value: float,
    unit: float,
    *,
    tolerance: float,
    farthest: float,
    stride: float,
    halve: bool,
) -> Status:
    """Of a number that is a place on the ray: a limit, or the best fit.

    Args:
        nodes: the labels so far.
        columns: of the curves that it needs.
        value: where it seems to be.
        unit: what its precision is a share of.
        tolerance: how far a label may be, as a share of `unit`.
        farthest: where a limit is looked for no more.
        stride: how much farther than all labels to look at once.
        halve: whether to ask in the middle between its neighbours, too.
    """
    edge = float(nodes.mu[-1])
    if not edge:
        return Status(value, precision=0.0) if np.isfinite(value) else Status(value, reason="no signal")
    if value > edge:
        if edge >= farthest:
            return Status(np.inf, reason=f"not excluded up to mu = {edge:.3g}")
        return Status(value, ask=(min(value, stride * edge),))
    distance = nodes.distance(value, columns, proven=True)
    if distance <= tolerance * unit:
        return Status(value, precision=distance / unit)
    if nodes.distance(value, columns, proven=False) <= tolerance * unit:
        return Status(np.nan, reason=f"the minimum at mu = {value:.6g} is not proven")
    middle = 0.5 * sum(nodes.around(value, columns)) if halve else value
    return Status(value, ask=(value, middle) if np.isfinite(middle) and middle != value else (value,))


def cls_status(nodes: Nodes, columns: Sequence[int], number: Number, value: float, lowest: float) -> Status:
    """Of a CLs at mu = 1, where there is a label.

    Args:
        nodes: the labels.
        columns: of the curves that it needs, `observed` first if there are two.
        number: which.
        value: of the CLs.
        lowest: Delta NLL of the observed best fit.
    """
    at = nodes.at(1.0)
    if at is None:
        return Status(value, precision=0.0)
    if not nodes.proven[at, list(columns)].all():
        return Status(np.nan, reason="the minimum at mu = 1 is not proven")

    def log_cls(delta: float, asimov: float) -> float:
        q_asimov = 2.0 * max(asimov, 0.0)
        if number.n_sigma is not None:
            return float(log_cls_expected(q_asimov, number.n_sigma))
        return float(log_cls_observed(2.0 * max(delta - lowest, 0.0), q_asimov))

    delta, asimov = (float(x) for x in nodes.value[at, [columns[0], columns[-1]]])
    edm, edm_asimov = (float(x) for x in nodes.edm[at, [columns[0], columns[-1]]])
    exact = log_cls(delta, asimov)
    change = abs(log_cls(delta - edm, asimov) - exact) + abs(log_cls(delta, asimov - edm_asimov) - exact)
    return Status(value, precision=change)


def given_up(status: Status, rounds: int) -> Status:
    """The same after the last round: what is not proven by then is no number."""
    if not status.ask:
        return status
    return replace(status, value=np.nan, ask=(), reason=f"not found in {rounds} rounds")
