"""Numbers as people set them: a proper minus, and powers of ten where digits would be many."""

from __future__ import annotations

import math

__all__ = ["interval", "number", "percent", "short"]

_SUPERSCRIPTS = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")
_SMALLEST, _LARGEST = 1e-3, 1e6


def number(value: float, digits: int = 2) -> str:
    """The number with some significant digits; between 0.001 and a million without a power of ten."""
    if not math.isfinite(value):
        return "–" if math.isnan(value) else "∞" if value > 0 else "−∞"
    if value == 0.0:
        return "0"
    mantissa, _, exponent = f"{value:.{digits - 1}e}".partition("e")
    if _SMALLEST <= abs(value) < _LARGEST:
        decimals = max(0, digits - 1 - int(exponent))
        text = f"{float(f'{mantissa}e{exponent}'):.{decimals}f}"
    else:
        text = f"{mantissa}×10{str(int(exponent)).translate(_SUPERSCRIPTS)}"
    return text.replace("-", "−")


def interval(lower: float, upper: float) -> str:
    """From one number to another."""
    return f"{short(lower)} to {short(upper)}"


def percent(value: float, digits: int = 1) -> str:
    """A fraction in per cent."""
    # Zero has no sign, however small and negative it was.
    rounded = round(100.0 * value, digits) + 0.0 if math.isfinite(value) else value
    return f"{rounded:.{digits}f} %".replace("-", "−") if math.isfinite(value) else "–"


def short(value: float) -> str:
    """The number with at most four digits, and no zeros at its end."""
    if not math.isfinite(value):
        return number(value)
    return (
        f"{value:.4g}".replace("-", "−") if _SMALLEST <= abs(value) < _LARGEST or not value else number(value)
    )
