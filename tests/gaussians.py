"""Analytic densities on disk, good and with one fault, and their files anew."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import onnx

from llb_conformance.gaussian import GaussianModel, mixed_model
from llb_conformance.gaussian_bundle import gaussian_files
from llb_conformance.quadratic_bundle import file_entry

__all__ = ["HELDOUT", "MANIFEST", "VECTORS", "write_changed"]

MANIFEST, VECTORS, HELDOUT = "manifest.json", "validation/vectors.json", "validation/heldout.csv"
Change = Callable[[Any], object]


def write_changed(
    target: Path,
    model: GaussianModel | None = None,
    *,
    manifest: Change | None = None,
    vectors: Change | None = None,
    heldout: Callable[[str], str] | None = None,
    graphs: Mapping[str, onnx.ModelProto] | None = None,
) -> Path:
    """Writes the bundle of a model with parts of it changed, sizes and digests right again.

    Args:
        target: directory to make.
        model: the density; the mixed one by default.
        manifest, vectors: change the JSON document in place.
        heldout: gives another text of the table.
        graphs: in the place of the model's own, whose numbers the documents keep.
    """
    files = gaussian_files(mixed_model() if model is None else model)
    document = json.loads(files.pop(MANIFEST))
    if vectors is not None:
        changed = json.loads(files[VECTORS])
        vectors(changed)
        files[VECTORS] = json.dumps(changed).encode()
    if heldout is not None:
        files[HELDOUT] = heldout(files[HELDOUT].decode()).encode()
    for role, graph in (graphs or {}).items():
        files[f"graphs/{role}.onnx"] = graph.SerializeToString()
    document["files"] = [
        file_entry(entry["path"], files[entry["path"]], entry["role"], entry["media_type"])
        for entry in document["files"]
    ]
    if manifest is not None:
        manifest(document)
    for path, data in {**files, MANIFEST: json.dumps(document).encode()}.items():
        (target / path).parent.mkdir(parents=True, exist_ok=True)
        (target / path).write_bytes(data)
    return target
