"""How far an answer may be from the exact number, why, and how far a case may ever allow."""

from __future__ import annotations

import math
from dataclasses import dataclass

__all__ = [
    "CEILING",
    "CLS",
    "CLS_SINGLE",
    "DELTA",
    "DELTA_SINGLE",
    "EXACT",
    "GRADIENT",
    "GRADIENT_SINGLE",
    "LIMIT",
    "LIMIT_SINGLE",
    "LOG_PROB",
    "LOG_PROB_SINGLE",
    "SAMPLE",
    "SAMPLE_SINGLE",
    "Tolerance",
]

CEILING = 1e-3
"""Of either part of any tolerance, as in VECTORS-5: no case can be made green by a wide one."""


@dataclass(frozen=True)
class Tolerance:
    """An answer passes if and only if |got - expected| <= absolute + relative * |expected| (VECTORS-6).

    Attributes:
        absolute: in the unit of the number.
        relative: of the expected number.
        derivation: why this much and no more.

    Raises:
        ValueError: a part is negative, no number, or above the ceiling, or nothing is derived.
    """

    absolute: float
    relative: float
    derivation: str

    def __post_init__(self) -> None:
        parts = (self.absolute, self.relative)
        if not all(0.0 <= part <= CEILING for part in parts):
            raise ValueError(f"a tolerance has two parts between 0 and {CEILING}, not {parts}")
        if not self.derivation:
            raise ValueError("a tolerance says where it comes from")

    def excess(self, got: float, expected: float) -> float:
        """|got - expected| in units of what is allowed: the answer passes if it is at most 1.

        Infinity for NaN, for an unexpected infinity, and for any difference where nothing is allowed.
        """
        if math.isinf(expected):
            return 0.0 if got == expected else math.inf
        distance = abs(got - expected)
        allowed = self.absolute + self.relative * abs(expected)
        # Written so that NaN on either side fails: no comparison with it is true.
        if distance <= allowed:
            return distance / allowed if allowed else 0.0
        return distance / allowed if allowed and math.isfinite(distance) else math.inf


EXACT = Tolerance(0.0, 0.0, "Zero signal, names, edges and baselines are copied, not computed.")

DELTA = Tolerance(
    1e-10,
    1e-10,
    "Double precision rounds by 1e-16; some hundred operations in any order, on terms a thousand times the "
    "result, stay below 1e-11.",
)
DELTA_SINGLE = Tolerance(
    2e-5,
    2e-5,
    "Single precision rounds by 6e-8; ten operations in any order, on terms ten times the result, stay below "
    "1e-5.",
)
GRADIENT = Tolerance(
    1e-6,
    1e-6,
    "Central differences of a smooth curve in double precision reach 1e-7; exact derivatives 1e-12.",
)
GRADIENT_SINGLE = Tolerance(
    1e-3,
    1e-3,
    "Differences over tenths of an event, of values of at most a hundred that are rounded by 6e-8 of that.",
)
CLS = Tolerance(
    1e-6,
    1e-4,
    "CLs changes by about its size for one NLL unit: who interpolates Delta NLL to 1e-5 reaches 1e-5.",
)
CLS_SINGLE = Tolerance(1e-4, 1e-3, "As in double precision, for Delta NLL that is rounded by up to 1e-4.")
LIMIT = Tolerance(
    1e-7,
    1e-4,
    "Root finders that stop at 1e-5, as wide as those of common tools, on curves that are known to 1e-5.",
)
LIMIT_SINGLE = Tolerance(1e-6, 1e-3, "As in double precision, on curves that are known to 1e-4.")

LOG_PROB = Tolerance(
    1e-10,
    1e-12,
    "Double precision rounds a parameter of 125 by 1e-14, which is 1e-13 of its width; at ten widths that "
    "is 1e-12. Sums of squares round by 1e-16 of themselves.",
)
LOG_PROB_SINGLE = Tolerance(
    5e-4,
    0.0,
    "Single precision rounds a mean of 125 by 4e-6, 3e-5 of its width; at the five widths that the points "
    "reach that is 1.5e-4. The offset is added in double precision and brings no error.",
)
SAMPLE = Tolerance(
    1e-12,
    1e-12,
    "Sums of four products, an exponential and a sigmoid, each good to a few roundings of 1e-16.",
)
SAMPLE_SINGLE = Tolerance(
    5e-6,
    5e-6,
    "The same with roundings of 6e-8 and numbers up to ten before the exponential.",
)
