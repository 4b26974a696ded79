"""What a file of samples offers its readers, in whatever format it is."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from llb_schema import FindingError, finding

__all__ = ["KEY", "LARGEST", "Extent", "Source", "checked_extent", "unreadable"]

LARGEST = 16 * 2**30
"""Bytes that an array of a file may have in memory, if nobody says otherwise."""

KEY = "llb"
"""Where a file of ours holds its description: name of the array, attribute or metadata entry."""


@dataclass(frozen=True)
class Extent:
    """An array of a file before it is read: its shape and type."""

    shape: tuple[int, ...]
    dtype: np.dtype[Any]


class Source(Protocol):
    """An open file of samples. Every method may raise FindingError, LLB-L201, of a damaged file."""

    def names(self) -> tuple[str, ...]:
        """Names of its arrays or columns, the description left out."""
        ...

    def description(self) -> str | None:
        """The description that a file of ours holds, as JSON, or None."""
        ...

    def extent(self, name: str) -> Extent:
        """Shape and type of an array."""
        ...

    def read(self, name: str) -> NDArray[Any]:
        """An array, whole; its extent has been checked."""
        ...


def checked_extent(extent: Extent, pointer: str, largest: int) -> None:
    """Refuse an array before it costs anything.

    Raises:
        FindingError: LLB-L208 it holds no real numbers; LLB-L209 it is too large; LLB-L203 it is neither a
            column nor a table.
    """
    if extent.dtype.kind not in "fiu" or extent.dtype.itemsize > np.dtype(np.float64).itemsize:
        raise FindingError(
            finding("LLB-L208", pointer=pointer, expected="real numbers", actual=str(extent.dtype))
        )
    if len(extent.shape) not in (1, 2):
        raise FindingError(finding("LLB-L203", pointer=pointer, expected="(n, D)", actual=extent.shape))
    size = 8
    for length in extent.shape:
        size *= int(length)
    if size > largest:
        raise FindingError(
            finding("LLB-L209", pointer=pointer, expected=f"at most {largest} bytes", actual=f"{size} bytes")
        )


def unreadable(path: object, why: object) -> FindingError:
    """LLB-L201 for this file."""
    return FindingError(finding("LLB-L201", f"the samples cannot be read: {why}", pointer=str(path)))
