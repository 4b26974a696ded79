"""Level 5: what a bundle claims is what its own files give."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from llb.bundle import Coverage, Metric
from llb.evaluation import accuracy, compare_heldout, coverage
from llb.runtime import ProfileLikelihood
from llb.validation.truth import missed_benchmarks, outside
from llb_schema import Finding, finding

__all__ = ["CLAIM_PRECISION", "Claim", "check_claims", "compare_claims"]

CLAIM_PRECISION = {"float64": 1e-6, "float32": 1e-4}
"""CLAIM-2: how far a number may be from the one recomputed, by the graph's element type."""

_RELATIVE = 1e-3


@dataclass(frozen=True)
class Claim:
    """Numbers about one curve in one region.

    Attributes:
        curve: what they are about.
        region: where.
        points: from so many points.
        numbers: by name.
        more_is_better: whether a larger number is the better one (a fraction of points), or the worse (an
            error).
    """

    curve: str
    region: str
    points: int
    numbers: dict[str, float]
    more_is_better: bool = False

    @classmethod
    def of_metric(cls, metric: Metric) -> Claim:
        """A metric of Delta NLL."""
        numbers = {"median": metric.median, "p95": metric.p95, "p99": metric.p99, "max": metric.max}
        return cls(metric.curve, metric.region, metric.count, numbers)

    @classmethod
    def of_coverage(cls, item: Coverage) -> Claim:
        """How often the stated error covers the true one."""
        numbers = {"within_68": item.within_68, "within_95": item.within_95}
        return cls(item.curve, "decision", item.points, numbers, more_is_better=True)


def check_claims(model: ProfileLikelihood) -> tuple[Finding, ...]:
    """All findings about the claims of a bundle, from its tables and its own graph, sorted by code and place.

    Raises:
        FindingError: a table cannot be read; the graph fails when it is run.
    """
    manifest, found = model.bundle.manifest, compare_heldout(model)
    absolute = CLAIM_PRECISION[model.dtype.name]
    metrics = [Claim.of_metric(item) for item in manifest.validation.metrics]
    covered = [Claim.of_coverage(item) for item in manifest.uncertainty.coverage]
    findings = [
        *outside(model),
        *compare_claims(
            metrics, [Claim.of_metric(item) for item in accuracy(found)], "/validation/metrics", absolute
        ),
        *compare_claims(
            covered, [Claim.of_coverage(item) for item in coverage(found)], "/uncertainty/coverage", absolute
        ),
        *missed_benchmarks(model),
    ]
    return tuple(sorted(findings, key=lambda item: (item.code, item.pointer)))


def compare_claims(
    claimed: Sequence[Claim], recomputed: Sequence[Claim], place: str, absolute: float
) -> Iterator[Finding]:
    """What is claimed against what was recomputed, by curve and region.

    Args:
        claimed: in the order of the manifest.
        recomputed: all that there is to claim.
        place: JSON pointer to the list of claims.
        absolute: tolerance, to which 0.001 of the number is added and, for fractions of points, one point.
    """
    truth = {(item.curve, item.region): item for item in recomputed}
    counts = Counter((item.curve, item.region) for item in claimed)
    for curve, region in truth.keys() - counts.keys():
        yield finding("LLB-C001", f"nothing is claimed of {curve} in the region {region}", pointer=place)
    for position, item in enumerate(claimed):
        key, where = (item.curve, item.region), f"{place}/{position}"
        name = f"{item.curve} in the region {item.region}"
        if counts[key] > 1:
            yield finding("LLB-C008", f"{name} is claimed {counts[key]} times", pointer=where)
        elif key not in truth:
            yield finding("LLB-C005", f"the bundle has no points to recompute {name}", pointer=where)
        else:
            yield from _one(item, truth[key], where, absolute)


def _one(item: Claim, truth: Claim, where: str, absolute: float) -> Iterator[Finding]:
    if item.points != truth.points:
        message = f"{item.curve} in the region {item.region} has {truth.points} points"
        yield finding("LLB-C004", message, pointer=where, expected=truth.points, actual=item.points)
    for name, value in item.numbers.items():
        actual = truth.numbers[name]
        allowed = absolute + _RELATIVE * abs(actual) + (1.0 / truth.points if item.more_is_better else 0.0)
        excess = value - actual if item.more_is_better else actual - value
        # Written so that NaN is caught.
        if abs(excess) <= allowed:
            continue
        code, word = ("LLB-C003", "worse") if excess < 0.0 else ("LLB-C002", "better")
        yield finding(
            code,
            f"{name} of {item.curve} in the region {item.region} is claimed {word} than it is",
            pointer=f"{where}/{name}",
            expected=f"{actual!r} within {allowed:.2g}",
            actual=repr(value),
        )
