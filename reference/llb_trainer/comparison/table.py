"""A comparison as a table on a terminal, and as JSON."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from llb_schema import number_to_json
from llb_trainer.comparison.beside import ComparedPoint, Comparison
from llb_trainer.comparison.times import duration

if TYPE_CHECKING:
    from rich.table import Table

__all__ = ["comparison_json", "comparison_notes", "comparison_table"]

# Three short lines each, so that the whole table fits on a terminal of 80 columns.
_COLUMNS = (
    "CLs\n\nbundle",
    "CLs\n\npyhf",
    "CLs\ndiff.\n(%)",
    "upper\nlimit\nbundle",
    "upper\nlimit\npyhf",
    "limit\ndiff.\n(%)",
    "time\n\nbundle",
    "time\n\npyhf",
)


def comparison_table(comparison: Comparison) -> Table:
    """One row per compared signal; a star marks those of which `comparison_notes` has something to say."""
    from rich import box
    from rich.table import Table
    from rich.text import Text

    table = Table(box=box.SIMPLE_HEAD, padding=(0, 1, 0, 0), pad_edge=False)
    table.add_column("signal", overflow="fold", vertical="bottom")
    for head in _COLUMNS:
        table.add_column(head, justify="right", no_wrap=True)
    for point in comparison.points:
        mark = " *" if _note(point) else ""
        table.add_row(
            # Names come from a file: printable text, no markup.
            Text("".join(c if c.isprintable() else "?" for c in point.name) + mark),
            _number(point.bundle.cls_observed),
            _number(point.pyhf.cls_observed),
            _percent(point.cls_difference),
            _number(point.bundle.upper_limit_observed),
            _number(point.pyhf.upper_limit_observed),
            _percent(point.upper_limit_difference),
            duration(point.seconds_bundle),
            duration(point.seconds_pyhf),
        )
    return table


def comparison_notes(comparison: Comparison) -> tuple[str, ...]:
    """What the stars in the table stand for, one line per signal."""
    notes = ((point.name, _note(point)) for point in comparison.points)
    return tuple(f"* {name}: {note}" for name, note in notes if note)


def comparison_json(comparison: Comparison) -> dict[str, Any]:
    """The same content for programs; what is no number is null."""
    return {
        "points": [_point_json(point) for point in comparison.points],
        "worst_cls_difference": number_to_json(comparison.worst_cls_difference),
        "scan": {"signals": len(comparison.scan), "seconds": comparison.seconds_scan},
    }


def _point_json(point: ComparedPoint) -> dict[str, Any]:
    numbers = {
        "cls_bundle": point.bundle.cls_observed,
        "cls_pyhf": point.pyhf.cls_observed,
        "cls_difference": point.cls_difference,
        "upper_limit_bundle": point.bundle.upper_limit_observed,
        "upper_limit_pyhf": point.pyhf.upper_limit_observed,
        "upper_limit_difference": point.upper_limit_difference,
        "seconds_bundle": point.seconds_bundle,
        "seconds_pyhf_cls": point.pyhf.seconds_cls,
        "seconds_pyhf": point.seconds_pyhf,
        "nll_excess": point.pyhf.nll_excess,
        "nll_shortfall": point.pyhf.fits.nll_shortfall,
    }
    return {
        "name": point.name,
        **{key: number_to_json(value) for key, value in numbers.items()},
        "in_domain": point.bundle.in_domain,
        "pyhf_restarted": point.pyhf.restarted,
        "note": _note(point),
    }


def _note(point: ComparedPoint) -> str:
    notes: list[str] = []
    if point.pyhf.failure:
        notes.append(f"pyhf has no number: {point.pyhf.failure}")
    elif point.pyhf.restarted and math.isinf(point.pyhf.nll_excess):
        notes.append("pyhf restarted from our optimum: its own fit failed")
    elif point.pyhf.restarted:
        notes.append(
            "pyhf restarted from our optimum: its own minimum was higher "
            f"by {point.pyhf.nll_excess:.2g} in NLL"
        )
    if point.pyhf.fits.nll_shortfall > _LOWER:
        notes.append(f"pyhf found a minimum lower than ours by {point.pyhf.fits.nll_shortfall:.2g} in NLL")
    if not point.bundle.in_domain:
        notes.append("partly beyond the bundle's domain")
    return "; ".join(notes)


_LOWER = 1e-4
"""A minimum lower than ours by more than the noise of pyhf's optimiser, in NLL units."""


def _number(value: float) -> str:
    return "-" if math.isnan(value) else f"{value:.4g}"


def _percent(value: float) -> str:
    return "-" if math.isnan(value) else f"{100.0 * value:+.2f}"
