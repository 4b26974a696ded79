"""Test vectors of a flow: what its plain numbers say, which share no code with the graphs."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from llb_schema import FindingError, finding
from llb_trainer.export.density.document import RoleTolerance, evenly, vectors_document
from llb_trainer.export.density.emission import DensityEmission

__all__ = ["density_vectors"]

Floats = NDArray[np.float64]

_CASES, _REACH = 8, 2.0
"""Vectors of each kind, and how far out in base noise they are."""
_STEPS = (2e-5, 1e-5)
"""Of the differences, in units of the width of the samples; between knots of a spline both give the same."""
_SAME = 1e-6

_TOLERANCES = {
    "log_prob": RoleTolerance(
        1e-8,
        1e-10,
        "The flow in NumPy against its graph in onnxruntime, both in double precision: some 1e-13 "
        "were seen in 100 parameters, and other engines order their sums in other ways.",
    ),
    "sample": RoleTolerance(
        1e-9,
        1e-9,
        "As of log_prob; 1e-14 of the width of the domain were seen, and bijectors stretch far out.",
    ),
    "score": RoleTolerance(
        1e-5,
        1e-6,
        "Central differences of the log density in NumPy with a step of 1e-5 widths: as precise as "
        "rounding divided by the step.",
    ),
}


def density_vectors(emission: DensityEmission) -> dict[str, Any]:
    """The document `validation/vectors.json`; all points lie inside of the domain.

    Raises:
        FindingError: LLB-T050 no draw of the flow lies inside of the domain.
    """
    flow, names = emission.trained.flow, emission.names
    found = _inside(emission)
    given, named = found.conditions, None
    if emission.conditions is not None and given is not None:
        keys = emission.conditions.names
        named = [dict(zip(keys, row, strict=True)) for row in given.tolist()]
    values = flow.log_prob(found.points, given)
    document = vectors_document(names, _TOLERANCES, "draw", found.points, values, found.scores, named)
    rows = zip(found.noise.tolist(), found.points.tolist(), strict=True)
    document["samples"] = [
        {
            "name": f"noise {row}",
            "z": base,
            **({} if named is None else {"condition": named[row]}),
            "parameters": dict(zip(names, point, strict=True)),
        }
        for row, (base, point) in enumerate(rows)
    ]
    return document


class _Draws(NamedTuple):
    """Base noise, the points that come of it, scores there, (n, D) each, and conditions (n, C)."""

    noise: Floats
    points: Floats
    scores: Floats
    conditions: Floats | None


def _inside(emission: DensityEmission) -> _Draws:
    """Draws inside of the domain, where the density is smooth."""
    flow, (lower, upper) = emission.trained.flow, emission.domain
    generator = np.random.default_rng(1)
    width = len(lower)
    noise = generator.uniform(-_REACH, _REACH, (8 * _CASES, width))
    # In many dimensions a cube reaches far out; most of these stay nearer.
    noise *= np.linspace(0.0, 1.0, len(noise))[:, None]
    given = None
    if emission.conditions is not None:
        heldout = np.arange(len(emission.conditions.heldout))
        given = np.resize(
            emission.conditions.heldout[evenly(heldout, len(noise))], (len(noise), flow.layout.conditions)
        )
    points = flow.sample(noise, given)
    good = np.all((points >= lower) & (points <= upper), axis=1)
    scores, agrees = _differences(emission, points, given)
    rows = np.flatnonzero(good & agrees)
    if not len(rows):
        message = "the samples cannot be learned: no draw of the flow lies among them"
        raise FindingError(finding("LLB-T050", message))
    chosen = evenly(rows, _CASES)
    return _Draws(noise[chosen], points[chosen], scores[chosen], None if given is None else given[chosen])


def _differences(
    emission: DensityEmission, points: Floats, given: Floats | None
) -> tuple[Floats, NDArray[np.bool_]]:
    """Derivatives (n, D) by differences, and in which rows two steps give the same, (n,)."""
    flow, (lower, upper) = emission.trained.flow, emission.domain
    width = emission.heldout.values.std(axis=0)
    found = np.empty((len(_STEPS), *points.shape))
    for number, step in enumerate(_STEPS):
        for column in range(points.shape[1]):
            aside = np.zeros(points.shape[1])
            aside[column] = step * width[column]
            up, down = flow.log_prob(points + aside, given), flow.log_prob(points - aside, given)
            found[number, :, column] = (up - down) / (2.0 * aside[column])
    # As the tolerance counts: in units of one over the domain's width.
    apart = np.abs(found[1] - found[0]) * (upper - lower)
    scale = 1.0 + np.abs(found[1]) * (upper - lower)
    with np.errstate(invalid="ignore"):
        return found[0], np.all(apart <= 10.0 * _SAME * scale, axis=1)
