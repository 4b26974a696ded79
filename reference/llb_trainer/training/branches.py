"""Which branches a learned function has, and of which curve each is one."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

__all__ = ["Branches"]


@dataclass(frozen=True)
class Branches:
    """Which branches there are: those of one curve after the other, the one that holds zero signal first.

    Attributes:
        counts: branches of each curve.
    """

    counts: tuple[int, ...]

    def __len__(self) -> int:
        """Branches of all curves."""
        return sum(self.counts)

    @property
    def owner(self) -> NDArray[np.int64]:
        """(n_branches,) number of the curve of each."""
        return np.repeat(np.arange(len(self.counts)), self.counts)

    @property
    def first(self) -> NDArray[np.int64]:
        """(n_curves,) number of the branch that holds zero signal."""
        counts = np.asarray(self.counts, dtype=np.int64)
        return np.cumsum(counts) - counts

    @property
    def free(self) -> NDArray[np.bool_]:
        """(n_branches,) whether it may lie anywhere above the others at zero signal."""
        free = np.ones(len(self), np.bool_)
        free[self.first] = False
        return free
