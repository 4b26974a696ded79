"""Opening a bundle's container safely: a directory, a zip or a tar.gz, all as one list of named files.

Archives are read in memory, never unpacked to disk, and only after their table of contents has passed
the checks; what is read is counted, because sizes written in an archive are only claims.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from llb.bundle.members import Limits, Member, check_members
from llb.bundle.tar import read_tar
from llb.bundle.zip import read_zip
from llb_schema import Finding, FindingError, finding

__all__ = ["Container", "container_kind", "open_container", "read_archive"]

_READERS: Mapping[str, Callable[[bytes, Limits], dict[str, bytes]]] = {"zip": read_zip, "tar": read_tar}


@dataclass(frozen=True)
class Container:
    """The files of a bundle before anything is known of their meaning.

    Attributes:
        location: where it was opened.
        kind: `directory`, `zip` or `tar`.
        sizes: size in bytes by POSIX path.
        limits: the limits that it was opened under.
    """

    location: Path
    kind: str
    sizes: Mapping[str, int]
    limits: Limits
    _contents: Mapping[str, bytes] | None

    @classmethod
    def of(cls, location: Path, contents: Mapping[str, bytes]) -> Container:
        """Files that were read, and checked, already; `location` is only a name."""
        sizes = {name: len(data) for name, data in contents.items()}
        return cls(location, "directory", sizes, Limits(), contents)

    def read(self, path: str) -> bytes:
        """The bytes of a file.

        Raises:
            KeyError: there is no such file.
            FindingError: `LLB-X003` or `LLB-A008`, the file vanished, cannot be read or has grown.
        """
        size = self.sizes[path]
        if self._contents is not None:
            return self._contents[path]
        try:
            # O_NOFOLLOW: the file may have been swapped for a link since it was listed.
            descriptor = os.open(self.location / path, os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0))
            with os.fdopen(descriptor, "rb") as stream:
                data = stream.read(size + 1)
        except OSError as error:
            raise FindingError(
                finding("LLB-X003", f"{path} cannot be read: {error.strerror}", pointer=path)
            ) from error
        if len(data) > size:
            raise FindingError(finding("LLB-A008", f"{path} has grown since it was listed", pointer=path))
        return data


def container_kind(path: Path) -> str | None:
    """`directory`, `zip`, `tar`, or None, by what is at the path (archives by their first bytes)."""
    if path.is_dir():
        return "directory"
    if not path.is_file():
        return None
    with path.open("rb") as stream:
        return _archive_kind(stream.read(4))


def _archive_kind(start: bytes) -> str | None:
    if start[:4] in {b"PK\x03\x04", b"PK\x05\x06"}:
        return "zip"
    return "tar" if start[:2] == b"\x1f\x8b" else None


def open_container(path: Path, limits: Limits | None = None) -> Container:
    """Lists a directory or reads an archive.

    Raises:
        FindingError: all `LLB-A...` findings about paths, links, sizes and readability.
    """
    limits = limits or Limits()
    try:
        kind = container_kind(path)
        if kind is None:
            missing = not path.exists()
            message = (
                f"{path} does not exist" if missing else f"{path} is neither a directory nor a zip or tar.gz"
            )
            raise FindingError(finding("LLB-A001", message))
        if kind == "directory":
            return Container(path, kind, _list_directory(path, limits), limits, None)
        size = path.stat().st_size
        if size > limits.total_bytes:
            raise FindingError(_too_large(size, limits))
        data = path.read_bytes()
    except (OSError, ValueError) as error:
        # ValueError: a path with a NUL character.
        raise FindingError(
            finding("LLB-X003", f"{path} cannot be read: {error}", pointer=str(path))
        ) from error
    return read_archive(data, path, limits)


def read_archive(data: bytes, location: Path, limits: Limits | None = None) -> Container:
    """The files of an archive that is in memory already, a zip or a tar.gz; `location` is only a name.

    Raises:
        FindingError: `LLB-A001`, it is neither; all `LLB-A...` findings about paths, links and sizes.
    """
    limits = limits or Limits()
    kind = _archive_kind(data)
    if kind is None:
        raise FindingError(finding("LLB-A001", f"{location} is neither a zip nor a tar.gz"))
    if len(data) > limits.total_bytes:
        raise FindingError(_too_large(len(data), limits))
    contents = _READERS[kind](data, limits)
    sizes = {name: len(value) for name, value in sorted(contents.items())}
    return Container(location, kind, sizes, limits, contents)


def _too_large(size: int, limits: Limits) -> Finding:
    return finding("LLB-A008", expected=f"at most {limits.total_bytes} bytes", actual=f"{size}")


def _list_directory(root: Path, limits: Limits) -> dict[str, int]:
    members: list[Member] = []
    pending = [root]
    while pending:
        folder = pending.pop()
        for entry in os.scandir(folder):
            name = Path(entry.path).relative_to(root).as_posix()
            mode = entry.stat(follow_symlinks=False).st_mode
            if stat.S_ISDIR(mode):
                pending.append(Path(entry.path))
                # Folders count too, or an endless tree of empty ones would never end.
                members.append(Member(name, 0, "folder"))
            else:
                kind = "file" if stat.S_ISREG(mode) else "special"
                members.append(Member(name, entry.stat(follow_symlinks=False).st_size, kind))
            if len(members) > limits.members:
                break
        if len(members) > limits.members:
            break
    findings = check_members(members, limits)
    if findings:
        raise FindingError(findings)
    return {member.name: member.size for member in sorted(members) if member.kind == "file"}
