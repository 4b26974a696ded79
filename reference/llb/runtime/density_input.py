"""Parameters and conditions of a density as arrays, by name or in the order of the columns."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray

from llb_schema import Finding, FindingError, finding

__all__ = ["Points", "condition_rows", "rows_of"]

Array = NDArray[np.float64]
Points = Mapping[str, ArrayLike] | ArrayLike
"""Points by name, each a number or an array (n,), or an array (n, columns); one point may be (columns,)."""


def rows_of(points: Points, names: Sequence[str], what: str = "parameter") -> Array:
    """Points as float64 of shape (n, len(names)), with every value finite.

    Args:
        points: by name, numbers of one point or arrays of n of them, or an array in the order of the columns.
        names: names of the columns.
        what: what a column is, for the findings.

    Raises:
        FindingError: `LLB-Y101`, a name is unknown; `LLB-Y102`, one is missing; `LLB-Y103`, a value is no
            finite number; `LLB-Y104`, another shape.
    """
    array = _stacked(points, names, what) if isinstance(points, Mapping) else _numbers(points, what)
    if array.ndim == 1:
        array = array[np.newaxis]
    if array.ndim != 2 or array.shape[1] != len(names):
        expected = f"(n, {len(names)})"
        raise FindingError(finding("LLB-Y104", expected=expected, actual=str(array.shape)))
    faulty = np.argwhere(~np.isfinite(array))
    if faulty.size:
        row, column = (int(value) for value in faulty[0])
        value = float(array[row, column])
        message = f"the {what} {names[column]} of point {row} is {value}"
        raise FindingError(finding("LLB-Y103", message, expected="a finite number", actual=value))
    return array


def condition_rows(condition: Points | None, names: Sequence[str], count: int) -> Array | None:
    """The conditions of `count` points, (count, len(names)); None for a density without any.

    One row serves all points.

    Raises:
        FindingError: `LLB-Y105`, conditions are missing, are given to a density without any, or are for
            another number of points; and as `rows_of`.
    """
    if not names:
        if condition is not None:
            raise FindingError(finding("LLB-Y105", "the density has no conditions, and some are given"))
        return None
    if condition is None:
        message = "the density is conditional, and no conditions are given"
        raise FindingError(finding("LLB-Y105", message, expected=", ".join(names)[:200]))
    rows = rows_of(condition, names, "condition")
    if len(rows) not in (1, count):
        expected, actual = f"1 or {count} rows", f"{len(rows)} rows"
        raise FindingError(finding("LLB-Y105", expected=expected, actual=actual))
    return np.broadcast_to(rows, (count, len(names)))


def _stacked(points: Mapping[str, ArrayLike], names: Sequence[str], what: str) -> Array:
    faults = [
        _named("LLB-Y101", f"there is no {what} {name!r}", names) for name in points if name not in names
    ]
    faults += [
        _named("LLB-Y102", f"the {what} {name!r} is missing", names) for name in names if name not in points
    ]
    if faults:
        raise FindingError(faults)
    columns = [_numbers(points[name], what) for name in names]
    try:
        return np.stack(np.broadcast_arrays(*columns), axis=-1)
    except ValueError as error:
        actual = ", ".join(str(column.shape) for column in columns[:10])
        raise FindingError(finding("LLB-Y104", expected="arrays of one length", actual=actual)) from error


def _named(code: str, message: str, names: Sequence[str]) -> Finding:
    return finding(code, message, expected=", ".join(names)[:200])


def _numbers(values: ArrayLike, what: str) -> Array:
    try:
        return np.asarray(values, dtype=np.float64)
    except (TypeError, ValueError) as error:
        message = f"the values of a {what} are no numbers"
        raise FindingError(finding("LLB-Y103", message, actual=repr(values)[:80])) from error
