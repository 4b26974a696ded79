"""A table of a record before it has a format: columns with units, qualifiers and errors."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

__all__ = ["QUANTILES", "Cell", "DataColumn", "DataTable", "Qualifier", "cells", "rows_shown"]

Cell = float | str
"""A number, or a text; `-` where there is no number."""
_NO_NUMBER = "-"

QUANTILES: Mapping[str, str] = {
    "median": "median",
    "p95": "95 % quantile",
    "p99": "99 % quantile",
    "max": "largest",
}
"""What tables call the numbers of a claimed accuracy."""


@dataclass(frozen=True)
class Qualifier:
    """What holds for a whole column, e.g. the curve that it belongs to."""

    name: str
    value: Cell
    unit: str = ""


@dataclass(frozen=True)
class DataColumn:
    """A column.

    Attributes:
        name: its header.
        values: one cell a row.
        unit: "" for none.
        given: whether the rows are labelled by it; the other columns hold what was found.
        qualifiers: of a column that was found.
        error: half width of each value, with what it is; None for none.
    """

    name: str
    values: tuple[Cell, ...]
    unit: str = ""
    given: bool = False
    qualifiers: tuple[Qualifier, ...] = ()
    error: tuple[str, tuple[float, ...]] | None = None


@dataclass(frozen=True)
class DataTable:
    """A table with what a record says about it.

    Attributes:
        name: unique in the record.
        description: for people.
        location: what it belongs to.
        observables: keywords.
        columns: all of one length.
        license: SPDX expression.
        sqrt_s: centre-of-mass energy in TeV, or None.
        figure: a PNG of it, or None.
    """

    name: str
    description: str
    location: str
    observables: tuple[str, ...]
    columns: tuple[DataColumn, ...]
    license: str
    sqrt_s: float | None
    figure: bytes | None = None

    @property
    def stem(self) -> str:
        """What its files are named after."""
        return self.name.lower().replace(" ", "_")


def cells(values: Iterable[float]) -> tuple[Cell, ...]:
    """Numbers as cells; what is not finite, such as a limit that does not exist, is a dash."""
    return tuple(float(value) if math.isfinite(value) else _NO_NUMBER for value in values)


def rows_shown(count: int, most: int) -> NDArray[np.intp]:
    """Which of `count` rows to show: at most so many, evenly from the first to the last."""
    return np.unique(np.linspace(0, count - 1, min(count, most)).round().astype(np.intp))
