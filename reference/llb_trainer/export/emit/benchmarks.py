"""Exact limits of the teacher as rows of the benchmark table."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import astuple

from llb_trainer.exact import ExactLimits
from llb_trainer.export.emit.emission import Benchmark

__all__ = ["benchmarks_of"]


def benchmarks_of(exact: Iterable[ExactLimits]) -> tuple[Benchmark, ...]:
    """A row a signal, in order; a signal without all of its numbers has none (HELDOUT-2)."""
    rows = (
        Benchmark(
            name=item.name,
            signal=item.signal,
            cls_observed=item.cls_observed,
            upper_limit_observed=item.upper_limit_observed,
            mu_hat=item.mu_hat,
            cls_expected=item.cls_expected_median,
            upper_limit_expected=item.upper_limit_expected_median,
        )
        for item in exact
    )
    return tuple(row for row in rows if all(math.isfinite(value) for value in astuple(row)[2:]))
