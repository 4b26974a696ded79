"""Files of a label store: written beside and renamed, on the disk before anybody is told."""

from __future__ import annotations

import os
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from llb_schema import FindingError, finding

try:
    import fcntl
except ImportError:  # not on Windows
    fcntl = None

__all__ = ["append_line", "locked", "replace_file"]


def replace_file(path: Path, data: bytes) -> None:
    """Put a file in place, whole or not at all, also when the machine goes down meanwhile."""
    beside = path.with_name(f".{path.name}.new")
    with beside.open("wb") as stream:
        stream.write(data)
        stream.flush()
        os.fsync(stream.fileno())
    beside.replace(path)
    _sync_folder(path.parent)


def append_line(path: Path, line: str) -> None:
    """Add a line to a file and wait until the disk has it."""
    with path.open("ab") as stream:
        stream.write(f"{line}\n".encode())
        stream.flush()
        os.fsync(stream.fileno())


@contextmanager
def locked(path: Path) -> Generator[None]:
    """Be the only process that holds this lock file; a process that dies lets go of it.

    Where the file system knows no locks everybody gets it: then nobody but the user keeps two runs apart.

    Raises:
        FindingError: LLB-L108 another process holds it.
    """
    with path.open("ab") as stream:
        if fcntl is not None and not _lock(stream):
            raise FindingError(finding("LLB-L108", pointer=str(path.parent)))
        yield


def _lock(stream: IO[bytes]) -> bool:
    assert fcntl is not None  # noqa: S101
    try:
        fcntl.flock(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError:
        return True
    return True


def _sync_folder(folder: Path) -> None:
    if os.name == "nt":
        return
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
