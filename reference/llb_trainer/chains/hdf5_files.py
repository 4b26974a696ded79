"""Samples in HDF5 files (extra `hdf5`): data sets in the file itself, nothing that leads out of it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from llb_schema import FindingError, finding
from llb_trainer.chains.sources import KEY, Extent, unreadable

__all__ = ["Hdf5File", "write_hdf5"]

_DAMAGED = (OSError, ValueError, KeyError, TypeError, RuntimeError)


class Hdf5File:
    """Data sets of the root group by name; a path such as `group/chain` reaches others.

    Raises:
        FindingError: LLB-L211 h5py is not installed; LLB-L201 it is no HDF5 file.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._h5py: Any = _library(path)
        try:
            with self._h5py.File(path, "r") as file:
                self._names = tuple(
                    str(name)
                    for name in file
                    if isinstance(file.get(name, getlink=True), self._h5py.HardLink)
                )
                text = file.attrs.get(KEY)
        except _DAMAGED as error:
            raise unreadable(path, error) from error
        if text is not None and not isinstance(text, str):
            raise unreadable(path, f"its attribute {KEY} is no text")
        self._text = text

    def names(self) -> tuple[str, ...]:
        """What the root group holds."""
        return self._names

    def description(self) -> str | None:
        """The description, an attribute of the file."""
        return self._text

    def extent(self, name: str) -> Extent:
        """Shape and type."""
        try:
            with self._h5py.File(self.path, "r") as file:
                item = self._dataset(file, name)
                return Extent(tuple(int(n) for n in item.shape), np.dtype(item.dtype))
        except _DAMAGED as error:
            raise unreadable(self.path, f"{name}: {error}") from error

    def read(self, name: str) -> NDArray[Any]:
        """A data set, whole."""
        try:
            with self._h5py.File(self.path, "r") as file:
                return np.asarray(self._dataset(file, name)[()])
        except _DAMAGED as error:
            raise unreadable(self.path, f"{name}: {error}") from error

    def _dataset(self, file: Any, name: str) -> Any:
        """A data set that holds its numbers itself: links and storage elsewhere would read other files."""
        node: Any = file
        for part in name.split("/"):
            if not isinstance(node.get(part, getlink=True), self._h5py.HardLink):
                raise ValueError("there is none, or it is a link")
            node = node[part]
        if not isinstance(node, self._h5py.Dataset) or node.shape is None:
            raise ValueError("it is no data set")
        if node.is_virtual or node.external is not None:
            raise ValueError("its numbers lie in other files")
        return node


def write_hdf5(path: Path, arrays: dict[str, NDArray[Any]], description: str) -> None:
    """Write these arrays with a description.

    Raises:
        FindingError: LLB-L211 h5py is not installed.
        OSError: the disk refuses.
    """
    h5py = _library(path)
    with h5py.File(path, "w", libver="latest") as file:
        file.attrs[KEY] = description
        for name, array in arrays.items():
            file.create_dataset(name, data=array, track_times=False)


def _library(path: Path) -> Any:
    try:
        import h5py
    except ImportError as error:
        raise FindingError(
            finding("LLB-L211", "HDF5 files need h5py: pip install 'llb[hdf5]'", pointer=str(path))
        ) from error
    return h5py
