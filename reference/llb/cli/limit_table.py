"""CLs and upper limits as a table for people, with errors where there are any."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

import click

from llb.cli.failure import printable

if TYPE_CHECKING:
    from llb.runtime import Limits

__all__ = ["print_limits", "with_error"]

_NARROW, _WIDE = 10, 19
_DIGITS = 4


def print_limits(found: Sequence[Limits]) -> None:
    """Prints one line a signal; at least one. Numbers from beyond the domain have a star."""
    level = f"{100 * found[0].level:g} %"
    click.echo(
        f"CLs at mu = {found[0].mu:g}; upper limits on mu at {level} confidence level; * beyond the domain"
    )
    rows = [_cells(item) for item in found]
    heads = ("CLs obs", "CLs exp", "UL obs", "UL exp", "-1 sigma", "+1 sigma", "a priori")
    # A star, or the room for one, follows every number.
    widths = [max(_NARROW, _WIDE if any("±" in row[k] for row in rows) else 0) for k in range(len(heads))]
    first = max(len(printable(item.name)) for item in found)
    click.echo(
        f"{'name':<{first}}  " + "".join(f"{head:>{w - 1}} " for head, w in zip(heads, widths, strict=True))
    )
    for item, row in zip(found, rows, strict=True):
        cells = "".join(f"{cell:>{width}}" for cell, width in zip(row, widths, strict=True))
        click.echo(f"{printable(item.name):<{first}}  " + cells)


def _cells(item: Limits) -> list[str]:
    expected, error = item.upper_limit_expected, item.upper_limit_expected_error
    numbers = (
        ("cls", item.cls_observed, item.cls_observed_error),
        ("cls", item.cls_expected[2], item.cls_expected_error[2]),
        ("upper_limit_observed", item.upper_limit_observed, item.upper_limit_observed_error),
        ("upper_limit_expected[+0]", expected[2], error[2]),
        ("upper_limit_expected[-1]", expected[1], math.nan),
        ("upper_limit_expected[+1]", expected[3], math.nan),
        ("upper_limit_apriori[+0]", item.upper_limit_apriori[2], item.upper_limit_apriori_error[2]),
    )
    return [
        f"{with_error(value, error)}{'*' if f'beyond_domain:{name}' in item.flags else ' '}"
        for name, value, error in numbers
    ]


def with_error(value: float, error: float) -> str:
    """`0.925 ± 0.001`: one digit of the error, and the value to the same place; `-` for no number.

    An error that is no number, zero, or smaller than what four digits of the value show is left out.
    """
    if math.isnan(value):
        return "-"
    plain = f"{value:.{_DIGITS}g}"
    if not (math.isfinite(error) and error > 0.0 and math.isfinite(value)):
        return plain
    # Rounded to one digit first: 0.0096 is 0.01, and has its digit one place further left.
    rounded = float(f"{error:.0e}")
    place = -math.floor(math.log10(rounded))
    if value != 0.0 and place > _DIGITS - 1 - math.floor(math.log10(abs(value))):
        return plain
    if place <= 0 or place > 6:
        return f"{plain} ± {rounded:.0g}"
    return f"{value:.{place}f} ± {rounded:.{place}f}"
