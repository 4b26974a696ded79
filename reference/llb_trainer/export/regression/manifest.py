"""The manifest of a regression's bundle, and the table and records that it names."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict
from typing import Any

import numpy as np

from llb.bundle import LogProbMetric
from llb_trainer.export.density.document import (
    graph_specs,
    manifest_document,
    table_bytes,
    teacher_document,
)
from llb_trainer.export.regression.emission import RegressionEmission
from llb_trainer.export.regression.graphs import REGRESSION_TENSORS

__all__ = [
    "regression_heldout",
    "regression_manifest",
    "regression_record",
    "regression_samples",
]


def regression_manifest(emission: RegressionEmission, metrics: Iterable[LogProbMetric]) -> dict[str, Any]:
    """The manifest without `files`.

    Args:
        emission: what is written.
        metrics: of ln L on the held-out points.
    """
    return manifest_document(
        emission.identity,
        teacher_document(emission.source, _said(emission)),
        "parameter_likelihood",
        emission.parameters,
        {"kind": "likelihood", "offset": emission.trained.regression.offset},
        emission.trained.domain,
        graph_specs(REGRESSION_TENSORS, len(emission.names)),
        _method(emission),
        metrics,
    )


def _said(emission: RegressionEmission) -> str:
    if emission.recipe.target == "likelihood":
        return emission.text
    return f"{emission.text} Factors of the prior count as measurements: they are in the likelihood."


def _method(emission: RegressionEmission) -> str:
    history = emission.trained.history
    return (
        f"The teacher's ln L at {len(emission.heldout)} draws that neither the training nor the choice of "
        f"its weights has seen. The weights are those of step {history.steps[history.best]}."
    )


def regression_heldout(emission: RegressionEmission) -> bytes:
    """The held-out table (HELDOUT-4) as CSV: ln L with every constant."""
    heldout = emission.heldout
    rows = np.hstack([heldout.points, heldout.values[:, None]])
    return table_bytes([*emission.names, "log_prob"], rows)


def regression_samples(emission: RegressionEmission) -> dict[str, Any]:
    """Where the points come from."""
    return {
        "source": {"kind": emission.source.kind, **emission.source.details},
        "target": emission.recipe.target,
        **emission.sampled,
    }


def regression_record(emission: RegressionEmission) -> dict[str, Any]:
    """How the regression was trained."""
    return {"recipe": asdict(emission.recipe), "history": asdict(emission.trained.history)}
