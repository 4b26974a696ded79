"""How much time and memory a bundle's graph may take while it is checked."""

from __future__ import annotations

import math
from dataclasses import dataclass

__all__ = ["GIB", "RunLimits"]

GIB = 2**30
"""Bytes of one GiB."""


@dataclass(frozen=True)
class RunLimits:
    """What the process that audits and runs a graph may use, for all levels together (SECURITY-6).

    The time limit holds everywhere. The memory limit is the address space of the process (`RLIMIT_AS`), some
    400 MiB of which Python and onnxruntime take themselves; it holds on Linux and other systems that keep
    it, not on macOS and Windows, where a finding says so.

    Attributes:
        seconds: wall-clock time from the start of the process to its end.
        memory: bytes of address space.

    Raises:
        ValueError: a limit is not positive or not finite.
    """

    seconds: float = 120.0
    memory: int = 4 * GIB

    def __post_init__(self) -> None:
        if not (0 < self.seconds < math.inf and self.memory > 0):
            raise ValueError(f"limits are positive and finite, not {self.seconds} s and {self.memory} bytes")
