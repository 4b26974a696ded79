"""The manifest of a flow's bundle, and the table and records that it names."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict
from typing import Any

import numpy as np

from llb.bundle import GraphSpec, LogProbMetric, SampleMetric
from llb_trainer.export.density.document import (
    graph_specs,
    manifest_document,
    table_bytes,
    teacher_document,
)
from llb_trainer.export.density.emission import DensityEmission
from llb_trainer.export.flow import TENSORS

__all__ = ["density_manifest", "emission_specs", "heldout_rows", "sampling_record", "training_record"]


def density_manifest(
    emission: DensityEmission, metrics: Iterable[LogProbMetric], distances: Iterable[SampleMetric]
) -> dict[str, Any]:
    """The manifest without `files`.

    Args:
        emission: what is written.
        metrics: of the log density on the held-out points, if the teacher knows it.
        distances: of samples to the held-out points.
    """
    document = manifest_document(
        emission.identity,
        teacher_document(emission.source, emission.text),
        "full_likelihood",
        emission.parameters,
        {"kind": "posterior", "prior": [item.to_json() for item in emission.prior]},
        emission.domain,
        emission_specs(emission),
        _method(emission),
        metrics,
        emission.conditions,
    )
    document["validation"]["sample_metrics"] = [asdict(item) for item in distances]
    return document


def emission_specs(emission: DensityEmission) -> tuple[GraphSpec, ...]:
    """The signatures of the graphs."""
    return graph_specs(TENSORS, len(emission.names), emission.trained.flow.layout.conditions)


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
    if emission.conditions is not None:
        header.extend(emission.conditions.names)
        columns.append(emission.conditions.heldout)
    if heldout.log_density is not None:
        header.append("log_prob_unnormalized" if known is None else "log_prob")
        columns.append((heldout.log_density - (known or 0.0))[:, None])
    return table_bytes(header, np.hstack(columns))


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
