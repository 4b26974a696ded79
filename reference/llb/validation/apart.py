"""How far apart the numbers of two bundles are, at the test vectors of the first."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from llb.runtime import ProfileLikelihood
from llb.validation.semantics import read_vectors
from llb.validation.vectors import TestVectors, check_vectors
from llb_schema import FindingError, has_errors

__all__ = ["CurveDistance", "Distance", "distance"]


@dataclass(frozen=True)
class CurveDistance:
    """The largest difference of Delta NLL in one curve.

    Attributes:
        curve: name of the curve.
        largest: absolute difference, in NLL units; infinite where one of the two is not finite.
        case: name of the test vector where it is.
        first, second: Delta NLL there.
    """

    curve: str
    largest: float
    case: str
    first: float
    second: float


@dataclass(frozen=True)
class Distance:
    """Differences of Delta NLL between two bundles.

    Attributes:
        curves: by curve, aliases included, those that both have, in the order of the first bundle.
        cases: number of test vectors.
        outside: how many of them lie outside the domain of the second bundle.
    """

    curves: tuple[CurveDistance, ...]
    cases: int
    outside: int


def distance(first: ProfileLikelihood, second: ProfileLikelihood) -> Distance:
    """Compares Delta NLL at the signals of the first bundle's test vectors, each taken by bin id.

    Raises:
        FindingError: `LLB-Y001` or `LLB-Y002`, the second bundle has other bins; whatever is wrong with the
            test vectors; `LLB-G015`, a graph fails.
    """
    bundle = first.bundle
    raw = read_vectors(bundle)
    findings = check_vectors(raw, bundle.manifest, bundle.manifest.validation.vectors)
    if has_errors(findings):
        raise FindingError(findings)
    vectors = TestVectors.from_json(raw, bundle.manifest)
    signals = [dict(zip(first.bin_ids, row, strict=True)) for row in vectors.signals.tolist()]
    there = np.stack([second.signal(signal) for signal in signals])
    one, two = first.delta_nll(vectors.signals), second.delta_nll(there)
    curves: list[CurveDistance] = []
    for name in (name for name in one if name in two):
        with np.errstate(invalid="ignore"):
            apart = np.abs(two[name] - one[name])
        apart[~np.isfinite(apart)] = np.inf
        worst = int(apart.argmax())
        curves.append(
            CurveDistance(
                name,
                float(apart[worst]),
                vectors.names[worst],
                float(one[name][worst]),
                float(two[name][worst]),
            )
        )
    return Distance(tuple(curves), len(signals), int((~second.in_domain(there)).sum()))
