"""The held-out table of an imported bundle: the teacher's truth, or else what is true by definition."""

from __future__ import annotations

import csv
import io
import math
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from llb.bundle import Metric
from llb.evaluation import Comparison, accuracy
from llb.interop.olll_graph import CURVE_ORDER
from llb.interop.olll_manifest import Imported, heldout_table
from llb.interop.olll_network import read_file
from llb.runtime import GraphSession
from llb_schema import FindingError, finding

__all__ = ["Truth", "truth_of"]

Floats = NDArray[np.float64]

_NOTHING = (
    "No truth came with the imported file. The only point of the table is no signal, where Delta NLL is 0 by "
    "definition in teacher and graph alike: the metrics say nothing about the accuracy."
)


@dataclass(frozen=True)
class Truth:
    """Points that training never saw: the table, where it comes from, and the accuracy on it."""

    table: bytes
    method: str
    metrics: tuple[Metric, ...]


def truth_of(item: Imported, session: GraphSession, path: Path | None) -> Truth:
    """The held-out points.

    Args:
        item: the import.
        session: the graph of the bundle.
        path: a CSV table with the columns `name`, the bin ids and `CURVE_ORDER`, in any order; others are
            left out, and so are points outside of the domain by the table's values (HELDOUT-3).

    Raises:
        FindingError: `LLB-X003`, the table cannot be read; `LLB-M026`, a column is missing; `LLB-M027`, a row
            cannot be used; `LLB-T021`, no point lies in the domain.
    """
    if path is None:
        names, signals = ("zero",), np.zeros((1, len(item.bin_ids)))
        truth, method = np.zeros((1, len(CURVE_ORDER))), _NOTHING
    else:
        names, signals, truth = _read(path, item.bin_ids)
        keep = _inside(item, signals, truth)
        if not keep.any():
            raise FindingError(finding("LLB-T021", pointer=str(path)))
        names = tuple(name for name, kept in zip(names, keep, strict=True) if kept)
        signals, truth = signals[keep], truth[keep]
        method = (
            f"{len(names)} points of the teacher that whoever imported the file has given ({path.name}) and "
            f"vouches for; {int((~keep).sum())} others of them lie outside of the domain and are left out."
        )
    predicted = session.run(signals)
    metrics = accuracy(
        Comparison(curve, truth[:, column], predicted[:, column].astype(np.float64))
        for column, curve in enumerate(CURVE_ORDER)
    )
    return Truth(heldout_table(item.bin_ids, names, signals, truth), method, metrics)


def _inside(item: Imported, signals: Floats, truth: Floats) -> NDArray[np.bool_]:
    domain = item.domain
    lower, upper = np.array(domain.lower), np.array(domain.upper)
    largest = math.inf if domain.delta_nll_max is None else domain.delta_nll_max
    return np.all((signals >= lower) & (signals <= upper), axis=1) & (truth.max(axis=1) <= largest)


def _read(path: Path, bin_ids: tuple[str, ...]) -> tuple[tuple[str, ...], Floats, Floats]:
    text = read_file(path).decode("utf-8", "replace")
    try:
        rows = list(csv.reader(io.StringIO(text, newline=""), strict=True))
    except csv.Error as error:
        raise FindingError(finding("LLB-P010", f"this is not CSV: {error}", pointer=str(path))) from error
    header = rows[0] if rows else []
    wanted = ["name", *bin_ids, *CURVE_ORDER]
    missing = [name for name in wanted if header.count(name) != 1]
    if missing:
        message = f"the table has no column {missing[0]}, or more than one"
        raise FindingError(finding("LLB-M026", message, pointer=str(path), expected=",".join(wanted)[:200]))
    places = [header.index(name) for name in wanted]
    numbers = list[list[float]]()
    for line, row in enumerate(rows[1:], start=2):
        try:
            cells = [float(row[place]) for place in places[1:]]
        except (IndexError, ValueError):
            cells = [math.nan]
        if not all(map(math.isfinite, cells)):
            raise FindingError(finding("LLB-M027", pointer=f"{path}:{line}"))
        numbers.append(cells)
    table = np.array(numbers, np.float64).reshape(len(numbers), len(wanted) - 1)
    names = tuple(row[places[0]] for row in rows[1:])
    return names, table[:, : len(bin_ids)], table[:, len(bin_ids) :]
