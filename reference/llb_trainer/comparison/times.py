"""What a bundle saves, in words."""

from __future__ import annotations

import math
from statistics import median

from llb_trainer.comparison.beside import Comparison

__all__ = ["duration", "timing_sentence"]


def duration(seconds: float) -> str:
    """A time as a person writes it, two digits: `340 µs`, `3.2 ms`, `12 s`, `2.5 min`; "-" for none."""
    if not math.isfinite(seconds):
        return "-"
    for size, unit in ((60.0, "min"), (1.0, "s"), (1e-3, "ms")):
        if seconds >= 0.995 * size * (2.0 if unit == "min" else 1.0):
            return f"{_two_digits(seconds / size)} {unit}"
    return f"{_two_digits(1e6 * seconds)} µs"


def timing_sentence(comparison: Comparison) -> str:
    """How long the bundle took for all signals, and pyhf for one."""
    count = len(comparison.scan)
    ours = f"Bundle: {count} signals in {duration(comparison.seconds_scan)}"
    spent = [point.seconds_pyhf for point in comparison.points if math.isfinite(point.seconds_pyhf)]
    if not spent:
        return f"{ours}."
    one = median(spent)
    ratio = one * count / comparison.seconds_scan
    return f"{ours}. pyhf: {duration(one)} per signal, {_times(ratio)} times as long."


def _two_digits(value: float) -> str:
    return f"{value:.0f}" if value >= 9.95 else f"{value:.1f}"


def _times(ratio: float) -> str:
    digits = max(0, math.floor(math.log10(ratio)) - 1) if ratio >= 1.0 else 0
    return f"{round(ratio, -digits):,.0f}" if ratio >= 10.0 else f"{ratio:.1f}"
