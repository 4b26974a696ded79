"""Writing the bundle of a flow."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from llb.bundle import BundleFile
from llb.evaluation import (
    corner_figure,
    density_accuracy,
    density_distances,
    marginals_figure,
    read_density_heldout,
    telling_columns,
)
from llb.runtime import Density
from llb_trainer.export.density.emission import DensityEmission
from llb_trainer.export.density.manifest import (
    density_manifest,
    emission_specs,
    heldout_rows,
    sampling_record,
    training_record,
)
from llb_trainer.export.density.vectors import density_vectors
from llb_trainer.export.density.writing import evidence_files, write_claiming
from llb_trainer.export.flow import log_prob_graph, sample_graph, score_graph

__all__ = ["emit_density"]

_GRAPHS = {"log_prob": log_prob_graph, "sample": sample_graph, "score": score_graph}
_MARGINALS, _CORNER = 12, 5
"""Parameters in the pictures."""


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
    flow = emission.trained.flow
    files = {
        spec.path: BundleFile(
            _GRAPHS[spec.role](flow, parameters=emission.names), "graph", "application/octet-stream"
        )
        for spec in emission_specs(emission)
    }
    files |= evidence_files(
        density_vectors(emission),
        heldout_rows(emission),
        sampling_record(emission),
        training_record(emission),
    )

    files |= _figures(emission)

    def manifest(density: Density | None) -> dict[str, Any]:
        if density is None:
            return density_manifest(emission, (), ())
        heldout = read_density_heldout(density.bundle)
        return density_manifest(
            emission, density_accuracy(density, heldout), density_distances(density, heldout)
        )

    return write_claiming(out, files, manifest, overwrite=overwrite)


def _figures(emission: DensityEmission) -> dict[str, BundleFile]:
    """Held-out draws beside as many of the flow, in the parameters that tell most."""
    truth, given = emission.heldout.values, emission.conditions
    noise = np.random.default_rng(2).standard_normal(truth.shape)
    drawn = emission.trained.flow.sample(noise, None if given is None else given.heldout)
    interest = [column for column, item in enumerate(emission.parameters) if item.role == "poi"]
    pictures = {"marginals": (marginals_figure, _MARGINALS), "corner": (corner_figure, _CORNER)}
    files: dict[str, BundleFile] = {}
    for name, (figure, count) in pictures.items():
        columns = telling_columns(truth, interest, count)
        names = [emission.names[column] for column in columns]
        data = figure(names, truth[:, columns], drawn[:, columns])
        files[f"validation/{name}.png"] = BundleFile(data, "figure", "image/png")
    return files
