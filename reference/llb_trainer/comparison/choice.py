"""Which of many signals to compare: few, spread over the plane, where a limit is decided."""

from __future__ import annotations

import math
from typing import Final

import numpy as np
from numpy.typing import NDArray

__all__ = ["DECIDED_FROM", "choose_points"]

Floats = NDArray[np.float64]

DECIDED_FROM: Final = 1e-3
"""Below this CLs a signal is excluded beyond any doubt, and a relative difference means nothing."""

_EXCLUDED = 0.05


def choose_points(cls: Floats, plane: Floats, count: int) -> tuple[int, ...]:
    """Signals to be compared: far from each other in the plane and in CLs.

    The first is the one nearest to exclusion; each next one is the farthest from all before it
    (T. F. Gonzalez, Theor. Comput. Sci. 38 (1985) 293). Signals with 1e-3 < CLs < 1 come before all others;
    the others, nearest to exclusion first, only fill up.

    Args:
        cls: (n,) observed CLs, NaN where there is none.
        plane: (n, d) coordinates, such as masses.
        count: how many signals.

    Returns:
        At most `count` row numbers, ascending; signals without a CLs are left out.
    """
    log_cls = np.log10(np.clip(cls, 1e-30, 1.0))
    known = np.flatnonzero(np.isfinite(cls))
    decided = known[(cls[known] > DECIDED_FROM) & (cls[known] < 1.0)]
    chosen: list[int] = []
    if len(decided):
        depth = log_cls / -math.log10(DECIDED_FROM)
        chosen = _farthest(np.column_stack([_unit(plane, decided), depth]), decided, log_cls, count)
    outside = np.setdiff1d(known, decided)
    missing = max(0, min(count, len(known)) - len(chosen))
    near = np.abs(log_cls[outside] - math.log10(_EXCLUDED))
    chosen += [int(row) for row in outside[np.argsort(near, kind="stable")][:missing]]
    return tuple(sorted(chosen))


def _farthest(position: Floats, rows: NDArray[np.intp], log_cls: Floats, count: int) -> list[int]:
    first = int(rows[np.argmin(np.abs(log_cls[rows] - math.log10(_EXCLUDED)))])
    chosen = [first]
    distance = np.linalg.norm(position[rows] - position[first], axis=1)
    while len(chosen) < min(count, len(rows)):
        distance[rows == chosen[-1]] = -1.0
        chosen.append(int(rows[np.argmax(distance)]))
        distance = np.minimum(distance, np.linalg.norm(position[rows] - position[chosen[-1]], axis=1))
    return chosen


def _unit(plane: Floats, rows: NDArray[np.intp]) -> Floats:
    """The plane with the candidates spread over the unit cube; a constant coordinate says nothing."""
    low, high = plane[rows].min(axis=0), plane[rows].max(axis=0)
    return (plane - low) / np.where(high > low, high - low, 1.0)
