"""Level 4: what a graph states as its own error can be one (NUMERICS-6)."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from llb.runtime import ProfileLikelihood
from llb.validation.vectors import TestVectors, reproduces
from llb_schema import Finding, finding

__all__ = ["check_sigma"]

Array = NDArray[np.float64]

_PLACE = "/uncertainty/output"
_MAX_FINDINGS = 20
_MAX_SINGLE = 64


def check_sigma(model: ProfileLikelihood, vectors: TestVectors, probes: Array) -> Iterator[Finding]:
    """All findings about the stated error of Delta NLL; none where the bundle states none.

    Args:
        model: the bundle with its graph.
        vectors: its test vectors, of whose signals and tolerance use is made.
        probes: (n, n_bins) points of the domain's box.

    Raises:
        FindingError: the graph fails when it is run.
    """
    if model.has_uncertainty:
        curves = [curve.name for curve in model.bundle.manifest.own_curves]
        yield from _range(model, curves, np.vstack([probes, vectors.signals]))
        yield from _zero(model, curves, probes)
        yield from _single(model, curves, vectors)


def _sigma(model: ProfileLikelihood, signals: Array) -> Array:
    return model.columns_with_sigma(signals)[1]


def _range(model: ProfileLikelihood, curves: list[str], points: Array) -> Iterator[Finding]:
    sigma = _sigma(model, points)
    # `>=` is false for NaN too.
    wrong = ~(np.isfinite(sigma) & (sigma >= 0.0))
    for row, column in np.argwhere(wrong)[:_MAX_FINDINGS]:
        message = f"the stated error of {curves[column]} is {sigma[row, column]} at a point of the domain"
        shown = ", ".join(f"{value:g}" for value in points[row][:10])
        yield finding("LLB-N010", message, pointer=_PLACE, expected="at least 0 and finite", actual=shown)


def _zero(model: ProfileLikelihood, curves: list[str], probes: Array) -> Iterator[Finding]:
    zero = np.zeros((1, probes.shape[1]))
    alone, mixed = _sigma(model, zero)[0], _sigma(model, np.vstack([probes[:3], zero, probes[3:6]]))[3]
    for where, values in (("alone", alone), ("in a batch", mixed)):
        for column in np.flatnonzero(values != 0.0):
            message = f"the stated error of {curves[column]} at the zero signal {where} is not exactly zero"
            actual = repr(float(values[column]))
            yield finding("LLB-N011", message, pointer=_PLACE, expected=0, actual=actual)


def _single(model: ProfileLikelihood, curves: list[str], vectors: TestVectors) -> Iterator[Finding]:
    together = _sigma(model, vectors.signals)
    for case in range(min(len(vectors.names), _MAX_SINGLE)):
        alone = _sigma(model, vectors.signals[case : case + 1])[0]
        same = reproduces(alone, together[case], vectors.absolute, vectors.relative)
        for column in np.flatnonzero(~same & np.isfinite(together[case])):
            yield finding(
                "LLB-N012",
                f"the stated error of {curves[column]} at {vectors.names[case]!r} differs in a batch",
                pointer=f"{model.bundle.manifest.validation.vectors}#/cases/{case}",
                expected=repr(float(together[case, column])),
                actual=repr(float(alone[column])),
            )
