"""Writing the bundle of a regression: graphs, vectors, truth and records, and the manifest of them all."""

from __future__ import annotations

import json
import tempfile
from pathlib import Path
from typing import Any

from llb.bundle import BundleFile, write_bundle
from llb.evaluation import density_accuracy, read_density_heldout
from llb.runtime import load_density
from llb_trainer.export.density.manifest import HELDOUT, SAMPLES, TRAINING, VECTORS
from llb_trainer.export.regression.emission import RegressionEmission
from llb_trainer.export.regression.graphs import regression_graph, regression_score_graph
from llb_trainer.export.regression.manifest import (
    regression_heldout,
    regression_manifest,
    regression_record,
    regression_samples,
    regression_specs,
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
        for spec in regression_specs(emission)
    }
    files |= {
        VECTORS: BundleFile(_json(regression_vectors(emission)), "vectors", "application/json"),
        HELDOUT: BundleFile(regression_heldout(emission), "heldout", "text/csv"),
        SAMPLES: BundleFile(_json(regression_samples(emission)), "provenance", "application/json"),
        TRAINING: BundleFile(_json(regression_record(emission)), "provenance", "application/json"),
    }
    with tempfile.TemporaryDirectory() as folder:
        draft = write_bundle(Path(folder) / "draft.llb", regression_manifest(emission, ()), files)
        density = load_density(draft)
        metrics = density_accuracy(density, read_density_heldout(density.bundle))
    return write_bundle(out, regression_manifest(emission, metrics), files, overwrite=overwrite)


def _json(document: Any) -> bytes:
    return (json.dumps(document, indent=1, ensure_ascii=False, allow_nan=False) + "\n").encode()
