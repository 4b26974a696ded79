"""Writing the bundle of a regression."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from llb.bundle import BundleFile
from llb.evaluation import density_accuracy, read_density_heldout
from llb.runtime import Density
from llb_trainer.export.density.document import graph_specs
from llb_trainer.export.density.writing import evidence_files, write_claiming
from llb_trainer.export.regression.emission import RegressionEmission
from llb_trainer.export.regression.graphs import (
    REGRESSION_TENSORS,
    regression_graph,
    regression_score_graph,
)
from llb_trainer.export.regression.manifest import (
    regression_heldout,
    regression_manifest,
    regression_record,
    regression_samples,
)
from llb_trainer.export.regression.vectors import regression_vectors

__all__ = ["emit_regression"]

_GRAPHS = {"log_prob": regression_graph, "score": regression_score_graph}


def emit_regression(out: Path, emission: RegressionEmission, *, overwrite: bool = False) -> Path:
    """Writes a bundle of the family `parameter_likelihood`, whole or not at all.

    Its claims are computed from its own files and graphs, as level 5 of a validation will compute them again.

    Args:
        out: path of the bundle; its folder has to exist.
        emission: what goes into it.
        overwrite: whether a bundle at that path may be replaced.

    Returns:
        The path.

    Raises:
        FindingError: LLB-T020 a weight is not finite; LLB-T050 no held-out point lies where the
            regression was trained; LLB-G... a graph fails the audit; and whatever `llb.bundle.write_bundle`
            finds.
    """
    regression, names = emission.trained.regression, emission.names
    files = {
        spec.path: BundleFile(
            _GRAPHS[spec.role](regression, parameters=names), "graph", "application/octet-stream"
        )
        for spec in graph_specs(REGRESSION_TENSORS, len(names))
    }
    files |= evidence_files(
        regression_vectors(emission),
        regression_heldout(emission),
        regression_samples(emission),
        regression_record(emission),
    )

    def manifest(density: Density | None) -> dict[str, Any]:
        if density is None:
            return regression_manifest(emission, ())
        return regression_manifest(emission, density_accuracy(density, read_density_heldout(density.bundle)))

    return write_claiming(out, files, manifest, overwrite=overwrite)
