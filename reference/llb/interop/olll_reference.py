"""An OLLL model as its own tools evaluate it: the published network, and the transforms in NumPy.

It shares no code with the rebuilt graph, whose test vectors come from here.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from llb.interop.olll_graph import output_order
from llb.interop.olll_network import Network
from llb.interop.olll_pipelines import Transforms
from llb.interop.olll_steps import undo

__all__ = ["OlllModel"]

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class OlllModel:
    """A published model with the offset that its file leaves unsaid.

    Attributes:
        network: what was published.
        transforms: around it.
        offset: (n,) events that a signal is added to.
    """

    network: Network
    transforms: Transforms
    offset: tuple[float, ...]

    def columns(self, signals: Floats) -> tuple[Floats, Floats]:
        """NLL(s) - NLL(0) as the network has it, and its sigma: both (n, 4), by `CURVE_ORDER`.

        Nothing is subtracted: at no signal the first is the closure error.

        Args:
            signals: (n, n_bins) events.

        Raises:
            FindingError: `LLB-G012`, `LLB-G015`, onnxruntime fails.
        """
        rows = np.asarray(self.offset) + signals
        for step in self.transforms.features:
            rows = step.forward(rows)
        raw = self.network.run(rows)
        count = len(self.transforms.outputs)
        values, sigmas = np.empty((len(rows), count)), np.empty((len(rows), count))
        for place, column in enumerate(output_order()):
            # Far outside of the training a network may say anything, infinity included.
            with np.errstate(over="ignore", invalid="ignore"):
                value, slope = undo(self.transforms.outputs[column], raw[:, [column]])
                values[:, place] = value[:, 0]
                sigmas[:, place] = slope[:, 0] * raw[:, count + column]
        return values, sigmas

    def closure(self) -> Floats:
        """(4,) what the network says of no signal, in NLL units, by `CURVE_ORDER`; 0 would be right."""
        values, _ = self.columns(np.zeros((1, len(self.offset))))
        return values[0]

    def with_offset(self, offset: Sequence[float]) -> OlllModel:
        """The same model around another offset."""
        return OlllModel(self.network, self.transforms, tuple(offset))
