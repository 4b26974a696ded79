"""Deterministic archives: the same files give the same bytes, whenever and wherever they are packed.

Another build of zlib may compress to other bytes; the content id (`llb.bundle.content`) is the same then too.
"""

from __future__ import annotations

import gzip
import io
import tarfile
import zipfile
from collections.abc import Mapping
from pathlib import Path

__all__ = ["archive_kind", "pack"]

# The earliest date that a zip archive can state.
_ZIP_DATE = (1980, 1, 1, 0, 0, 0)
_MODE = 0o644
_UNIX = 3


def archive_kind(target: Path) -> str | None:
    """`zip` or `tar` by the suffix of a path, None for a directory."""
    name = target.name.lower()
    if name.endswith(".zip"):
        return "zip"
    return "tar" if name.endswith((".tar.gz", ".tgz")) else None


def pack(contents: Mapping[str, bytes], kind: str) -> bytes:
    """A zip or tar.gz archive with the given contents by path, in the order of the paths.

    Args:
        contents: files by POSIX path.
        kind: `zip` or `tar`.
    """
    return (_zip if kind == "zip" else _tar)(contents)


def _zip(contents: Mapping[str, bytes]) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for path in sorted(contents):
            info = zipfile.ZipInfo(path, _ZIP_DATE)
            info.create_system = _UNIX
            info.external_attr = _MODE << 16
            archive.writestr(info, contents[path], zipfile.ZIP_DEFLATED, 9)
    return buffer.getvalue()


def _tar(contents: Mapping[str, bytes]) -> bytes:
    buffer = io.BytesIO()
    with (
        gzip.GzipFile(filename="", mode="wb", compresslevel=9, fileobj=buffer, mtime=0) as stream,
        tarfile.open(fileobj=stream, mode="w", format=tarfile.PAX_FORMAT) as archive,
    ):
        for path in sorted(contents):
            info = tarfile.TarInfo(path)
            info.size = len(contents[path])
            info.mode = _MODE
            archive.addfile(info, io.BytesIO(contents[path]))
    return buffer.getvalue()
