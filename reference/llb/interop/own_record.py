"""What our own exports say besides OLLL v0.1, so that an import has nothing to guess."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from llb.interop.teacher_facts import TeacherFacts
from llb_schema import FindingError, finding

__all__ = ["OWN_KEY", "OwnRecord"]

OWN_KEY = "llb"
"""Metadata key; validators of OLLL leave keys alone that they do not know."""


@dataclass(frozen=True)
class OwnRecord:
    """The record under `OWN_KEY`.

    Attributes:
        facts: the teacher of the bundle that was exported.
        offset: events by bin id that a signal is added to.
        signal_modifiers: modifiers of the signal besides mu.
    """

    facts: TeacherFacts
    offset: Mapping[str, float]
    signal_modifiers: tuple[str, ...]

    @classmethod
    def from_json(cls, raw: Any, source: str) -> OwnRecord:
        """The record in a JSON object.

        Raises:
            FindingError: `LLB-F005`, it has another form.
        """
        facts = TeacherFacts.from_json(raw, source)
        try:
            offset = {str(key): float(value) for key, value in raw["offset"].items()}
            return cls(facts, offset, tuple(str(item) for item in raw["signal_modifiers"]))
        except (AttributeError, KeyError, TypeError, ValueError) as error:
            message = f"this is no record of an export: {type(error).__name__}: {str(error)[:80]}"
            raise FindingError(finding("LLB-F005", message, pointer=source)) from error

    def to_json(self) -> dict[str, Any]:
        """The record as a JSON object."""
        return {
            **self.facts.to_json(),
            "offset": dict(self.offset),
            "signal_modifiers": list(self.signal_modifiers),
        }
