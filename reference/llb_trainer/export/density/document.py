"""What bundles of densities have in common: where files lie, signatures, manifest, vectors, tables."""

from __future__ import annotations

import csv
import hashlib
import io
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from llb.bundle import GraphSpec, LogProbMetric, TensorSpec
from llb_schema import DENSITY_VERSION
from llb_trainer.chains import Conditions, Parameter
from llb_trainer.export.emit import Identity, identity_document, software
from llb_trainer.export.flow import CONDITION, OPSET
from llb_trainer.teachers.contract import Source

__all__ = [
    "HELDOUT",
    "SAMPLES",
    "TRAINING",
    "VECTORS",
    "RoleTolerance",
    "evenly",
    "graph_specs",
    "manifest_document",
    "table_bytes",
    "teacher_document",
    "vectors_document",
]

Floats = NDArray[np.float64]

VECTORS, HELDOUT = "validation/vectors.json", "validation/heldout.csv"
SAMPLES, TRAINING = "provenance/labels.json", "provenance/training.json"
"""Where the files of the bundle lie."""

_MAKER_SOFTWARE = ("llb", "jax", "flax", "optax", "numpy", "onnx")
"""Packages that decide the numbers of a learned density."""


@dataclass(frozen=True)
class RoleTolerance:
    """How far a reader's numbers of one graph may be off.

    Attributes:
        absolute: that of samples in units of the domain's width, of scores in units of one over it.
        relative: a fraction of the expected value.
        derivation: where the two come from.
    """

    absolute: float
    relative: float
    derivation: str


def graph_specs(
    tensors: Mapping[str, tuple[str, str]], width: int, conditions: int = 0
) -> tuple[GraphSpec, ...]:
    """The signatures of the graphs of `width` parameters, from the names of input and output by role."""
    sizes = {"theta": width, "z": width, "score": width, "log_prob": 1, CONDITION: conditions}

    def tensor(name: str) -> TensorSpec:
        return TensorSpec(name, "float64", ("batch", sizes[name]))

    given = tensor(CONDITION) if conditions else None
    return tuple(
        GraphSpec(role, f"graphs/{role}.onnx", OPSET, tensor(source), (tensor(output),), given)
        for role, (source, output) in tensors.items()
    )


def manifest_document(
    identity: Identity,
    teacher: Mapping[str, Any],
    family: str,
    parameters: Sequence[Parameter],
    density: Mapping[str, Any],
    domain: tuple[Floats, Floats],
    specs: Iterable[GraphSpec],
    method: str,
    metrics: Iterable[LogProbMetric],
    conditions: Conditions | None = None,
) -> dict[str, Any]:
    """The manifest without `files`.

    Args:
        identity: what the bundle is called.
        teacher: as `teacher_document` gives it.
        family: of the bundle.
        parameters: by column.
        density: what its number means (DENSITY-1).
        domain: (D,) lower and upper edges.
        specs: signatures of the graphs.
        method: how the held-out points were made, for people.
        metrics: of the log density on them.
        conditions: of a conditional density.
    """
    lower, upper = domain
    return {
        **identity_document(identity, DENSITY_VERSION),
        "teacher": dict(teacher),
        "family": family,
        "parameters": [{**item.to_json(), "column": column} for column, item in enumerate(parameters)],
        **({} if conditions is None else {"conditions": conditions.to_json()}),
        "density": dict(density),
        "domain": {"lower": lower.tolist(), "upper": upper.tolist()},
        "graphs": [spec.to_json() for spec in specs],
        "validation": {
            "vectors": VECTORS,
            "heldout": HELDOUT,
            "method": method,
            "metrics": [{"quantity": "log_prob", "region": "all", **asdict(item)} for item in metrics],
        },
        "provenance": {"labels": SAMPLES, "training": TRAINING, "software": software(_MAKER_SOFTWARE)},
        "required_features": [] if conditions is None else ["conditional_inputs"],
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
        files = [{"name": "source.json", "bytes": len(said), "sha256": hashlib.sha256(said).hexdigest()}]
    return {"kind": "other", "text": text, "files": files, "software": software(source.software)}


def vectors_document(
    names: Sequence[str],
    tolerances: Mapping[str, RoleTolerance],
    label: str,
    points: Floats,
    values: Floats,
    scores: Floats,
    conditions: Sequence[Mapping[str, float]] | None = None,
) -> dict[str, Any]:
    """The test vectors of the graphs `log_prob` and `score`.

    Args:
        names: of the parameters, by column.
        tolerances: by role of the graph.
        label: what a case is called, before its number.
        points: (n, D) in physical units.
        values: (n,) log density, without the offset.
        scores: (n, D) its derivatives.
        conditions: of each point, by name, of a conditional density.
    """
    given = [{}] * len(points) if conditions is None else [{"condition": dict(item)} for item in conditions]
    rows = zip(points.tolist(), values.tolist(), scores.tolist(), given, strict=True)
    return {
        "format": "llb-vectors",
        "format_version": DENSITY_VERSION,
        "graph": "log_prob",
        "tolerance": {role: asdict(item) for role, item in tolerances.items()},
        "cases": [
            {
                "name": f"{label} {row}",
                "parameters": dict(zip(names, point, strict=True)),
                **condition,
                "log_prob": value,
                "score": dict(zip(names, score, strict=True)),
            }
            for row, (point, value, score, condition) in enumerate(rows)
        ],
    }


def evenly(rows: NDArray[np.intp], count: int) -> NDArray[np.intp]:
    """At most so many of the rows, from the first to the last."""
    return rows[np.unique(np.linspace(0, len(rows) - 1, count).astype(int))]


def table_bytes(header: Sequence[str], rows: Floats) -> bytes:
    """Rows (n, columns) of draws with a name each, as CSV; repr has every digit of a double."""
    text = io.StringIO()
    table = csv.writer(text, lineterminator="\n")
    table.writerow(["name", *header])
    for row, values in enumerate(rows.tolist()):
        table.writerow([f"draw-{row}", *map(repr, values)])
    return text.getvalue().encode()
