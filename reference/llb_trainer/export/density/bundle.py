"""Writing the bundle of a flow: graphs, vectors, truth and records, and the manifest that binds them."""

from __future__ import annotations

import json
import tempfile
from pathlib import Path
from typing import Any

from llb.bundle import BundleFile, write_bundle
from llb.evaluation import density_accuracy, density_distances, read_density_heldout
from llb.runtime import load_density
from llb_trainer.export.density.emission import DensityEmission
from llb_trainer.export.density.manifest import (
    HELDOUT,
    SAMPLES,
    TRAINING,
    VECTORS,
    density_manifest,
    density_specs,
    heldout_rows,
    sampling_record,
    training_record,
)
from llb_trainer.export.density.vectors import density_vectors
from llb_trainer.export.flow import log_prob_graph, sample_graph, score_graph

__all__ = ["emit_density"]

_GRAPHS = {"log_prob": log_prob_graph, "sample": sample_graph, "score": score_graph}


def emit_density(out: Path, emission: DensityEmission, *, overwrite: bool = False) -> Path:
    """Writes a bundle of the family `full_likelihood`, whole or not at all.

    Its claims are computed from its own files and graphs, as level 5 of a validation will compute them again.

    Args:
        out: path of the bundle; its folder has to exist.
        emission: what goes into it.
        overwrite: whether a bundle at that path may be replaced.

    Returns:
        The path.

    Raises:
        FindingError: LLB-T020 a weight is not finite; LLB-G... a graph fails the audit; and whatever
            `llb.bundle.write_bundle` finds.
    """
    names = emission.names
    specs = {spec.role: spec for spec in density_specs(emission)}
    files = {
        specs[role].path: BundleFile(
            graph(emission.trained.flow, parameters=names), "graph", "application/octet-stream"
        )
        for role, graph in _GRAPHS.items()
    }
    files |= {
        VECTORS: BundleFile(_json(density_vectors(emission)), "vectors", "application/json"),
        HELDOUT: BundleFile(heldout_rows(emission), "heldout", "text/csv"),
        SAMPLES: BundleFile(_json(sampling_record(emission)), "provenance", "application/json"),
        TRAINING: BundleFile(_json(training_record(emission)), "provenance", "application/json"),
    }
    with tempfile.TemporaryDirectory() as folder:
        draft = write_bundle(Path(folder) / "draft.llb", density_manifest(emission, (), ()), files)
        density = load_density(draft)
        heldout = read_density_heldout(density.bundle)
        metrics = density_accuracy(density, heldout)
        distances = density_distances(density, heldout)
    return write_bundle(out, density_manifest(emission, metrics, distances), files, overwrite=overwrite)


def _json(document: Any) -> bytes:
    return (json.dumps(document, indent=1, ensure_ascii=False, allow_nan=False) + "\n").encode()
