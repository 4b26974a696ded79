"""Level 4 of a density: its graphs give the numbers that they promise, and belong to each other."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from llb.evaluation import DensityHeldOut
from llb.runtime import Density
from llb.validation.density_vectors import DensityVectors, RoleVectors
from llb.validation.graph_agreement import check_change_of_variables, check_score
from llb.validation.vectors import reproduces
from llb_schema import Finding, finding

__all__ = ["check_density_numerics"]

Array = NDArray[np.float64]

_MAX_FINDINGS = 20
_MAX_SINGLE = 64
_SAMPLES = 1024
_SEED = 20230917


def check_density_numerics(
    density: Density, vectors: DensityVectors, heldout: DensityHeldOut
) -> tuple[Finding, ...]:
    """All findings about the numbers of a density, sorted by code and place.

    Args:
        density: the bundle with all its graphs.
        vectors: its test vectors.
        heldout: its held-out points, at which the density has to be finite.

    Raises:
        FindingError: a graph fails when it is run.
    """
    points, conditions = _probes(density, vectors, heldout)
    findings = [
        *(item for role in vectors.by_role.values() for item in _role(density, role)),
        *_vector_domain(density, vectors),
        *_finite(density, points, conditions),
        *_samples(density, heldout),
        *check_change_of_variables(density, None if heldout.conditions is None else heldout.conditions[0]),
        *check_score(density, points, conditions),
    ]
    return tuple(sorted(findings, key=lambda item: (item.code, item.pointer)))


def _asked(density: Density, role: str, given: Array, condition: Array | None) -> Array:
    """The graph's own output, one row for each row that is given."""
    if role == "log_prob":
        return density.log_prob(given, condition)[:, np.newaxis]
    return (density.score if role == "score" else density.sample_from)(given, condition)


def _role(density: Density, vectors: RoleVectors) -> Iterator[Finding]:
    """Whether a graph gives its test vectors, in a batch and alone."""
    got = _asked(density, vectors.role, vectors.given, vectors.condition)
    columns = ("log_prob",) if vectors.role == "log_prob" else density.parameters
    source = density.manifest.validation.vectors
    good = reproduces(got, vectors.expected, vectors.absolute, vectors.relative)
    for case, column in np.argwhere(~good)[:_MAX_FINDINGS]:
        expected = float(vectors.expected[case, column])
        absolute = float(vectors.absolute[column])
        yield finding(
            "LLB-N001",
            f"{columns[column]} of the vector {vectors.names[case]!r} is not reproduced by {vectors.role}",
            pointer=f"{source}#/{vectors.place}/{case}",
            expected=f"{expected!r} within {absolute:g} + {vectors.relative:g} of it",
            actual=repr(float(got[case, column])),
        )
    for case in range(min(len(vectors.names), _MAX_SINGLE)):
        condition = None if vectors.condition is None else vectors.condition[case]
        alone = _asked(density, vectors.role, vectors.given[case], condition)[0]
        same = reproduces(alone, got[case], vectors.absolute, vectors.relative)
        for column in np.flatnonzero(~same & np.isfinite(got[case])):
            yield finding(
                "LLB-N003",
                f"{columns[column]} of {vectors.names[case]!r} differs in a batch and alone",
                pointer=f"{source}#/{vectors.place}/{case}",
                expected=repr(float(got[case, column])),
                actual=repr(float(alone[column])),
            )


def _vector_domain(density: Density, vectors: DensityVectors) -> Iterator[Finding]:
    cases = vectors.by_role["log_prob"]
    for case in np.flatnonzero(~density.in_domain(cases.given, cases.condition))[:_MAX_FINDINGS]:
        message = f"the test vector {cases.names[case]!r} lies outside the domain"
        place = f"{density.manifest.validation.vectors}#/cases/{case}"
        yield finding("LLB-M025", message, pointer=place)


def _probes(density: Density, vectors: DensityVectors, heldout: DensityHeldOut) -> tuple[Array, Array | None]:
    """Points of the domain at which the density has to be finite: vectors, held-out points and samples."""
    cases = vectors.by_role["log_prob"]
    points, conditions = [cases.given, heldout.points], [cases.condition, heldout.conditions]
    if density.can_sample:
        given = _some_conditions(heldout, _SAMPLES)
        points.append(density.sample(_SAMPLES, _SEED, given))
        conditions.append(given)
    known = [item for item in conditions if item is not None]
    joint, given = np.concatenate(points), np.concatenate(known) if known else None
    # Samples that are none are another finding.
    finite = np.flatnonzero(np.isfinite(joint).all(axis=1))
    rows = finite[density.in_domain(joint[finite], None if given is None else given[finite])]
    return joint[rows], None if given is None else given[rows]


def _some_conditions(heldout: DensityHeldOut, count: int) -> Array | None:
    return (
        None
        if heldout.conditions is None
        else np.resize(heldout.conditions, (count, heldout.conditions.shape[1]))
    )


def _finite(density: Density, points: Array, conditions: Array | None) -> Iterator[Finding]:
    values = density.log_prob(points, conditions)
    wrong = np.flatnonzero(~np.isfinite(values))
    for row in wrong[:_MAX_FINDINGS]:
        message = f"log_prob is {values[row]} at a point of the domain"
        shown = ", ".join(f"{value:g}" for value in points[row][:10])
        yield finding("LLB-N020", message, pointer="/domain", expected="a finite number", actual=shown)


def _samples(density: Density, heldout: DensityHeldOut) -> Iterator[Finding]:
    if not density.can_sample:
        return
    drawn = density.sample(_SAMPLES, _SEED, _some_conditions(heldout, _SAMPLES))
    # Written so that NaN is caught.
    inside = (drawn >= density.lower) & (drawn <= density.upper)
    for column in np.flatnonzero(~inside.all(axis=0) | ~np.isfinite(drawn).all(axis=0)):
        row = int(np.argmin(inside[:, column] & np.isfinite(drawn[:, column])))
        name, value = density.parameters[column], float(drawn[row, column])
        count = int(np.sum(~inside[:, column]))
        message = f"{count} of {_SAMPLES} samples of {name} are outside of its bounds, or no numbers"
        expected = f"{density.lower[column]:g} to {density.upper[column]:g}"
        yield finding("LLB-N021", message, pointer="/graphs", expected=expected, actual=value)
