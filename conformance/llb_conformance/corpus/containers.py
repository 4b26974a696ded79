"""Zip and tar archives with the same bytes every time."""

from __future__ import annotations

import gzip
import io
import tarfile
import zipfile
from collections.abc import Iterable
from typing import Any

__all__ = ["Pairs", "gzipped", "tarred", "zipped"]

_UNIX = 3

Pairs = Iterable[tuple[str, bytes]]
"""Files: path and content."""


def zipped(pairs: Pairs, *, stored: bool = False, **fields: Any) -> bytes:
    """A zip archive, deflated or stored; `fields` are set on the last file (see `zipfile.ZipInfo`)."""
    members = list(pairs)
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for number, (path, data) in enumerate(members, start=1):
            info = zipfile.ZipInfo(path, (1980, 1, 1, 0, 0, 0))
            info.create_system = _UNIX
            info.external_attr = 0o100644 << 16
            info.compress_type = zipfile.ZIP_STORED if stored else zipfile.ZIP_DEFLATED
            for name, value in fields.items() if number == len(members) else ():
                setattr(info, name, value)
            archive.writestr(info, data)
    return buffer.getvalue()


def tarred(pairs: Pairs, **fields: Any) -> bytes:
    """A tar.gz archive; `fields` are set on the last file (see `tarfile.TarInfo`)."""
    members = list(pairs)
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w", format=tarfile.USTAR_FORMAT) as archive:
        for number, (path, data) in enumerate(members, start=1):
            info = tarfile.TarInfo(path)
            info.size = len(data)
            for name, value in fields.items() if number == len(members) else ():
                setattr(info, name, value)
            archive.addfile(info, io.BytesIO(data))
    return gzipped(buffer.getvalue())


def gzipped(data: bytes) -> bytes:
    """The data compressed, without a time."""
    return gzip.compress(data, mtime=0)
