"""Numbers and lines as the protocol has them (PROTOCOL-1, PROTOCOL-2)."""

from __future__ import annotations

import json
import math
from typing import Any, NoReturn

__all__ = ["as_float", "as_number", "decode", "encode"]

_DIGITS = 300


def as_number(value: float) -> float | str:
    """A double as a JSON number, or as a string where JSON has none."""
    number = float(value)
    if math.isfinite(number):
        return number
    return "NaN" if math.isnan(number) else "Infinity" if number > 0.0 else "-Infinity"


def as_float(value: float | str) -> float:
    """The double that a number of the protocol stands for."""
    return float(value)


def encode(message: Any) -> str:
    """A message on one line, without its end."""
    return json.dumps(message, allow_nan=False, separators=(",", ":"))


def decode(line: str) -> Any:
    """A line as JSON.

    Raises:
        ValueError: it is none, has a key twice, or a number that is none in JSON or too large for a double.
    """
    return json.loads(
        line, object_pairs_hook=_once, parse_constant=_refuse, parse_float=_finite, parse_int=_whole
    )


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a key is there twice")
    return found


def _refuse(text: str) -> NoReturn:
    raise ValueError(f"{text} is no number of JSON; it is written as a string")


def _finite(text: str) -> float:
    number = float(text)
    if math.isinf(number):
        raise ValueError(f"{text[:40]} is too large for a double")
    return number


def _whole(text: str) -> int:
    # Nothing of the protocol has more digits, and there is no double for it.
    if len(text) > _DIGITS:
        raise ValueError(f"{text[:40]}... is too large for a double")
    return int(text)
