"""Writing the bundle of a flow."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from llb.bundle import BundleFile
from llb.evaluation import density_accuracy, density_distances, read_density_heldout
from llb.runtime import Density
from llb_trainer.export.density.document import graph_specs
from llb_trainer.export.density.emission import DensityEmission
from llb_trainer.export.density.manifest import (
    density_manifest,
    heldout_rows,
    sampling_record,
    training_record,
)
from llb_trainer.export.density.vectors import density_vectors
from llb_trainer.export.density.writing import evidence_files, write_claiming
from llb_trainer.export.flow import TENSORS, log_prob_graph, sample_graph, score_graph

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
    flow, names = emission.trained.flow, emission.names
    files = {
        spec.path: BundleFile(_GRAPHS[spec.role](flow, parameters=names), "graph", "application/octet-stream")
        for spec in graph_specs(TENSORS, len(names))
    }
    files |= evidence_files(
        density_vectors(emission),
        heldout_rows(emission),
        sampling_record(emission),
        training_record(emission),
    )

    def manifest(density: Density | None) -> dict[str, Any]:
        if density is None:
            return density_manifest(emission, (), ())
        heldout = read_density_heldout(density.bundle)
        return density_manifest(
            emission, density_accuracy(density, heldout), density_distances(density, heldout)
        )

    return write_claiming(out, files, manifest, overwrite=overwrite)
