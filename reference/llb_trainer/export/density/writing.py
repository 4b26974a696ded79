"""Writing a density whose claims its own files and graphs have made, as level 5 will make them again."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from llb.bundle import BundleFile, dump_numbers, write_bundle
from llb.runtime import Density, load_density
from llb_trainer.export.density.document import HELDOUT, SAMPLES, TRAINING, VECTORS

__all__ = ["evidence_files", "write_claiming"]


def evidence_files(
    vectors: Mapping[str, Any], heldout: bytes, samples: Mapping[str, Any], training: Mapping[str, Any]
) -> dict[str, BundleFile]:
    """Test vectors, held-out table and the records of samples and training, by path."""
    return {
        VECTORS: BundleFile(dump_numbers(vectors), "vectors", "application/json"),
        HELDOUT: BundleFile(heldout, "heldout", "text/csv"),
        SAMPLES: BundleFile(dump_numbers(samples), "provenance", "application/json"),
        TRAINING: BundleFile(dump_numbers(training), "provenance", "application/json"),
    }


def write_claiming(
    out: Path,
    files: Mapping[str, BundleFile],
    manifest: Callable[[Density | None], Mapping[str, Any]],
    *,
    overwrite: bool,
) -> Path:
    """Writes a bundle twice: beside, to compute its claims from, and then with them, in its place.

    Args:
        out: path of the bundle; its folder has to exist.
        files: all files but the manifest.
        manifest: without `files`; of the density with its claims, of None without.
        overwrite: whether a bundle at that path may be replaced.

    Raises:
        FindingError: whatever `llb.bundle.write_bundle` and `load_density` find.
    """
    with tempfile.TemporaryDirectory() as folder:
        draft = write_bundle(Path(folder) / "draft.llb", manifest(None), files)
        document = manifest(load_density(draft))
    return write_bundle(out, document, files, overwrite=overwrite)
