"""What samples of a conditional density p(theta | x) were drawn under."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["Condition", "Conditions"]

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Condition:
    """A quantity that a density is conditional on, such as the count of a bin.

    Attributes:
        name: unique among the conditions.
        unit: of its values, `1` for none.
        label: how pictures write it; "" for the name.
    """

    name: str
    unit: str = "1"
    label: str = ""


@dataclass(frozen=True, eq=False)
class Conditions:
    """The conditions of samples, row by row.

    Attributes:
        columns: what the columns are.
        training: (n, C) under which each training sample was drawn.
        heldout: (m, C) the same of the held-out ones.
    """

    columns: tuple[Condition, ...]
    training: Floats
    heldout: Floats

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the conditions, by column."""
        return tuple(item.name for item in self.columns)

    def to_json(self) -> list[dict[str, Any]]:
        """As in `conditions` of a manifest: bounded by the values that were trained on."""
        low, high = self.training.min(axis=0), self.training.max(axis=0)
        return [
            {
                "name": item.name,
                "unit": item.unit,
                "column": column,
                "bounds": {"lower": float(low[column]), "upper": float(high[column])},
                "label": item.label or item.name,
            }
            for column, item in enumerate(self.columns)
        ]
