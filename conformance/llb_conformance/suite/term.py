"""A term of Delta NLL in which one operator of the list works: nodes of a graph, and the same in numpy."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import helper

__all__ = ["WEIGHTS", "Row", "Term", "op"]

Array = NDArray[np.float64]
Row = tuple[str, str, str, Mapping[str, Any]]

WEIGHTS = np.array([0.02, 0.03, -0.01, 0.015])
"""Of the yields, in sums of them."""


@dataclass(frozen=True)
class Term:
    """A term, 0 at the zero signal and nowhere negative.

    Attributes:
        name: of the case.
        what: which operator works in it, for a sentence.
        rows: nodes as (operator, inputs, outputs, attributes); they read `signal` and write `term`, shape
            (batch, 1).
        function: the same, of signals of shape (..., 4), shape (...).
        constants: further inputs by name.
        opset: that the graph imports, or 0: the usual one.
    """

    name: str
    what: str
    rows: tuple[tuple[str, str, str, Mapping[str, Any]], ...]
    function: Callable[[Array], Array]
    constants: Mapping[str, Any] = field(default_factory=dict[str, Any])
    opset: int = 0

    def nodes(self) -> list[onnx.NodeProto]:
        """The nodes."""
        return [
            helper.make_node(operator, inputs.split(), outputs.split(), **attributes)
            for operator, inputs, outputs, attributes in self.rows
        ]


def op(operator: str, inputs: str, outputs: str = "term", **attributes: Any) -> Row:
    """A node: operator, names of inputs and outputs by spaces, attributes."""
    return operator, inputs, outputs, attributes
