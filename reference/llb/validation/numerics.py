"""Level 4: the graph gives the numbers that it promises."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from llb.bundle import Domain
from llb.runtime import ProfileLikelihood
from llb.validation.stated_error import check_sigma
from llb.validation.vectors import TestVectors, reproduces
from llb_schema import Finding, finding

__all__ = ["ASIMOV_TOLERANCE", "check_numerics", "domain_probes"]

Array = NDArray[np.float64]

ASIMOV_TOLERANCE = 0.008
"""How far below zero an Asimov curve may come, in NLL units: an error of 1 % on CLs."""

_MAX_FINDINGS = 20
_PROBES = 256
_MAX_SINGLE = 64


def check_numerics(model: ProfileLikelihood, vectors: TestVectors) -> tuple[Finding, ...]:
    """All findings about the numbers of a graph, sorted by code and place.

    Args:
        model: the bundle with its `delta_nll` graph.
        vectors: its test vectors.

    Raises:
        FindingError: the graph fails when it is run.
    """
    got = model.columns(vectors.signals)
    probes = domain_probes(model.bundle.manifest.domain)
    findings = [
        *_vectors(model, vectors, got),
        *_vector_domain(model, vectors),
        *_exact_zero(model, probes),
        *_single(model, vectors, got),
        *_domain(model, probes),
        *check_sigma(model, vectors, probes),
    ]
    return tuple(sorted(findings, key=lambda item: (item.code, item.pointer)))


def _place(model: ProfileLikelihood, case: int) -> str:
    return f"{model.bundle.manifest.validation.vectors}#/cases/{case}"


def _curves(model: ProfileLikelihood) -> tuple[str, ...]:
    return tuple(curve.name for curve in model.bundle.manifest.own_curves)


def _vectors(model: ProfileLikelihood, vectors: TestVectors, got: Array) -> Iterator[Finding]:
    exact = (vectors.signals == 0).all(axis=1)[:, np.newaxis]
    wrong = ~np.where(
        exact, got == vectors.expected, reproduces(got, vectors.expected, vectors.absolute, vectors.relative)
    )
    for case, column in np.argwhere(wrong)[:_MAX_FINDINGS]:
        expected, actual = float(vectors.expected[case, column]), float(got[case, column])
        yield finding(
            "LLB-N001",
            f"{_curves(model)[column]} of the test vector {vectors.names[case]!r} is not reproduced",
            pointer=_place(model, case),
            expected=f"{expected!r} within {vectors.absolute:g} + {vectors.relative:g} of it",
            actual=repr(actual),
        )


def _vector_domain(model: ProfileLikelihood, vectors: TestVectors) -> Iterator[Finding]:
    for case in np.flatnonzero(~model.in_domain(vectors.signals))[:_MAX_FINDINGS]:
        message = f"the test vector {vectors.names[case]!r} lies outside the domain"
        yield finding("LLB-M025", message, pointer=_place(model, case))


def _exact_zero(model: ProfileLikelihood, probes: Array) -> Iterator[Finding]:
    zero = np.zeros((1, probes.shape[1]))
    mixed = np.vstack([probes[:3], zero, probes[3:6]])
    for where, values in (("alone", model.columns(zero)[0]), ("in a batch", model.columns(mixed)[3])):
        # `!=` is true for NaN too.
        for column in np.flatnonzero(values != 0.0):
            message = f"{_curves(model)[column]} of the zero signal {where} is not exactly zero"
            yield finding(
                "LLB-N002", message, pointer="/graphs", expected=0, actual=repr(float(values[column]))
            )


def _single(model: ProfileLikelihood, vectors: TestVectors, got: Array) -> Iterator[Finding]:
    for case in range(min(len(vectors.names), _MAX_SINGLE)):
        alone = model.columns(vectors.signals[case : case + 1])[0]
        same = reproduces(alone, got[case], vectors.absolute, vectors.relative)
        for column in np.flatnonzero(~same & np.isfinite(got[case])):
            yield finding(
                "LLB-N003",
                f"{_curves(model)[column]} of {vectors.names[case]!r} differs in a batch and alone",
                pointer=_place(model, case),
                expected=repr(float(got[case, column])),
                actual=repr(float(alone[column])),
            )


def domain_probes(domain: Domain) -> Array:
    """Corners, single-bin extremes and random points of the box, the latter denser towards zero."""
    lower, upper = np.array(domain.lower), np.array(domain.upper)
    axes = [np.diag(edge)[: _PROBES // 2] for edge in (lower, upper)]
    generator = np.random.default_rng(20211019)
    random = generator.uniform(lower, upper, size=(_PROBES, lower.size))
    shrunk = random * generator.uniform(0.0, 1.0, size=(_PROBES, 1)) ** 3
    return np.vstack([lower, upper, *axes, random, shrunk])


def _domain(model: ProfileLikelihood, probes: Array) -> Iterator[Finding]:
    got = model.columns(probes)
    for row, column in np.argwhere(~np.isfinite(got))[:_MAX_FINDINGS]:
        message = f"{_curves(model)[column]} is {got[row, column]} at a point of the domain"
        yield finding(
            "LLB-N004", message, pointer="/domain", expected="a finite number", actual=_show(probes[row])
        )
    inside = model.in_domain(probes)
    for curve in model.bundle.manifest.curves:
        if curve.name.endswith("_asimov") and inside.any():
            lowest = np.nanmin(np.where(inside, got[:, curve.column], np.inf))
            if lowest < -ASIMOV_TOLERANCE:
                message = f"{curve.name} falls to {lowest:.3g} in the domain"
                expected = f"at least {-ASIMOV_TOLERANCE:g}"
                yield finding(
                    "LLB-N005", message, pointer="/curves", expected=expected, actual=repr(float(lowest))
                )


def _show(signal: Array) -> str:
    return ", ".join(f"{value:g}" for value in signal[:10]) + (", ..." if signal.size > 10 else "")
