"""From the bytes that SModelS keeps of a model file to a loaded bundle.

SModelS reads the file that `statModels` names, whatever it is called, and hands its bytes to the adapter; it
puts them into the pickled database too. So a bundle comes as one file, an archive, and is never on disk here.
"""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path

from llb.bundle import read_archive, read_bundle
from llb.runtime import ProfileLikelihood, load
from llb_schema import FindingError, finding

__all__ = ["MAX_MODELS", "is_bundle", "load_bytes"]

MAX_MODELS = 16
"""Loaded bundles that are kept; the one that was not used for longest goes first."""

_ARCHIVES = (b"PK", b"\x1f\x8b")


def is_bundle(data: bytes) -> bool:
    """Whether these are the bytes of an archive, zip or tar.gz, and so of a bundle rather than of a graph."""
    return data[:2] in _ARCHIVES


# SModelS makes a new adapter for every prediction, thousands of them from the same bytes.
@lru_cache(maxsize=MAX_MODELS)
def load_bytes(data: bytes, name: str = "?") -> ProfileLikelihood:
    """The profile likelihood in an archived bundle; the same object for the same bytes and name.

    The one place where it is decided what a model file is.

    Args:
        data: the file.
        name: its name, for messages.

    Raises:
        FindingError: `LLB-A001`, it is no archive; all findings of a bundle that cannot be used.
    """
    if not is_bundle(data):
        message = (
            f"{name} is not a bundle in an archive, and SModelS has no adapter of its own for such files"
        )
        raise FindingError(finding("LLB-A001", message, pointer=name))
    return load(read_bundle(read_archive(data, Path(name))))
