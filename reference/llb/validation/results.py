"""What the levels that run a graph give: findings, and numbers for the level that asks the teacher."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from llb_schema import Finding

# For the types alone: the process that only reads results starts sooner without numpy.
if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

__all__ = ["FIRST_LEVEL", "LAST_LEVEL", "FreshPoints", "LevelResult", "Wanted"]

FIRST_LEVEL = 3
"""From here on graphs are audited and run."""

LAST_LEVEL = 6
"""Where the teacher is asked, and the graph beside it."""


@dataclass(frozen=True)
class Wanted:
    """Which fresh points level 6 wants: how many, and the seed of their choice."""

    points: int
    seed: int


@dataclass(frozen=True)
class FreshPoints:
    """Points of the domain that nobody has chosen, with the graph's numbers there.

    Attributes:
        signals: (n, n_bins) yields in events, by input column.
        predicted: (n, n_columns) Delta NLL of the graph, NaN where it is not finite.
    """

    signals: NDArray[np.float64]
    predicted: NDArray[np.float64]


@dataclass(frozen=True)
class LevelResult:
    """What one level has found.

    Attributes:
        level: 3 to 6.
        findings: all of it.
        fresh: on level 6, the graph's numbers at fresh points; None if the graph fails.
    """

    level: int
    findings: tuple[Finding, ...]
    fresh: FreshPoints | None = None
