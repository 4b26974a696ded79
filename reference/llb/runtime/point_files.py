"""Files of points: JSON `{name: value}` or `{point: {name: value}}`, and CSV with the names as header."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from llb.bundle import parse_json
from llb.runtime.density import Density
from llb.runtime.density_input import condition_rows, rows_of
from llb.runtime.input_file import read_input
from llb_schema import Finding, FindingError, finding

__all__ = ["PointTable", "read_points"]

Array = NDArray[np.float64]

_NAME = "name"
# Faulty points that are reported.
_MAX_FINDINGS = 20


@dataclass(frozen=True)
class PointTable:
    """Points that are ready for a density.

    Attributes:
        names: one name a point.
        points: (n, parameters) in the order of the columns.
        conditions: (n, conditions); None of a density without any.
    """

    names: tuple[str, ...]
    points: Array
    conditions: Array | None


def read_points(path: Path, density: Density) -> PointTable:
    """The points of a file; the suffix `.csv` means CSV, anything else JSON.

    Conditions stand beside the parameters. A CSV may have a column `name`; a single JSON point is named after
    the file.

    Args:
        path: the file.
        density: whose parameters and conditions the file has to name.

    Raises:
        FindingError: `LLB-X003` unreadable, `LLB-P...` too large or not strict JSON, `LLB-Y107` neither form,
            or no point in it, and `LLB-Y101` to `LLB-Y105` of the points.
    """
    data = read_input(path)
    rows = _from_csv(data, path) if path.suffix.lower() == ".csv" else _from_json(data, path)
    if not rows:
        raise FindingError(_malformed(path, "at least one point", "none"))
    points: list[Array] = []
    conditions: list[Array] = []
    faults: list[Finding] = []
    for name, values in rows:
        try:
            point, condition = _split(values, density)
            points.append(point)
            if condition is not None:
                conditions.append(condition)
        except FindingError as error:
            faults += [_placed(item, f"{path}: {name}") for item in error.findings]
        if len(faults) >= _MAX_FINDINGS:
            break
    if faults:
        raise FindingError(faults)
    names = tuple(name for name, _ in rows)
    return PointTable(names, np.concatenate(points), np.concatenate(conditions) if conditions else None)


def _split(values: Mapping[str, Any], density: Density) -> tuple[Array, Array | None]:
    """The values of one point and of its conditions, (1, columns) each."""
    # A string would be read as a number, true as 1.
    wrong = [name for name, value in values.items() if isinstance(value, bool | str) or value is None]
    if wrong:
        actual = repr(values[wrong[0]])[:40]
        raise FindingError(finding("LLB-Y103", f"{wrong[0]} is no number", actual=actual))
    known = {name: values[name] for name in density.conditions if name in values}
    rest = {name: value for name, value in values.items() if name not in known}
    condition = condition_rows(known or None, density.conditions, 1)
    return rows_of(rest, density.parameters), condition


def _placed(item: Finding, place: str) -> Finding:
    return finding(item.code, item.message, pointer=place, expected=item.expected, actual=item.actual)


def _from_json(data: bytes, path: Path) -> list[tuple[str, Mapping[str, Any]]]:
    document = parse_json(data, str(path))
    if not isinstance(document, dict):
        raise FindingError(_malformed(path, "a JSON object", type(document).__name__))
    nested = [isinstance(value, dict) for value in document.values()]
    if any(nested) and not all(nested):
        raise FindingError(_malformed(path, "one point or named points", "a mixture of both"))
    return list(document.items()) if any(nested) else [(path.stem, document)]


def _from_csv(data: bytes, path: Path) -> list[tuple[str, Mapping[str, Any]]]:
    try:
        rows = list(csv.reader(io.StringIO(data.decode("utf-8-sig"), newline=""), strict=True))
    except (UnicodeDecodeError, csv.Error) as error:
        raise FindingError(_malformed(path, "CSV in UTF-8", str(error))) from error
    header = [name.strip() for name in rows[0]] if rows else []
    if len(set(header)) < len(header):
        raise FindingError(_malformed(path, "each column once", ", ".join(header)[:80]))
    found: list[tuple[str, Mapping[str, Any]]] = []
    for line, row in enumerate(rows[1:], start=1):
        if not row:
            continue
        if len(row) != len(header):
            raise FindingError(_malformed(path, f"{len(header)} cells in row {line}", f"{len(row)}"))
        cells: dict[str, Any] = dict(zip(header, row, strict=True))
        name = str(cells.pop(_NAME, f"point-{line}"))
        found.append((name, {key: _number(cell) for key, cell in cells.items()}))
    return found


def _number(cell: str) -> float | str:
    """The number, or the text itself, which is then reported with its name."""
    # Python also reads 1_000 and the digits of every script.
    text = cell.strip()
    if not text.isascii() or "_" in text:
        return cell
    try:
        return float(text)
    except ValueError:
        return cell


def _malformed(path: Path, expected: str, actual: str) -> Finding:
    message = f"{path.name} is no file of points"
    return finding("LLB-Y107", message, pointer=str(path), expected=expected, actual=actual)
