"""Batches of one size: what is compiled for it serves all of them."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

__all__ = ["padded", "power_of_two"]

Ints = NDArray[np.int64]


def power_of_two(most: float, least: int, largest: int) -> int:
    """The largest power of two that is at most `most`, and between two others."""
    return int(2 ** np.clip(np.floor(np.log2(max(most, 1.0))), np.log2(least), np.log2(largest)))


def padded(rows: Ints, size: int) -> Ints:
    """(size,) these rows, the last one repeated."""
    return np.concatenate([rows, np.repeat(rows[-1:], size - len(rows))])
