"""What a column of samples is: a parameter with its role, unit, bounds and label.

The same facts as in `parameters` of a manifest (SPEC, DENSITY-2).
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal, Self, get_args

import numpy as np
from numpy.typing import NDArray

__all__ = ["Parameter", "Role", "lower_bounds", "upper_bounds"]

Floats = NDArray[np.float64]

Role = Literal["poi", "nuisance"]
"""What the measurement is about, or a systematic uncertainty or another parameter that is needed for it."""

_KEYS = frozenset({"name", "role", "unit", "bounds", "label"})


@dataclass(frozen=True)
class Parameter:
    """A parameter of a density.

    Attributes:
        name: as the teacher writes it; unique among the parameters.
        role: `poi` or `nuisance`.
        unit: of its values, `1` for none.
        bounds: smallest and largest value that it can have, None where that side is open. Outside of them the
            density is 0.
        label: how pictures write it, possibly in LaTeX between dollar signs; the name if "".

    Raises:
        ValueError: an attribute is none of what a manifest may hold, or no value fits the bounds.
    """

    name: str
    role: Role = "nuisance"
    unit: str = "1"
    bounds: tuple[float | None, float | None] = (None, None)
    label: str = ""

    def __post_init__(self) -> None:
        for what, text, longest in (("name", self.name, 200), ("unit", self.unit, 40)):
            if not _is_text(text, longest) or not text.isprintable():
                raise ValueError(f"{what} has to be 1 to {longest} printable characters, not {text!r}")
        if self.role not in get_args(Role):
            raise ValueError(f"role has to be one of {', '.join(get_args(Role))}, not {self.role!r}")
        for value in self.bounds:
            if value is not None and (_no_number(value) or not math.isfinite(value)):
                raise ValueError(f"a bound has to be a finite number, or left out, not {value!r}")
        if not self.lower < self.upper:
            raise ValueError(f"no value lies between the bounds {self.bounds}")
        if self.label != "" and not _is_text(self.label, 200):
            raise ValueError(f"label has to be at most 200 characters, not {self.label!r}")

    @property
    def lower(self) -> float:
        """Smallest value, -inf where that side is open."""
        return -math.inf if self.bounds[0] is None else float(self.bounds[0])

    @property
    def upper(self) -> float:
        """Largest value, inf where that side is open."""
        return math.inf if self.bounds[1] is None else float(self.bounds[1])

    def to_json(self) -> dict[str, Any]:
        """As in `parameters` of a manifest, without the column."""
        bounds = dict(zip(("lower", "upper"), self.bounds, strict=True))
        return {
            "name": self.name,
            "role": self.role,
            "unit": self.unit,
            "bounds": {side: float(value) for side, value in bounds.items() if value is not None},
            "label": self.label or self.name,
        }

    @classmethod
    def from_json(cls, raw: Mapping[str, Any]) -> Self:
        """A parameter in what `to_json` gives, or somebody wrote; all but the name may be missing.

        Raises:
            ValueError: it is none.
        """
        unknown = set(raw) - _KEYS
        if unknown:
            raise ValueError(f"a parameter has no {', '.join(sorted(unknown))}")
        if "name" not in raw:
            raise ValueError("a parameter has no name")
        bounds = raw.get("bounds", {})
        if not isinstance(bounds, Mapping) or set(bounds) - {"lower", "upper"}:
            raise ValueError(f"bounds are a table with lower and upper, not {bounds!r}")
        given = {key: raw[key] for key in ("name", "role", "unit", "label") if key in raw}
        return cls(**given, bounds=(bounds.get("lower"), bounds.get("upper")))


def _is_text(value: object, longest: int) -> bool:
    return isinstance(value, str) and 0 < len(value) <= longest


def _no_number(value: object) -> bool:
    return isinstance(value, bool) or not isinstance(value, int | float)


def lower_bounds(parameters: tuple[Parameter, ...]) -> Floats:
    """(D,) smallest values, -inf where that side is open."""
    return np.asarray([item.lower for item in parameters], dtype=np.float64)


def upper_bounds(parameters: tuple[Parameter, ...]) -> Floats:
    """(D,) largest values, inf where that side is open."""
    return np.asarray([item.upper for item in parameters], dtype=np.float64)
