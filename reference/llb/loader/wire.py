"""Numbers as the protocol writes them (PROTOCOL-2)."""

from __future__ import annotations

import math
from collections.abc import Iterable

__all__ = ["listed", "number"]


def listed(values: Iterable[float]) -> list[float | str]:
    """Doubles, one after the other."""
    return [number(float(value)) for value in values]


def number(value: float) -> float | str:
    """A double: a number of JSON, or a string where JSON has none."""
    if math.isfinite(value):
        return value
    return "NaN" if math.isnan(value) else "Infinity" if value > 0.0 else "-Infinity"
