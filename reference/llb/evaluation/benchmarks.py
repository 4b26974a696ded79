"""The benchmarks in a bundle: real signals with the teacher's CLs and upper limits, and the bundle's own."""

from __future__ import annotations

import csv
import io
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from llb.bundle import Bundle
from llb.evaluation.signal_errors import SignalNumbers
from llb.evaluation.table import read_table

if TYPE_CHECKING:
    from llb.runtime import Limits, ProfileLikelihood

__all__ = ["Benchmarks", "benchmark_truth", "compare_benchmarks", "read_benchmarks"]

Floats = NDArray[np.float64]

_NUMBERS = ("mu_hat", "cls_observed", "cls_expected", "upper_limit_observed", "upper_limit_expected")


@dataclass(frozen=True, eq=False)
class Benchmarks:
    """Real signals with results of the teacher.

    Attributes:
        names: of the signals.
        signals: (n, n_bins) yields in events, by input column.
        cls_observed: (n,) observed CLs at mu = 1.
        upper_limit_observed: (n,) observed upper limits on mu at 95 %.
    """

    names: tuple[str, ...]
    signals: Floats
    cls_observed: Floats
    upper_limit_observed: Floats


def read_benchmarks(bundle: Bundle) -> Benchmarks | None:
    """The benchmark table of a bundle; None where there is none.

    Raises:
        FindingError: `LLB-I...`, the file was changed; `LLB-M026`, another header; `LLB-M027`, a row
            cannot be used.
    """
    manifest = bundle.manifest
    path = manifest.validation.benchmarks
    if path is None:
        return None
    header = ["name", *manifest.bin_ids, "cls_observed", "upper_limit_observed"]
    names, table = read_table(bundle, path, header)
    width = len(manifest.bin_ids)
    return Benchmarks(names, table[:, :width], table[:, width], table[:, width + 1])


def benchmark_truth(bundle: Bundle) -> SignalNumbers | None:
    """The teacher's numbers in the benchmark table, NaN where it has no column for them; None without one.

    Raises:
        FindingError: as `read_benchmarks`.
    """
    path = bundle.manifest.validation.benchmarks
    if path is None:
        return None
    header = next(csv.reader(io.StringIO(bundle.read(path).decode("utf-8", "replace"), newline="")), [])
    # Up to the last column that is meant; its maker may have put others between.
    places = {name: header.index(name) for name in _NUMBERS if name in header}
    names, table = read_table(bundle, path, header[: max(places.values(), default=0) + 1])
    columns = {
        name: table[:, places[name] - 1] if name in places else np.full(len(names), np.nan)
        for name in _NUMBERS
    }
    return SignalNumbers(names, **columns)


def compare_benchmarks(model: ProfileLikelihood, benchmarks: Benchmarks) -> list[tuple[Limits, float, float]]:
    """The bundle's answer for every benchmark, the teacher's CLs and the teacher's upper limit."""
    # limits need scipy, which takes longer to load than a table to read
    from llb.runtime import Signals, limits

    found = limits(model, Signals(benchmarks.names, benchmarks.signals))
    cls, upper = benchmarks.cls_observed.tolist(), benchmarks.upper_limit_observed.tolist()
    return list(zip(found, cls, upper, strict=True))
