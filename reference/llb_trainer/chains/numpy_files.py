"""Samples in NumPy's files (npy, npz), without pickle: a header is believed only if the bytes bear it out."""

from __future__ import annotations

import ast
import io
import math
import struct
import zipfile
import zlib
from collections.abc import Mapping
from pathlib import Path
from typing import IO, Any

import numpy as np
from numpy.lib import format as npy
from numpy.typing import NDArray

from llb_trainer.chains.sources import KEY, Extent, unreadable

__all__ = ["NpyFile", "NpzFile", "npz_bytes"]

_DAMAGED = (
    *(OSError, ValueError, EOFError, LookupError, TypeError, AttributeError, SyntaxError, MemoryError),
    *(NotImplementedError, RuntimeError),  # of which RecursionError is one
)
_ZIP = (*_DAMAGED, zipfile.BadZipFile, zlib.error, struct.error)
_LONGEST = 2**20
"""Bytes of a description."""
_LONGEST_HEADER = 10_000
"""Bytes of the header of an array; NumPy's own limit."""


class NpyFile:
    """A single array, named as its file."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def names(self) -> tuple[str, ...]:
        """Its only array."""
        return (self.path.stem,)

    def description(self) -> None:
        """None: there is no place for one."""
        return

    def extent(self, name: str) -> Extent:
        """Shape and type, if the file has as many bytes."""
        del name
        try:
            with self.path.open("rb") as stream:
                extent, _, _ = _header(stream)
                _borne_out(extent, self.path.stat().st_size - stream.tell())
        except _DAMAGED as error:
            raise unreadable(self.path, error) from error
        return extent

    def read(self, name: str) -> NDArray[Any]:
        """The array."""
        del name
        try:
            with self.path.open("rb") as stream:
                return _array(stream)
        except _DAMAGED as error:
            raise unreadable(self.path, error) from error


class NpzFile:
    """Arrays by name.

    Raises:
        FindingError: LLB-L201 it is no npz.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        try:
            with zipfile.ZipFile(path) as archive:
                sizes = {item.filename: item.file_size for item in archive.infolist()}
        except _ZIP as error:
            raise unreadable(path, error) from error
        self._sizes: Mapping[str, int] = {
            name.removesuffix(".npy"): size for name, size in sizes.items() if name.endswith(".npy")
        }

    def names(self) -> tuple[str, ...]:
        """Its arrays, the description left out."""
        return tuple(name for name in self._sizes if name != KEY)

    def description(self) -> str | None:
        """The description, an array of the bytes of its text."""
        if KEY not in self._sizes:
            return None
        if self._sizes[KEY] > 2 * _LONGEST:
            raise unreadable(self.path, f"{KEY}.npy has {self._sizes[KEY]} bytes")
        extent = self.extent(KEY)
        if extent.dtype != np.uint8:
            raise unreadable(self.path, f"{KEY}.npy holds {extent.dtype}, not bytes")
        try:
            return self.read(KEY).tobytes().decode()
        except UnicodeDecodeError as error:
            raise unreadable(self.path, error) from error

    def extent(self, name: str) -> Extent:
        """Shape and type, if the member has as many bytes."""
        try:
            with zipfile.ZipFile(self.path) as archive, archive.open(f"{name}.npy") as stream:
                extent, _, length = _header(stream)
                _borne_out(extent, self._sizes[name] - length)
        except _ZIP as error:
            raise unreadable(self.path, f"{name}: {error}") from error
        return extent

    def read(self, name: str) -> NDArray[Any]:
        """An array."""
        try:
            with zipfile.ZipFile(self.path) as archive, archive.open(f"{name}.npy") as stream:
                return _array(stream)
        except _ZIP as error:
            raise unreadable(self.path, f"{name}: {error}") from error


def npz_bytes(arrays: Mapping[str, NDArray[Any]], description: str) -> bytes:
    """An npz file of these arrays with a description; the same arrays always give the same bytes."""
    buffer = io.BytesIO()
    everything = {KEY: np.frombuffer(description.encode(), np.uint8), **arrays}
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_STORED, allowZip64=True) as archive:
        for name, array in everything.items():
            # zip files know no earlier date
            info = zipfile.ZipInfo(f"{name}.npy", (1980, 1, 1, 0, 0, 0))
            with archive.open(info, "w", force_zip64=True) as stream:
                npy.write_array(stream, np.ascontiguousarray(array), allow_pickle=False)
    return buffer.getvalue()


def _header(stream: IO[bytes]) -> tuple[Extent, bool, int]:
    """What a header says: extent, whether columns come first in memory, and the header's length."""
    version = npy.read_magic(stream)
    if version not in ((1, 0), (2, 0)):
        raise ValueError(f"npy version {version}")
    width = 2 if version == (1, 0) else 4
    raw = stream.read(width)
    length = int.from_bytes(raw, "little")
    if len(raw) < width or length > _LONGEST_HEADER:
        raise ValueError("the header of an array is damaged")
    text = stream.read(length).decode("latin-1")
    # not NumPy's reader: it goes on to guess at what it does not understand
    found = ast.literal_eval(text.strip())
    if not isinstance(found, dict) or set(found) != {"descr", "fortran_order", "shape"}:
        raise ValueError("the header of an array is damaged")
    shape = found["shape"]
    if not isinstance(shape, tuple) or any(type(n) is not int or n < 0 for n in shape):
        raise ValueError(f"{shape!r} is no shape")
    dtype = npy.descr_to_dtype(found["descr"])
    return Extent(shape, dtype), bool(found["fortran_order"]), npy.MAGIC_LEN + width + length


def _borne_out(extent: Extent, left: int) -> None:
    """Hold what a header says to the bytes after it, which an array of objects never has."""
    size = math.prod(extent.shape) * extent.dtype.itemsize
    if not extent.dtype.hasobject and size != left:
        raise ValueError(f"its header promises {size} bytes, there are {left}")


def _array(stream: IO[bytes]) -> NDArray[Any]:
    """An array of plain numbers: any other type has no meaning as bytes."""
    extent, fortran, _ = _header(stream)
    if extent.dtype.hasobject:
        raise ValueError("it holds pickled objects")
    flat = np.frombuffer(stream.read(), dtype=extent.dtype)
    return flat.reshape(extent.shape, order="F" if fortran else "C")
