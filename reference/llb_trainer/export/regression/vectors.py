"""Test vectors of a regression: what its plain numbers say, which share no code with the graphs."""

from __future__ import annotations

from typing import Any

import numpy as np

from llb_schema import FindingError, finding
from llb_trainer.export.density.document import RoleTolerance, evenly, vectors_document
from llb_trainer.export.regression.emission import RegressionEmission

__all__ = ["regression_vectors"]

_CASES = 8

_TOLERANCES = {
    "log_prob": RoleTolerance(
        1e-8,
        1e-10,
        "The regression in NumPy against its graph in onnxruntime, both in double precision: some "
        "1e-13 were seen in 100 parameters, and other engines order their sums in other ways.",
    ),
    "score": RoleTolerance(
        1e-6,
        1e-8,
        "As of log_prob: the derivative was worked out by hand in NumPy, by rules in the graph.",
    ),
}


def regression_vectors(emission: RegressionEmission) -> dict[str, Any]:
    """The document `validation/vectors.json`: the center and held-out points, all inside of the domain.

    Raises:
        FindingError: LLB-T050 no held-out point lies inside of the domain.
    """
    regression, (lower, upper) = emission.trained.regression, emission.trained.domain
    points = np.vstack([regression.expansion.center[None], emission.heldout.points])
    rows = np.flatnonzero(np.all((points >= lower) & (points <= upper), axis=1))
    if not len(rows):
        message = "the samples cannot be learned: no held-out point lies where the regression was trained"
        raise FindingError(finding("LLB-T050", message))
    chosen = points[evenly(rows, _CASES)]
    values, scores = regression.relative(chosen), regression.score(chosen)
    return vectors_document(emission.names, _TOLERANCES, "point", chosen, values, scores)
