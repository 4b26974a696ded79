"""Values of ONNX metadata, which are all text: read as strict JSON, every fault of every key kept."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from llb.bundle import parse_json
from llb_schema import Finding, FindingError, finding

__all__ = ["MetadataValues", "is_number", "place"]

_MAX_SHOWN, _MAX_FINDINGS = 60, 20


def place(key: str, inside: str = "") -> str:
    """The JSON pointer of a metadata key, and of something inside its value."""
    return f"/metadata/{key}{inside}"


def is_number(value: object) -> bool:
    """Whether a JSON value is a number that can be counted with; true and false are none."""
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)


class MetadataValues:
    """Metadata by key, and what is wrong with them.

    Attributes:
        texts: the texts as they are in the file.
        found: findings so far; who asks for a value that is not there, or not of the right form, gets None,
            and there is a finding more.
    """

    def __init__(self, texts: Mapping[str, str]) -> None:
        self.texts = texts
        self.found: list[Finding] = []

    def wrong(self, key: str, expected: str, actual: object = "", inside: str = "") -> None:
        """Notes that a value has another form."""
        shown = str(actual)[:_MAX_SHOWN]
        message = f"{key} is not {expected}"
        where = place(key, inside)
        self.found.append(finding("LLB-F005", message, pointer=where, expected=expected, actual=shown))

    def text(self, key: str, *, needed: bool = True) -> str | None:
        """Text that is not empty."""
        value = self._raw(key, needed=needed)
        if value is None:
            return None
        if not value.strip():
            self.wrong(key, "text", "nothing")
            return None
        return value.strip()

    def json(self, key: str, *, needed: bool = True) -> Any:
        """The JSON value of a key; None where it is missing, null or no strict JSON."""
        text = self._raw(key, needed=needed)
        if text is None:
            return None
        try:
            value = parse_json(text.encode("utf-8", "surrogatepass"), place(key))
        except FindingError as error:
            self.found.extend(error.findings)
            return None
        if value is None and needed:
            self.wrong(key, "a value", "null")
        return value

    def number(self, key: str) -> float | None:
        """A finite number."""
        before, value = len(self.found), self.json(key)
        if is_number(value):
            return float(value)
        if value is not None and len(self.found) == before:
            self.wrong(key, "a finite number", value)
        return None

    def numbers(self, key: str, *, needed: bool = True) -> tuple[float, ...] | None:
        """A list of finite numbers, at least one."""
        value = self.json(key, needed=needed)
        return None if value is None else self.vector(key, value)

    def vector(self, key: str, value: Any, inside: str = "") -> tuple[float, ...] | None:
        """A part of a value as a list of finite numbers; [[...]] is taken as [...]."""
        if isinstance(value, list) and len(value) == 1 and isinstance(value[0], list):
            (value,) = value
        if not isinstance(value, list) or not value or not all(map(is_number, value)):
            self.wrong(key, "a list of finite numbers", value, inside)
            return None
        return tuple(map(float, value))

    def mapping(self, key: str, *, needed: bool = True) -> dict[str, Any] | None:
        """A JSON object."""
        value = self.json(key, needed=needed)
        if value is not None and not isinstance(value, dict):
            self.wrong(key, "an object", value)
            return None
        return value

    def items(self, key: str, fits: Callable[[Any], bool], expected: str) -> Sequence[Any] | None:
        """A JSON list all of whose items fit."""
        value = self.json(key)
        if value is None:
            return None
        if not isinstance(value, list):
            self.wrong(key, f"a list of {expected}", value)
            return None
        bad = [position for position, item in enumerate(value) if not fits(item)]
        for position in bad[:_MAX_FINDINGS]:
            self.wrong(key, f"a list of {expected}", value[position], f"/{position}")
        return None if bad else value

    def _raw(self, key: str, *, needed: bool) -> str | None:
        if key not in self.texts and needed:
            self.found.append(finding("LLB-F002", f"the key {key} is missing", pointer=place(key)))
        return self.texts.get(key)
