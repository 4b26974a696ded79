"""The manifest of a flow's bundle, and the tables and records that it names."""

from __future__ import annotations

import csv
import hashlib
import io
import json
from collections.abc import Iterable, Sequence
from dataclasses import asdict
from typing import Any

import numpy as np
from numpy.typing import NDArray

from llb.bundle import GraphSpec, LogProbMetric, SampleMetric, TensorSpec
from llb_schema import DENSITY_VERSION
from llb_trainer.export.density.emission import DensityEmission
from llb_trainer.export.emit import identity_document, software
from llb_trainer.export.flow import OPSET, TENSORS
from llb_trainer.teachers.contract import Source

__all__ = [
    "HELDOUT",
    "MAKER_SOFTWARE",
    "SAMPLES",
    "TRAINING",
    "VECTORS",
    "density_manifest",
    "density_specs",
    "heldout_rows",
    "sampling_record",
    "table_bytes",
    "teacher_document",
    "training_record",
]

VECTORS, HELDOUT = "validation/vectors.json", "validation/heldout.csv"
SAMPLES, TRAINING = "provenance/labels.json", "provenance/training.json"
"""Where the files of the bundle lie."""

Floats = NDArray[np.float64]

MAKER_SOFTWARE = ("llb", "jax", "flax", "optax", "numpy", "onnx")
"""Packages that decide the numbers of a learned density."""


def density_specs(emission: DensityEmission) -> tuple[GraphSpec, ...]:
    """The signatures of the graphs."""
    width = len(emission.names)
    sizes = {"theta": width, "z": width, "score": width, "log_prob": 1}

    def tensor(name: str) -> TensorSpec:
        return TensorSpec(name, "float64", ("batch", sizes[name]))

    return tuple(
        GraphSpec(role, f"graphs/{role}.onnx", OPSET, tensor(source), (tensor(output),))
        for role, (source, output) in TENSORS.items()
    )


def density_manifest(
    emission: DensityEmission, metrics: Iterable[LogProbMetric], distances: Iterable[SampleMetric]
) -> dict[str, Any]:
    """The manifest without `files`.

    Args:
        emission: what is written.
        metrics: of the log density on the held-out points, if the teacher knows it.
        distances: of samples to the held-out points.
    """
    lower, upper = emission.domain
    return {
        **identity_document(emission.identity, DENSITY_VERSION),
        "teacher": teacher_document(emission.source, emission.text),
        "family": "full_likelihood",
        "parameters": [
            {**item.to_json(), "column": column} for column, item in enumerate(emission.parameters)
        ],
        "density": {"kind": "posterior", "prior": [item.to_json() for item in emission.prior]},
        "domain": {"lower": lower.tolist(), "upper": upper.tolist()},
        "graphs": [spec.to_json() for spec in density_specs(emission)],
        "validation": {
            "vectors": VECTORS,
            "heldout": HELDOUT,
            "method": _method(emission),
            "metrics": [{"quantity": "log_prob", "region": "all", **asdict(item)} for item in metrics],
            "sample_metrics": [asdict(item) for item in distances],
        },
        "provenance": {"labels": SAMPLES, "training": TRAINING, "software": software(MAKER_SOFTWARE)},
        "required_features": [],
        "extensions": {},
    }


def teacher_document(source: Source, text: str) -> dict[str, Any]:
    """The source as `other`: what kinds the format has besides are profile likelihoods of signals.

    Args:
        source: what the density was learned from.
        text: the same in words, for people.
    """
    files = [asdict(item) for item in source.files]
    if not files:
        # A formula has no file: what it says of itself stands for one.
        said = json.dumps(source.details, sort_keys=True).encode()
        files = [
            {"name": "source.json", "bytes": len(said), "sha256": hashlib.sha256(said).hexdigest()},
        ]
    return {
        "kind": "other",
        "text": text,
        "files": files,
        "software": software(source.software),
    }


def _method(emission: DensityEmission) -> str:
    history = emission.trained.history
    return (
        f"{len(emission.heldout.values)} independent draws that neither the training nor its early stopping "
        f"has seen. The flow is that of step {history.steps[history.best]}, where the density of the "
        "validation samples was highest."
    )


def heldout_rows(emission: DensityEmission) -> bytes:
    """The held-out table (HELDOUT-4) as CSV."""
    heldout, known = emission.heldout, emission.log_normalisation
    columns, header = [heldout.values], list(emission.names)
    if heldout.log_density is not None:
        header.append("log_prob_unnormalized" if known is None else "log_prob")
        columns.append((heldout.log_density - (known or 0.0))[:, None])
    return table_bytes(header, np.hstack(columns))


def table_bytes(header: Sequence[str], rows: Floats) -> bytes:
    """Rows (n, columns) of draws with a name each, as CSV; repr has every digit of a double."""
    text = io.StringIO()
    table = csv.writer(text, lineterminator="\n")
    table.writerow(["name", *header])
    for row, values in enumerate(rows.tolist()):
        table.writerow([f"draw-{row}", *map(repr, values)])
    return text.getvalue().encode()


def sampling_record(emission: DensityEmission) -> dict[str, Any]:
    """How the samples were made."""
    return {
        "source": {"kind": emission.source.kind, **emission.source.details},
        "log_normalisation": emission.log_normalisation,
        **emission.sampled,
    }


def training_record(emission: DensityEmission) -> dict[str, Any]:
    """How the flow was trained; NLL per sample in physical units."""
    return {"recipe": asdict(emission.recipe), "history": asdict(emission.trained.history)}
