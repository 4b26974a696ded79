"""Reading a tar.gz archive into memory, as a stream and within limits."""

from __future__ import annotations

import gzip
import io
import tarfile
import zlib

from llb.bundle.members import Limits, Member, check_members
from llb_schema import FindingError, finding

__all__ = ["read_tar"]

_RATIO_FLOOR = 2**20
_CHUNK = 2**20


def read_tar(data: bytes, limits: Limits) -> dict[str, bytes]:
    """Contents by path of all files in the archive.

    Raises:
        FindingError: `LLB-A...`, the archive is damaged, unsafe or too large.
    """
    raw = _inflate(data, limits)
    members: list[Member] = []
    contents: dict[str, bytes] = {}
    try:
        with tarfile.open(fileobj=io.BytesIO(raw), mode="r:") as archive:
            for info in archive:
                kind = _kind(info)
                if info.size < 0:
                    # The next header would stand before this one, and so on without end.
                    raise FindingError(finding("LLB-A002", "a member of the tar archive has a negative size"))
                members.append(Member(info.name, info.size if kind == "file" else 0, kind))
                if len(members) > limits.members:
                    break
                if kind == "file":
                    stream = archive.extractfile(info)
                    content = b"" if stream is None else stream.read()
                    if len(content) != info.size:
                        message = f"{info.name} is cut short in the tar archive"
                        raise FindingError(finding("LLB-A002", message, pointer=info.name))
                    contents[info.name] = content
    except FindingError:
        raise
    # Its parser raises whatever it runs into, down to an exhausted stack; any of it means a damaged archive.
    except Exception as error:
        raise FindingError(finding("LLB-A002", f"the tar archive cannot be read: {error}")) from error
    findings = check_members(members, limits)
    if findings:
        raise FindingError(findings)
    return contents


def _kind(info: tarfile.TarInfo) -> str:
    if info.isdir():
        return "folder"
    return "file" if info.isreg() and not info.issparse() else "special"


def _inflate(data: bytes, limits: Limits) -> bytes:
    """The tar inside the gzip, at most `total_bytes` plus the headers of all members."""
    limit = limits.total_bytes + 1024 * limits.members
    pieces: list[bytes] = []
    size = 0
    try:
        with gzip.GzipFile(fileobj=io.BytesIO(data)) as stream:
            while piece := stream.read(_CHUNK):
                size += len(piece)
                if size > limit:
                    raise FindingError(
                        finding("LLB-A008", expected=f"at most {limits.total_bytes} bytes in all")
                    )
                if size > _RATIO_FLOOR and size > limits.ratio * len(data):
                    actual = f"more than {size / len(data):.0f}"
                    raise FindingError(
                        finding("LLB-A009", expected=f"at most {limits.ratio:g}", actual=actual)
                    )
                pieces.append(piece)
    except (gzip.BadGzipFile, zlib.error, EOFError, OSError) as error:
        raise FindingError(finding("LLB-A002", f"the gzip stream cannot be read: {error}")) from error
    return b"".join(pieces)
