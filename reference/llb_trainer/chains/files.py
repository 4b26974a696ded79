"""Files of samples: read with what their columns mean, or with what somebody says of them; written whole."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from llb_schema import FindingError, finding
from llb_trainer.chains.description import Column, Description
from llb_trainer.chains.hdf5_files import Hdf5File, write_hdf5
from llb_trainer.chains.numpy_files import NpyFile, NpzFile, npz_bytes
from llb_trainer.chains.samples import ParameterSamples
from llb_trainer.chains.soundness import FEWEST, sound_samples
from llb_trainer.chains.sources import LARGEST, Source, checked_extent, unreadable
from llb_trainer.chains.table_files import CsvFile, ParquetFile, parquet_bytes

__all__ = ["FORMATS", "read_samples", "write_samples"]

FORMATS: Mapping[str, Callable[[Path], Source]] = MappingProxyType(
    {
        ".npz": NpzFile,
        ".npy": NpyFile,
        ".parquet": ParquetFile,
        ".csv": CsvFile,
        ".h5": Hdf5File,
        ".hdf5": Hdf5File,
    }
)
"""The formats that are read, by the end of the file's name; npy and csv hold no description and need one."""

_VALUES, _LOG_DENSITY, _CHAIN = "values", "log_density", "chain"
_WEIGHTS = frozenset({"weight", "weights"})


def read_samples(
    path: Path, description: Description | None = None, *, largest: int = LARGEST, least: int = FEWEST
) -> ParameterSamples:
    """Read samples and look whether they are sound.

    Args:
        path: npz, npy, Parquet, CSV or HDF5, by the end of its name.
        description: what the columns mean; None for files that `write_samples` has written.
        largest: bytes that an array may have.
        least: fewest samples.

    Raises:
        FindingError: LLB-X003 the file cannot be read; LLB-L211 a library is missing; LLB-L201 it is damaged,
            or in no known format; LLB-L202 nobody says what its columns mean; LLB-L203 to L209 what is
            wrong with them; LLB-L210 they are weighted.
    """
    if not path.is_file():
        raise FindingError(finding("LLB-X003", f"{path} is no file", pointer=str(path)))
    opened = FORMATS.get(path.suffix.lower())
    if opened is None:
        raise unreadable(path, f"its name ends in none of {', '.join(FORMATS)}")
    size = path.stat().st_size
    if size > largest:
        raise FindingError(
            finding(
                "LLB-L209", pointer=str(path), expected=f"at most {largest} bytes", actual=f"{size} bytes"
            )
        )
    source = opened(path)
    known = description or _own(source, path)
    for name in source.names():
        if name.lower() in _WEIGHTS:
            raise FindingError(finding("LLB-L210", pointer=f"{path}#{name}", actual=name))
    return sound_samples(_Reading(source, path, largest).samples(known), str(path), least)


def write_samples(path: Path, samples: ParameterSamples) -> None:
    """Write samples with what their columns mean: npz, Parquet or HDF5, by the end of the file's name.

    The file is there whole or not at all; one of that name is replaced.

    Raises:
        FindingError: LLB-X003 the disk refuses, or the name ends in none of these; LLB-L211 h5py is not
            installed; LLB-L203 to LLB-L208 the samples are not sound, however few they are;
            LLB-L206 a parameter has the name of a column that is not its own.
    """
    sound_samples(samples, str(path), least=0)
    arrays: dict[str, NDArray[Any]] = {_VALUES: samples.values}
    extra = {_LOG_DENSITY: samples.log_density, _CHAIN: samples.chain}
    arrays |= {name: array for name, array in extra.items() if array is not None}
    beside = path.with_name(f".{path.name}.{os.getpid()}.new")
    try:
        try:
            match path.suffix.lower():
                case ".npz":
                    beside.write_bytes(npz_bytes(arrays, _text(samples, _VALUES)))
                case ".h5" | ".hdf5":
                    write_hdf5(beside, arrays, _text(samples, _VALUES))
                case ".parquet":
                    beside.write_bytes(parquet_bytes(_columns(samples, arrays, path), _text(samples, "")))
                case _:
                    message = f"{path.name} ends in none of .npz, .parquet, .h5"
                    raise FindingError(finding("LLB-X003", message, pointer=str(path)))
            beside.replace(path)
        finally:
            beside.unlink(missing_ok=True)
    except OSError as error:
        message = f"{path} cannot be written: {error.strerror or error}"
        raise FindingError(finding("LLB-X003", message, pointer=str(path))) from error


def _text(samples: ParameterSamples, array: str) -> str:
    columns = tuple(range(len(samples.names))) if array else samples.names
    own = Description(
        samples.parameters,
        columns,
        array,
        "" if samples.log_density is None else _LOG_DENSITY,
        "" if samples.chain is None else _CHAIN,
    )
    return json.dumps(own.to_json())


def _columns(
    samples: ParameterSamples, arrays: Mapping[str, NDArray[Any]], path: Path
) -> dict[str, NDArray[Any]]:
    """Values by the name of the parameter, and the other arrays."""
    others = {name: array for name, array in arrays.items() if name != _VALUES}
    clash = sorted({*others, *_WEIGHTS} & set(samples.names))
    if clash:
        raise FindingError(
            finding(
                "LLB-L206", f"{clash[0]} is the name of another column", pointer=str(path), actual=clash[0]
            )
        )
    return {**{name: samples.values[:, i] for i, name in enumerate(samples.names)}, **others}


def _own(source: Source, path: Path) -> Description:
    """The description that a file holds."""
    text = source.description()
    if text is None:
        raise FindingError(
            finding("LLB-L202", "the file does not say what its columns are", pointer=str(path))
        )
    try:
        raw = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise unreadable(path, f"its description is not JSON: {error}") from error
    return Description.from_json(raw, str(path))


class _Reading:
    """Finds the columns of a description in a file."""

    def __init__(self, source: Source, path: Path, largest: int) -> None:
        self.source, self.path, self.largest = source, path, largest
        self._read: dict[str, NDArray[Any]] = {}

    def samples(self, known: Description) -> ParameterSamples:
        """The samples that the description names."""
        columns = [np.asarray(self._column(known, item), dtype=np.float64) for item in known.columns]
        lengths = {len(column) for column in columns}
        if len(lengths) != 1:
            raise FindingError(
                finding(
                    "LLB-L203", "its columns differ in length", pointer=str(self.path), actual=sorted(lengths)
                )
            )
        log_density = None if known.log_density == "" else self._column(known, known.log_density)
        chain = None if known.chain == "" else self._column(known, known.chain)
        return ParameterSamples(
            known.parameters,
            np.stack(columns, axis=1),
            None if log_density is None else np.array(log_density, dtype=np.float64),
            None if chain is None else self._whole(chain),
        )

    def _column(self, known: Description, column: Column) -> NDArray[Any]:
        if isinstance(column, str):
            array = self._array(column)
            if array.ndim != 1:
                raise self._shape(column, "(n,)", array.shape)
            return array
        # an npy file has one array, which needs no name
        name = known.array or (self.source.names()[0] if len(self.source.names()) == 1 else "")
        table = self._array(name)
        if table.ndim == 1:
            table = table[:, None]
        if column >= table.shape[1]:
            raise self._shape(name, f"(n, {column + 1}) or more columns", table.shape)
        return table[:, column]

    def _array(self, name: str) -> NDArray[Any]:
        if name not in self._read:
            if not name or (name not in self.source.names() and "/" not in name):
                there = ", ".join(self.source.names()[:20])
                raise FindingError(
                    finding(
                        "LLB-L202",
                        f"the file has no {name or 'array of that number'}",
                        pointer=str(self.path),
                        expected=name,
                        actual=there,
                    )
                )
            checked_extent(self.source.extent(name), f"{self.path}#{name}", self.largest)
            self._read[name] = self.source.read(name)
        return self._read[name]

    def _whole(self, chain: NDArray[Any]) -> NDArray[np.int64]:
        numbers = np.asarray(chain, dtype=np.float64)
        if not np.all(np.isfinite(numbers) & (numbers == np.floor(numbers)) & (np.abs(numbers) < 2**53)):
            raise FindingError(
                finding(
                    "LLB-L208",
                    pointer=f"{self.path}#chain",
                    expected="whole numbers",
                    actual=str(chain.dtype),
                )
            )
        return numbers.astype(np.int64)

    def _shape(self, name: str, expected: str, shape: tuple[int, ...]) -> FindingError:
        return FindingError(
            finding("LLB-L203", pointer=f"{self.path}#{name}", expected=expected, actual=shape)
        )
