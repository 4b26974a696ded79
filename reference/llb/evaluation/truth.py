"""The teacher's truth in a bundle, and the bundle compared with it: claims can be recomputed by anyone."""

from __future__ import annotations

import csv
import io
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from llb.bundle import Bundle
from llb.evaluation.metrics import Comparison
from llb.runtime import ProfileLikelihood
from llb_schema import FindingError, finding

__all__ = ["HeldOut", "compare_heldout", "read_heldout"]

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class HeldOut:
    """Points that training never saw.

    Attributes:
        names: of the points.
        signals: (n, n_bins) yields in events, by input column.
        delta: (n, n_curves) the teacher's Delta NLL, by output column.
    """

    names: tuple[str, ...]
    signals: Floats
    delta: Floats


def read_heldout(bundle: Bundle) -> HeldOut:
    """The held-out table of a bundle.

    Raises:
        FindingError: `LLB-I...`, the file was changed; `LLB-M026`, another header; `LLB-M027`, a row
            cannot be used.
    """
    manifest = bundle.manifest
    path = manifest.validation.heldout
    header = ["name", *manifest.bin_ids, *(curve.name for curve in manifest.own_curves)]
    rows = list(csv.reader(io.StringIO(bundle.read(path).decode("utf-8", "replace"), newline="")))
    if not rows or rows[0] != header:
        raise FindingError(finding("LLB-M026", pointer=path, expected=",".join(header)[:200]))
    try:
        table = np.array([row[1:] for row in rows[1:]], np.float64).reshape(len(rows) - 1, len(header) - 1)
    except ValueError as error:
        raise FindingError(finding("LLB-M027", pointer=path)) from error
    if not len(table) or not np.isfinite(table).all():
        raise FindingError(finding("LLB-M027", pointer=path))
    width = len(manifest.bin_ids)
    return HeldOut(tuple(row[0] for row in rows[1:]), table[:, :width], table[:, width:])


def compare_heldout(model: ProfileLikelihood) -> tuple[Comparison, ...]:
    """The bundle's graph against its own held-out truth, one comparison per curve that is no alias.

    Raises:
        FindingError: see `read_heldout`; the graph fails.
    """
    heldout = read_heldout(model.bundle)
    predicted = model.columns(heldout.signals)
    return tuple(
        Comparison(curve.name, heldout.delta[:, curve.column], predicted[:, curve.column])
        for curve in model.bundle.manifest.own_curves
    )
