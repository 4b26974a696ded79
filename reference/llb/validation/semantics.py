"""Level 2: the files are the listed ones byte for byte, and the documents among them fit the manifest."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from llb.bundle import Bundle, FileEntry, check_closed_list, parse_json
from llb.validation.tables import check_benchmarks, check_heldout
from llb.validation.vectors import check_vectors
from llb_schema import Finding, FindingError

__all__ = ["check_documents", "check_integrity", "read_vectors"]


def check_integrity(bundle: Bundle) -> tuple[Finding, ...]:
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


def check_documents(bundle: Bundle) -> tuple[Finding, ...]:
    """Findings about the content of the vectors, tables and JSON records."""
    return tuple(item for entry in bundle.manifest.files for item in _document(bundle, entry))


def read_vectors(bundle: Bundle) -> Any:
    """The vectors document as a JSON value.

    Raises:
        FindingError: it cannot be read.
    """
    path = bundle.manifest.validation.vectors
    return parse_json(bundle.read(path), path)


def _document(bundle: Bundle, entry: FileEntry) -> Iterator[Finding]:
    manifest = bundle.manifest
    try:
        if entry.path == manifest.validation.vectors:
            yield from check_vectors(read_vectors(bundle), manifest, entry.path)
        elif entry.path == manifest.validation.heldout:
            yield from check_heldout(bundle.read(entry.path), manifest, entry.path)
        elif entry.path == manifest.validation.benchmarks:
            yield from check_benchmarks(bundle.read(entry.path), manifest, entry.path)
        elif entry.media_type == "application/json":
            parse_json(bundle.read(entry.path), entry.path)
    except FindingError as error:
        yield from error.findings
