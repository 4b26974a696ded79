"""Level 2: the files are the listed ones byte for byte, and the documents among them fit the manifest."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from llb.bundle import (
    AnyBundle,
    DensityManifest,
    FileEntry,
    Manifest,
    ManifestHead,
    check_closed_list,
    parse_json,
)
from llb.validation.density_vectors import check_density_vectors
from llb.validation.tables import check_benchmarks, check_density_heldout, check_heldout
from llb.validation.vectors import check_vectors
from llb_schema import Finding, FindingError

__all__ = ["check_documents", "check_integrity", "read_vectors"]


def check_integrity(bundle: AnyBundle) -> tuple[Finding, ...]:
    """Findings about missing, unlisted and changed files; every listed file is read."""
    findings = list(check_closed_list(bundle))
    faulty = {item.pointer for item in findings}
    for entry in bundle.manifest.files:
        if entry.path not in faulty:
            try:
                bundle.read(entry.path)
            except FindingError as error:
                findings += error.findings
    return tuple(findings)


def check_documents(bundle: AnyBundle) -> tuple[Finding, ...]:
    """Findings about the content of the vectors, tables and JSON records."""
    return tuple(item for entry in bundle.manifest.files for item in _document(bundle, entry))


def read_vectors(bundle: AnyBundle) -> Any:
    """The vectors document as a JSON value.

    Raises:
        FindingError: it cannot be read.
    """
    path = bundle.manifest.evidence.vectors
    return parse_json(bundle.read(path), path)


def _document(bundle: AnyBundle, entry: FileEntry) -> Iterator[Finding]:
    manifest = bundle.manifest
    roles = {path: role for role, path in manifest.evidence.tables.items()}
    try:
        if entry.path == manifest.evidence.vectors:
            yield from _vectors(read_vectors(bundle), manifest, entry.path)
        elif entry.path in roles:
            yield from _table(bundle.read(entry.path), manifest, entry.path, roles[entry.path])
        elif entry.media_type == "application/json":
            parse_json(bundle.read(entry.path), entry.path)
    except FindingError as error:
        yield from error.findings


def _vectors(raw: Any, manifest: ManifestHead, path: str) -> tuple[Finding, ...]:
    if isinstance(manifest, DensityManifest):
        return check_density_vectors(raw, manifest, path)
    return check_vectors(raw, manifest, path) if isinstance(manifest, Manifest) else ()


def _table(data: bytes, manifest: ManifestHead, path: str, role: str) -> tuple[Finding, ...]:
    if isinstance(manifest, DensityManifest):
        return check_density_heldout(data, manifest, path)
    if not isinstance(manifest, Manifest):
        return ()
    return (check_heldout if role == "heldout" else check_benchmarks)(data, manifest, path)
