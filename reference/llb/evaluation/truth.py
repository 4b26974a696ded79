"""The teacher's truth in a bundle, and the bundle compared with it: claims can be recomputed by anyone."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from llb.bundle import Bundle
from llb.evaluation.metrics import Comparison
from llb.evaluation.table import read_table
from llb.runtime import ProfileLikelihood

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
    names, table = read_table(bundle, path, header)
    width = len(manifest.bin_ids)
    return HeldOut(names, table[:, :width], table[:, width:])


def compare_heldout(model: ProfileLikelihood) -> tuple[Comparison, ...]:
    """The bundle's graph against its own held-out truth, one comparison per curve that is no alias.

    Raises:
        FindingError: see `read_heldout`; the graph fails.
    """
    heldout = read_heldout(model.bundle)
    predicted, sigma = model.columns_with_sigma(heldout.signals)
    return tuple(
        Comparison(
            curve.name,
            heldout.delta[:, curve.column],
            predicted[:, curve.column],
            sigma[:, curve.column] if model.has_uncertainty else None,
        )
        for curve in model.bundle.manifest.own_curves
    )
