"""Test vectors of a regression: what its plain numbers say, which share no code with the graphs."""

from __future__ import annotations

from typing import Any

import numpy as np

from llb_schema import DENSITY_VERSION, FindingError, finding
from llb_trainer.export.regression.emission import RegressionEmission

__all__ = ["REGRESSION_TOLERANCES", "regression_vectors"]

_CASES = 8

REGRESSION_TOLERANCES = {"log_prob": (1e-8, 1e-10), "score": (1e-6, 1e-8)}
"""Absolute and relative, by role of the graph; the absolute one of scores in units of one over the domain."""

_WHY = {
    "log_prob": "The regression in NumPy against its graph in onnxruntime, both in double precision: some "
    "1e-13 were seen in 100 parameters, and other engines order their sums in other ways.",
    "score": "As of log_prob: the derivative was worked out by hand in NumPy, by rules in the graph.",
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
    chosen = points[rows[np.unique(np.linspace(0, len(rows) - 1, _CASES).astype(int))]]
    names, values, scores = emission.names, regression.relative(chosen), regression.score(chosen)
    return {
        "format": "llb-vectors",
        "format_version": DENSITY_VERSION,
        "graph": "log_prob",
        "tolerance": {
            role: {"absolute": absolute, "relative": relative, "derivation": _WHY[role]}
            for role, (absolute, relative) in REGRESSION_TOLERANCES.items()
        },
        "cases": [
            {
                "name": f"point {row}",
                "parameters": dict(zip(names, point, strict=True)),
                "log_prob": value,
                "score": dict(zip(names, score, strict=True)),
            }
            for row, (point, value, score) in enumerate(
                zip(chosen.tolist(), values.tolist(), scores.tolist(), strict=True)
            )
        ],
    }
