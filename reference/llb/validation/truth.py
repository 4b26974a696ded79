"""Level 5: the teacher's tables belong to the domain, and the bundle gives what they say of real signals."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from llb.evaluation import compare_benchmarks, read_benchmarks, read_heldout
from llb.runtime import ProfileLikelihood
from llb_schema import Finding, finding

__all__ = ["missed_benchmarks", "outside"]

_RELATIVE, _ABSOLUTE_CLS = 0.1, 1e-3
"""CLAIM-3: how far CLs and upper limits may be from the teacher's."""

_MAX_FINDINGS = 20


def outside(model: ProfileLikelihood) -> Iterator[Finding]:
    """Held-out points outside the domain by the teacher's values (HELDOUT-3).

    Raises:
        FindingError: the table cannot be read.
    """
    heldout, domain = read_heldout(model.bundle), model.bundle.manifest.domain
    inside = np.all((heldout.signals >= domain.lower) & (heldout.signals <= domain.upper), axis=1)
    if domain.delta_nll_max is not None:
        inside &= heldout.delta.max(axis=1) <= domain.delta_nll_max
    rows, path = np.flatnonzero(~inside), model.bundle.manifest.validation.heldout
    for row in rows[:_MAX_FINDINGS]:
        message = f"the held-out point {heldout.names[row]!r} lies outside the domain"
        yield finding("LLB-C006", message, pointer=f"{path}:{row + 2}")
    if len(rows) > _MAX_FINDINGS:
        yield finding("LLB-S016", f"{len(rows) - _MAX_FINDINGS} more points lie outside", pointer=path)


def missed_benchmarks(model: ProfileLikelihood) -> Iterator[Finding]:
    """Benchmarks whose CLs or upper limit the bundle misses inside its domain (CLAIM-3).

    Raises:
        FindingError: the table cannot be read; the graph fails when it is run.
    """
    benchmarks = read_benchmarks(model.bundle)
    if benchmarks is None:
        return
    path = model.bundle.manifest.validation.benchmarks
    for row, (found, cls, upper) in enumerate(compare_benchmarks(model, benchmarks)):
        for name, got, truth, floor, flag in (
            ("cls_observed", found.cls_observed, cls, _ABSOLUTE_CLS, "cls"),
            ("upper_limit_observed", found.upper_limit_observed, upper, 0.0, "upper_limit_observed"),
        ):
            # Written so that NaN is caught.
            good = abs(got - truth) <= floor + _RELATIVE * abs(truth)
            if not good and f"beyond_domain:{flag}" not in found.flags:
                message = (
                    f"{name} of the benchmark {found.name!r} is {got:.4g}, and {truth:.4g} by the teacher"
                )
                place = f"{path}:{row + 2}"
                yield finding("LLB-C007", message, pointer=place, expected=repr(truth), actual=repr(got))
