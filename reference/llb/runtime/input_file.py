"""Files that a user names: read whole, but never more than any real one holds."""

from __future__ import annotations

from pathlib import Path

from llb_schema import FindingError, finding

__all__ = ["MAX_INPUT_BYTES", "read_input"]

MAX_INPUT_BYTES = 64 * 2**20
"""Patchsets with hundreds of signals have a few tens of MiB; devices such as /dev/zero never end."""


def read_input(path: Path) -> bytes:
    """The content of a file.

    Raises:
        FindingError: `LLB-X003`, it cannot be read; `LLB-P008`, it is larger than `MAX_INPUT_BYTES`.
    """
    try:
        with path.open("rb") as stream:
            data = stream.read(MAX_INPUT_BYTES + 1)
    except (OSError, ValueError) as error:
        # ValueError: a path with a NUL character.
        reason = (error.strerror if isinstance(error, OSError) else None) or str(error)
        raise FindingError(finding("LLB-X003", f"cannot read {path}: {reason}", pointer=str(path))) from error
    if len(data) > MAX_INPUT_BYTES:
        expected, hint = f"at most {MAX_INPUT_BYTES} bytes", "Split the file."
        raise FindingError(finding("LLB-P008", pointer=str(path), expected=expected, hint=hint))
    return data
