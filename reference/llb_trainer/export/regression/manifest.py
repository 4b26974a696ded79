"""The manifest of a regression's bundle, and the table and records that it names."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict
from typing import Any

import numpy as np

from llb.bundle import GraphSpec, LogProbMetric, TensorSpec
from llb_schema import DENSITY_VERSION
from llb_trainer.export.density.manifest import (
    HELDOUT,
    MAKER_SOFTWARE,
    SAMPLES,
    TRAINING,
    VECTORS,
    table_bytes,
    teacher_document,
)
from llb_trainer.export.emit import identity_document, software
from llb_trainer.export.flow.builder import OPSET
from llb_trainer.export.regression.emission import RegressionEmission
from llb_trainer.export.regression.graphs import REGRESSION_TENSORS

__all__ = [
    "regression_heldout",
    "regression_manifest",
    "regression_record",
    "regression_samples",
    "regression_specs",
]


def regression_specs(emission: RegressionEmission) -> tuple[GraphSpec, ...]:
    """The signatures of the graphs."""
    sizes = {"theta": len(emission.names), "score": len(emission.names), "log_prob": 1}

    def tensor(name: str) -> TensorSpec:
        return TensorSpec(name, "float64", ("batch", sizes[name]))

    return tuple(
        GraphSpec(role, f"graphs/{role}.onnx", OPSET, tensor(source), (tensor(output),))
        for role, (source, output) in REGRESSION_TENSORS.items()
    )


def regression_manifest(emission: RegressionEmission, metrics: Iterable[LogProbMetric]) -> dict[str, Any]:
    """The manifest without `files`.

    Args:
        emission: what is written.
        metrics: of ln L on the held-out points.
    """
    lower, upper = emission.trained.domain
    return {
        **identity_document(emission.identity, DENSITY_VERSION),
        "teacher": teacher_document(emission.source, _said(emission)),
        "family": "parameter_likelihood",
        "parameters": [
            {**item.to_json(), "column": column} for column, item in enumerate(emission.parameters)
        ],
        "density": {"kind": "likelihood", "offset": emission.trained.regression.offset},
        "domain": {"lower": lower.tolist(), "upper": upper.tolist()},
        "graphs": [spec.to_json() for spec in regression_specs(emission)],
        "validation": {
            "vectors": VECTORS,
            "heldout": HELDOUT,
            "method": _method(emission),
            "metrics": [{"quantity": "log_prob", "region": "all", **asdict(item)} for item in metrics],
        },
        "provenance": {"labels": SAMPLES, "training": TRAINING, "software": software(MAKER_SOFTWARE)},
        "required_features": [],
        "extensions": {},
    }


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
