"""Numbers in strict JSON, which has no word for NaN and the infinities: null."""

from __future__ import annotations

import math

__all__ = ["number_from_json", "number_to_json"]


def number_to_json(value: float) -> float | None:
    """The number, or None where it is not finite."""
    return float(value) if math.isfinite(value) else None


def number_from_json(value: float | None) -> float:
    """What `number_to_json` gave; NaN for None."""
    return math.nan if value is None else float(value)
