"""How a case can end."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Any

__all__ = ["PASSED", "Judgement", "Outcome", "wrong"]


class Outcome(StrEnum):
    """How a case ended. Only `passed` counts as passed."""

    PASSED = "passed"
    FAILED = "failed"
    WRONGLY_ACCEPTED = "wrongly_accepted"
    WRONGLY_REJECTED = "wrongly_rejected"
    WRONG_REASON = "wrong_reason"
    UNSUPPORTED = "unsupported"
    SKIPPED = "skipped"
    ERRORED = "errored"
    CRASHED = "crashed"
    TIMEOUT = "timeout"
    PROTOCOL_ERROR = "protocol_error"
    NOT_RUN = "not_run"


@dataclass(frozen=True)
class Judgement:
    """What came of one answer.

    Attributes:
        outcome: how it ended.
        message: what is wrong, in a sentence; "" if nothing is.
        expected: what the answer should have been, where that is numbers or names.
        got: what it was.
        index: place of the worst number.
        excess: how far that number is off, in units of its tolerance; None if nothing was compared.
    """

    outcome: Outcome
    message: str = ""
    expected: Any = None
    got: Any = None
    index: int | None = None
    excess: float | None = None


PASSED = Judgement(Outcome.PASSED)
"""Nothing is wrong."""


def wrong(message: str, *, expected: Any = None, got: Any = None) -> Judgement:
    """An answer that is wrong whatever the tolerance."""
    return Judgement(Outcome.FAILED, message, expected, got)
