"""Priors as a manifest states them: a product with one factor per parameter (SPEC, DENSITY-1)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

__all__ = ["PriorFactor"]


@dataclass(frozen=True)
class PriorFactor:
    """The factor of one parameter.

    Attributes:
        parameter: its name.
        kind: `uniform` within the bounds; `normal` or `lognormal` with mean and width; `constraint`, the
            teacher's own constraint term, which its likelihood holds already; `other`, as `text` says.
        mean, width: of `normal` in the parameter's unit, of `lognormal` of the logarithm.
        text: what `other` is.
    """

    parameter: str
    kind: Literal["uniform", "normal", "lognormal", "constraint", "other"]
    mean: float | None = None
    width: float | None = None
    text: str = ""

    def to_json(self) -> dict[str, Any]:
        """As in `density.prior` of a manifest."""
        optional = {"mean": self.mean, "width": self.width, "text": self.text or None}
        given = {key: value for key, value in optional.items() if value is not None}
        return {"parameter": self.parameter, "kind": self.kind, **given}
