"""Writing one file: whole or not at all, and never over another unless that is asked for."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

from llb_schema import FindingError, finding

__all__ = ["check_folder", "check_free", "write_file"]


def check_folder(path: Path) -> None:
    """Make sure that there is a folder to write something of that path to.

    Raises:
        FindingError: `LLB-X003`, there is none.
    """
    if not path.parent.is_dir():
        message = f"there is no folder {path.parent} to write {path.name} to"
        raise FindingError(finding("LLB-X003", message, pointer=str(path), hint="Make the folder first."))


def check_free(path: Path, *, overwrite: bool) -> None:
    """Make sure that a file may be written there.

    Raises:
        FindingError: `LLB-X002`, something is there already; `LLB-X003`, there is no folder for it, or
            its name is that of something that is no file.
    """
    check_folder(path)
    if path.is_dir() or (path.exists() and not path.is_file()):
        raise FindingError(finding("LLB-X003", f"{path} is no file", pointer=str(path)))
    if not overwrite and (path.exists() or path.is_symlink()):
        raise FindingError(finding("LLB-X002", f"{path} exists already", pointer=str(path)))


def write_file(path: Path, data: bytes, *, overwrite: bool) -> None:
    """Writes beside the target and renames; an interruption or an error leaves what was there before.

    Raises:
        FindingError: as `check_free`, or the disk refuses.
    """
    check_free(path, overwrite=overwrite)
    try:
        descriptor, name = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
    except OSError as error:
        raise _refused(path, error) from error
    beside = Path(name)
    try:
        with os.fdopen(descriptor, "wb") as stream:
            stream.write(data)
        # Temporary files are for their owner alone; this one is to be like any other.
        mask = os.umask(0)
        os.umask(mask)
        beside.chmod(0o666 & ~mask)
        beside.replace(path)
    except OSError as error:
        raise _refused(path, error) from error
    finally:
        beside.unlink(missing_ok=True)


def _refused(path: Path, error: OSError) -> FindingError:
    message = f"{path} cannot be written: {error.strerror or error}"
    return FindingError(finding("LLB-X003", message, pointer=str(path)))
