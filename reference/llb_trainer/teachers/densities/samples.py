"""Samples that somebody else has made, as what a density was learned from."""

from __future__ import annotations

import hashlib
from pathlib import Path

from llb_schema import FindingError, finding
from llb_trainer.teachers.contract import Source, SourceFile

__all__ = ["samples_source"]


def samples_source(*paths: Path) -> Source:
    """The files of samples by their digests; a description of their columns is one of them.

    Raises:
        FindingError: LLB-X003 a file cannot be read.
    """
    return Source("samples", tuple(_file(path) for path in paths), ())


def _file(path: Path) -> SourceFile:
    try:
        with path.open("rb") as stream:
            digest = hashlib.file_digest(stream, "sha256").hexdigest()
        return SourceFile(path.name, path.stat().st_size, digest)
    except OSError as error:
        raise FindingError(finding("LLB-X003", pointer=str(path), actual=error.strerror)) from error
