"""The shape of a flow's networks: who may see whom.

M. Germain et al., MADE: Masked Autoencoder for Distribution Estimation, arXiv:1502.03509; G. Papamakarios et
al., Masked Autoregressive Flow for Density Estimation, arXiv:1705.07057. Hidden units are sorted by their
degree, so that sampling, which learns one column after the other, computes each unit once: those of degree i
as soon as i columns are known.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

__all__ = ["Layout"]

Ints = NDArray[np.int64]
Masks = tuple[NDArray[np.bool_], ...]


@dataclass(frozen=True)
class Layout:
    """What decides the shapes and masks of all weights.

    Attributes:
        columns: parameters.
        conditions: columns of the condition, 0 for none.
        widths: of the hidden layers, the same in every bijector.
        bins: of the splines; 0 for bijectors that are affine only.
        box: half the width of the square that splines work in, on the standard scale.
        orders: per bijector, the columns in the order in which they depend on each other.
    """

    columns: int
    conditions: int
    widths: tuple[int, ...]
    bins: int
    box: float
    orders: tuple[tuple[int, ...], ...]

    @property
    def numbers(self) -> int:
        """Outputs for each column: shift and log scale; widths, heights and inner slopes of the bins."""
        return 2 + (3 * self.bins - 1 if self.bins else 0)

    @property
    def sizes(self) -> tuple[int, ...]:
        """Units of all layers, from the input to the output."""
        return (self.columns, *self.widths, self.columns * self.numbers)

    def degrees(self, bijector: int) -> tuple[Ints, ...]:
        """Degrees of input and hidden units; a unit sees those before it whose degree is not larger."""
        rank = np.empty(self.columns, np.int64)
        rank[list(self.orders[bijector])] = np.arange(1, self.columns + 1)
        # Units of degree 0 see the condition only, which is all that the first column may depend on.
        least = 0 if self.conditions else min(1, self.columns - 1)
        spread = (np.linspace(least, self.columns - 1, width) for width in self.widths)
        return (rank, *(np.round(values).astype(np.int64) for values in spread))

    def masks(self, bijector: int) -> Masks:
        """Which weights may differ from 0, (n_in, n_out) for every layer."""
        return _masks(self, bijector)


@lru_cache(maxsize=64)
def _masks(layout: Layout, bijector: int) -> Masks:
    rank, *hidden = layout.degrees(bijector)
    layers = [rank, *hidden]
    between = [a[:, None] <= b[None, :] for a, b in pairwise(layers)]
    # An output sees strictly less than its own column.
    last = np.repeat(layers[-1][:, None] < rank[None, :], layout.numbers, axis=1)
    return (*between, last)
