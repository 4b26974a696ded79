"""Families of minima: labels whose minima are one smooth function of the signal.

Where another minimum becomes the lowest, parameters jump, and the profiled likelihood has a kink. A jump
shows as an empty interval in the values that a parameter takes over all labels; which side of each such gap
a minimum lies on says to which family it belongs.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

__all__ = ["families"]

Floats = NDArray[np.float64]

_GAP = 0.3
"""Width of an empty interval that is a jump, in standard deviations of the parameter."""
_TAIL = 0.003
"""Share of the values at either end among which intervals are wide by chance."""
_SPREAD = 1e-6


def families(
    parameters: Floats, near: NDArray[np.bool_], most: int, least: float = 1e-3
) -> NDArray[np.int64]:
    """Number of the family of each label; that of the first label is 0, the others go by size.

    Args:
        parameters: (n, n_parameters) nuisance parameters at the minima.
        near: (n,) whether the label is one of those among which jumps are looked for: very strong signals
            would hide them.
        most: families to tell apart; minima of others count to the most similar one.
        least: smallest share of the labels that makes a family.

    Returns:
        (n,) numbers from 0 to the number of families - 1.
    """
    sides = _sides(parameters, near)
    patterns, which = np.unique(sides, axis=0, return_inverse=True)
    which = which.reshape(-1)
    counts = np.bincount(which[near], minlength=len(patterns))
    by_size = np.argsort(-counts, kind="stable")
    kept = [pattern for pattern in by_size[:most] if counts[pattern] >= least * np.sum(near)]
    first = which[0]
    kept = [first, *(pattern for pattern in kept if pattern != first)][:most]
    apart = np.sum(patterns[:, None, :] != patterns[kept][None, :, :], axis=2)
    return np.argmin(apart, axis=1)[which]


def _sides(parameters: Floats, near: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """(n, n_jumps) on which side of each jump the minima lie."""
    ordered = np.sort(parameters[near], axis=0)
    count = len(ordered)
    spread = np.std(ordered, axis=0)
    first, last = int(_TAIL * count), int((1.0 - _TAIL) * count)
    widths = np.diff(ordered, axis=0)[first:last]
    if not widths.size:
        return np.zeros((len(parameters), 0), np.bool_)
    at = np.argmax(widths, axis=0)
    columns = np.arange(parameters.shape[1])
    jumps = (spread > _SPREAD) & (widths[at, columns] > _GAP * spread)
    middle = 0.5 * (ordered[first + at, columns] + ordered[first + at + 1, columns])
    return parameters[:, jumps] > middle[jumps]
