"""How errors are spread, and the same as JSON: what is no number there is null."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from llb_schema import number_from_json, number_to_json

__all__ = ["Spread", "spread"]

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Spread:
    """Quantiles of |error|.

    Attributes:
        count: errors that are numbers.
        missing: how often there was a truth and no finite prediction of it.
        median, p95, max: of the errors that are numbers; NaN without one.
    """

    count: int
    missing: int
    median: float
    p95: float
    max: float

    def to_json(self) -> dict[str, Any]:
        """For a JSON file."""
        quantiles = {"median": self.median, "p95": self.p95, "max": self.max}
        numbers = {name: number_to_json(value) for name, value in quantiles.items()}
        return {"count": self.count, "missing": self.missing, **numbers}

    @classmethod
    def from_json(cls, raw: Mapping[str, Any]) -> Spread:
        """What `to_json` gave.

        Raises:
            KeyError: something is missing.
        """
        median, p95, largest = (number_from_json(raw[name]) for name in ("median", "p95", "max"))
        return cls(int(raw["count"]), int(raw["missing"]), median, p95, largest)


def spread(truth: Floats, predicted: Floats, *, unit: Floats | None = None) -> Spread:
    """Of |predicted - truth|, all (n,), in units of `unit` (n,) if given.

    Where truth or unit is no finite number there is nothing to predict.
    """
    known = np.isfinite(truth) if unit is None else np.isfinite(truth) & np.isfinite(unit) & (unit != 0.0)
    found = np.isfinite(predicted)
    both = known & found
    error = np.abs(predicted[both] - truth[both])
    if unit is not None:
        error = error / np.abs(unit[both])
    missing = int(np.sum(known & ~found))
    if not error.size:
        return Spread(0, missing, math.nan, math.nan, math.nan)
    median, p95, largest = (float(value) for value in np.quantile(error, [0.5, 0.95, 1.0]))
    return Spread(int(error.size), missing, median, p95, largest)
