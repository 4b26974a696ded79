"""How long a service is waited for, and how often it is asked again."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import TypeVar

from llb_schema import Finding, FindingError, finding

__all__ = ["Pace", "Patience", "SetbackError", "insist", "retry_after"]

_Result = TypeVar("_Result")


@dataclass(frozen=True)
class Patience:
    """Limits of time and number.

    Attributes:
        attempts: how often a request is made at most.
        backoff: seconds before the second attempt; they double with each further one.
        longest_wait: seconds; a service that asks for more is not waited for.
        silence: seconds without any answer after which a connection is given up.
        window: seconds over which a download has to keep up its rate.
        least_rate: bytes per second below which it counts as stalled.
    """

    attempts: int = 5
    backoff: float = 1.0
    longest_wait: float = 120.0
    silence: float = 30.0
    window: float = 30.0
    least_rate: float = 512.0

    def wait(self, failed: int, asked: float | None) -> float | None:
        """Seconds before the next attempt, None to give up.

        Args:
            failed: attempts so far.
            asked: seconds that the service asks for.
        """
        if failed >= self.attempts:
            return None
        seconds = self.backoff * 2.0 ** (failed - 1) if asked is None else asked
        return seconds if seconds <= self.longest_wait else None


class SetbackError(Exception):
    """An attempt has failed, and another may not.

    Attributes:
        finding: what to report when there is no other.
        wait: seconds that the service asks for, or None.
    """

    def __init__(self, found: Finding, wait: float | None = None) -> None:
        super().__init__(str(found))
        self.finding, self.wait = found, wait


def insist(attempt: Callable[[], _Result], patience: Patience) -> _Result:
    """The result of the first attempt that gives one.

    Raises:
        FindingError: that of the last setback; whatever else an attempt raises, at once.
    """
    failed = 0
    while True:
        try:
            return attempt()
        except SetbackError as setback:
            failed += 1
            wait = patience.wait(failed, setback.wait)
            if wait is None:
                raise FindingError(setback.finding) from setback
            time.sleep(wait)


def retry_after(value: str | None) -> float | None:
    """Seconds in a header `Retry-After`, which has a number or a date; None without a usable one."""
    if value is None:
        return None
    if value.strip().isdecimal():
        return float(value)
    try:
        when = parsedate_to_datetime(value)
    except ValueError:
        return None
    when = when if when.tzinfo else when.replace(tzinfo=UTC)
    return max(0.0, (when - datetime.now(UTC)).total_seconds())


class Pace:
    """Notices a download that trickles: each byte in time for a timeout, all of them never."""

    def __init__(self, patience: Patience) -> None:
        self._patience = patience
        self._begun, self._bytes = time.monotonic(), 0

    def __call__(self, count: int, where: str) -> None:
        """Bytes have arrived.

        Raises:
            SetbackError: `LLB-D007`, too few over a window.
        """
        self._bytes += count
        seconds = time.monotonic() - self._begun
        if seconds < self._patience.window:
            return
        rate = self._bytes / seconds
        if rate < self._patience.least_rate:
            expected = f"{self._patience.least_rate:g} bytes/s"
            raise SetbackError(
                finding(
                    "LLB-D007", f"{where} sends too slowly", expected=expected, actual=f"{rate:.3g} bytes/s"
                )
            )
        self._begun, self._bytes = time.monotonic(), 0
