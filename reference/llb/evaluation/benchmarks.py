"""The benchmarks in a bundle: real signals with the teacher's CLs and upper limits, and the bundle's own."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from llb.bundle import Bundle
from llb.evaluation.table import read_table

if TYPE_CHECKING:
    from llb.runtime import Limits, ProfileLikelihood

__all__ = ["Benchmarks", "compare_benchmarks", "read_benchmarks"]

Floats = NDArray[np.float64]


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


def compare_benchmarks(model: ProfileLikelihood, benchmarks: Benchmarks) -> list[tuple[Limits, float, float]]:
    """The bundle's answer for every benchmark, the teacher's CLs and the teacher's upper limit."""
    # limits need scipy, which takes longer to load than a table to read
    from llb.runtime import Signals, limits

    found = limits(model, Signals(benchmarks.names, benchmarks.signals))
    cls, upper = benchmarks.cls_observed.tolist(), benchmarks.upper_limit_observed.tolist()
    return list(zip(found, cls, upper, strict=True))
