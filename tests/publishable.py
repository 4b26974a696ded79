"""The bundle of `bundles`, with everything that the profile `publishable` asks for."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import bundles

from llb.bundle import BundleFile

POINTS = 1000
TRAINING, FIGURE = "provenance/training.json", "validation/error.png"


def complete(document: dict[str, Any]) -> None:
    """Makes the manifest of `bundles` a publishable one."""
    bundles.stating(document)
    points = bundles.heldout_points(POINTS)
    document["validation"]["metrics"] = bundles.metrics(points)
    for column, item in enumerate(document["uncertainty"]["coverage"]):
        item["points"] = bundles.regions(bundles.truth(points)[:, column])["decision"]
    document["authors"] = [{"name": "The LLB developers", "orcid": "0000-0002-1825-0097"}]
    document["references"].append({"kind": "hepdata", "value": "ins1234567"})
    document["analysis"]["experiment"] = "Three bins"
    document["teacher"]["software"] = [{"name": "paper and pencil", "version": "1"}]
    document["provenance"]["training"] = TRAINING


def write(target: Path, change: Callable[[dict[str, Any]], None] | None = None) -> Path:
    """Writes the bundle, with its manifest changed before it is sealed."""

    def fault(document: dict[str, Any]) -> None:
        complete(document)
        if change is not None:
            change(document)

    replaced = {
        bundles.GRAPH: bundles.stating_graph(),
        bundles.HELDOUT: BundleFile(bundles.heldout(bundles.heldout_points(POINTS)), "heldout", "text/csv"),
        TRAINING: bundles.json_file({"steps": 0}, "provenance"),
        FIGURE: BundleFile(b"\x89PNG", "figure", "image/png"),
    }
    return bundles.write(target, fault, replaced)
