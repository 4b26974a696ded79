"""The tables of teacher truth: held-out points and benchmarks."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Sequence

import numpy as np
from numpy.typing import NDArray

from llb.bundle import Domain
from llb_schema import FindingError, finding
from llb_trainer.export.emit.emission import Benchmark, Emission
from llb_trainer.labels import LabelSet, take

__all__ = ["Truth", "benchmark_table", "heldout_table", "heldout_truth"]

Floats = NDArray[np.float64]

_NUMBERS = ("cls_observed", "upper_limit_observed", "mu_hat", "cls_expected", "upper_limit_expected")
"""Columns of the benchmark table; the first two are required."""

Truth = tuple[Floats, Floats]
"""Signals (n, n_bins) and the teacher's Delta NLL (n, n_curves)."""


def heldout_truth(labels: LabelSet, domain: Domain) -> Truth:
    """The held-out signals in the domain, by the teacher's value and not by the network's.

    Raises:
        FindingError: LLB-T021 there is none.
    """
    signals = labels.heldout.signals
    inside = labels.heldout.usable & np.all((signals >= domain.lower) & (signals <= domain.upper), axis=1)
    if domain.delta_nll_max is not None:
        for curve in labels.heldout.curves:
            inside &= curve.delta <= domain.delta_nll_max
    if not inside.any():
        raise FindingError(finding("LLB-T021", actual=f"0 of {len(signals)}"))
    kept = take(labels.heldout, inside)
    return kept.signals, kept.delta


def heldout_table(emission: Emission, truth: Truth) -> bytes:
    """`name`, the bin ids, then the curves, as CSV."""
    rows = np.concatenate(truth, axis=1).tolist()
    header = ("name", *emission.bin_ids, *emission.curves)
    return _csv(header, ((f"heldout-{row}", *values) for row, values in enumerate(rows)))


def benchmark_table(bin_ids: Sequence[str], benchmarks: Iterable[Benchmark]) -> bytes:
    """`name`, the bin ids, then the teacher's numbers, as CSV (HELDOUT-1)."""
    rows = (
        (item.name, *item.signal.tolist(), *(getattr(item, key) for key in _NUMBERS)) for item in benchmarks
    )
    return _csv(("name", *bin_ids, *_NUMBERS), rows)


def _csv(header: Sequence[str], rows: Iterable[Sequence[str | float]]) -> bytes:
    """Doubles are written by `repr`, which restores every bit."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(header)
    for name, *values in rows:
        writer.writerow([name, *(repr(float(value)) for value in values)])
    return text.getvalue().encode()
