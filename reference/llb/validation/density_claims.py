"""Level 5 of a density: what the bundle claims is what its own files and graphs give."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

import numpy as np

from llb.bundle import LogProbMetric, SampleMetric
from llb.evaluation import DensityHeldOut, density_accuracy, density_distances
from llb.runtime import Density
from llb.validation.claims import CLAIM_PRECISION, Claim, compare_claims
from llb_schema import Finding, finding

__all__ = ["check_density_claims"]

_MAX_FINDINGS = 20
_DEVIATIONS, _RELATIVE, _RATIO = 4.0, 1e-3, 3.0
"""CLAIM-5: how far distances may be off, in `null_std` and relative, and by which factor that itself."""


def check_density_claims(density: Density, heldout: DensityHeldOut) -> tuple[Finding, ...]:
    """All findings about the claims of a density, from its held-out points and graphs, sorted.

    Raises:
        FindingError: a graph fails when it is run.
    """
    # Where the density is 0 no error of its logarithm is a number.
    if outside := tuple(_outside(density, heldout)):
        return outside
    claimed = [_claim(item) for item in density.manifest.validation.metrics]
    found = [_claim(item) for item in density_accuracy(density, heldout)]
    precision = CLAIM_PRECISION[density.dtype.name]
    findings = [
        *compare_claims(claimed, found, "/validation/metrics", precision),
        *_distances(density, heldout),
    ]
    return tuple(sorted(findings, key=lambda item: (item.code, item.pointer)))


def _claim(item: LogProbMetric) -> Claim:
    numbers = {"median": item.median, "p95": item.p95, "p99": item.p99, "max": item.max}
    return Claim("log_prob", "all", item.count, numbers)


def _outside(density: Density, heldout: DensityHeldOut) -> Iterator[Finding]:
    """Held-out points where the density is 0 (HELDOUT-5)."""
    rows, path = np.flatnonzero(~density.in_bounds(heldout.points)), density.manifest.validation.heldout
    for row in rows[:_MAX_FINDINGS]:
        message = f"the held-out point {heldout.names[row]!r} lies outside of the bounds"
        yield finding("LLB-C009", message, pointer=f"{path}:{row + 2}")
    if len(rows) > _MAX_FINDINGS:
        yield finding("LLB-S016", f"{len(rows) - _MAX_FINDINGS} more points lie outside", pointer=path)


def _distances(density: Density, heldout: DensityHeldOut) -> Iterator[Finding]:
    claimed = density.manifest.validation.sample_metrics
    counts = Counter(item.quantity for item in claimed)
    # One choice of samples serves all distances that were computed with it.
    groups: dict[tuple[int, int, int], list[int]] = {}
    for position, item in enumerate(claimed):
        place = f"/validation/sample_metrics/{position}"
        if counts[item.quantity] > 1:
            message = f"{item.quantity} is claimed {counts[item.quantity]} times"
            yield finding("LLB-C008", message, pointer=place)
        elif 2 * item.n > len(heldout.points):
            expected = f"at most {len(heldout.points) // 2}"
            yield finding("LLB-C010", pointer=f"{place}/n", expected=expected, actual=item.n)
        else:
            groups.setdefault((item.n, item.repetitions, item.seed), []).append(position)
    for (count, repetitions, seed), positions in groups.items():
        quantities = [claimed[position].quantity for position in positions]
        found = density_distances(
            density, heldout, count=count, quantities=quantities, repetitions=repetitions, seed=seed
        )
        for position, truth in zip(positions, found, strict=True):
            yield from _one(claimed[position], truth, f"/validation/sample_metrics/{position}")


def _one(item: SampleMetric, truth: SampleMetric, place: str) -> Iterator[Finding]:
    """A distance as claimed and as recomputed: a smaller value is better, a larger null makes it look so."""
    for name, more_is_better in (("value", False), ("null", True), ("null_std", True)):
        stated, actual = float(getattr(item, name)), float(getattr(truth, name))
        allowed = _DEVIATIONS * truth.null_std + _RELATIVE * abs(actual)
        excess = (stated - actual) * (1.0 if more_is_better else -1.0)
        good = abs(excess) <= allowed
        if name == "null_std":
            good = actual / _RATIO <= stated <= actual * _RATIO
        # Written so that NaN is caught.
        if good:
            continue
        code, word = ("LLB-C003", "worse") if excess < 0.0 else ("LLB-C002", "better")
        expected = f"within a factor of {_RATIO:g}" if name == "null_std" else f"within {allowed:.2g}"
        yield finding(
            code,
            f"{name} of {item.quantity} is claimed {word} than it is",
            pointer=f"{place}/{name}",
            expected=f"{actual!r} {expected}",
            actual=repr(stated),
        )
