"""Samples in tables of named columns: Parquet and CSV."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.csv as pcsv
import pyarrow.parquet as pq
from numpy.typing import NDArray

from llb_trainer.chains.sources import KEY, Extent, unreadable

__all__ = ["CsvFile", "ParquetFile", "parquet_bytes"]

_DAMAGED = (OSError, ValueError, KeyError, pa.ArrowException)


class ParquetFile:
    """Columns by name.

    Raises:
        FindingError: LLB-L201 it is no Parquet file, or has two columns of one name.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        try:
            self._schema: Any = pq.read_schema(path)
            self._rows = int(pq.read_metadata(path).num_rows)
        except _DAMAGED as error:
            raise unreadable(path, error) from error
        if len(set(self._schema.names)) < len(self._schema.names):
            raise unreadable(path, "two of its columns have one name")

    def names(self) -> tuple[str, ...]:
        """Its columns."""
        return tuple(self._schema.names)

    def description(self) -> str | None:
        """The description, an entry of the schema's metadata."""
        raw: bytes | None = (self._schema.metadata or {}).get(KEY.encode())
        return None if raw is None else raw.decode("utf-8", "replace")

    def extent(self, name: str) -> Extent:
        """Length and type."""
        return Extent((self._rows,), _dtype(self._schema.field(name).type))

    def read(self, name: str) -> NDArray[Any]:
        """A column; what is missing in it is NaN."""
        try:
            return _numbers(pq.read_table(self.path, columns=[name]).column(0))
        except _DAMAGED as error:
            raise unreadable(self.path, f"{name}: {error}") from error


class CsvFile:
    """Columns by the names in the first line, separated by commas.

    Raises:
        FindingError: LLB-L201 it is no such table, or has two columns of one name.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        try:
            self._table: Any = pcsv.read_csv(path)
        except _DAMAGED as error:
            raise unreadable(path, error) from error
        if len(set(self._table.column_names)) < len(self._table.column_names):
            raise unreadable(path, "two of its columns have one name")

    def names(self) -> tuple[str, ...]:
        """Its columns."""
        return tuple(self._table.column_names)

    def description(self) -> None:
        """None: there is no place for one."""
        return

    def extent(self, name: str) -> Extent:
        """Length and type."""
        return Extent((self._table.num_rows,), _dtype(self._table.column(name).type))

    def read(self, name: str) -> NDArray[Any]:
        """A column; what is missing in it is NaN."""
        return _numbers(self._table.column(name))


def parquet_bytes(columns: dict[str, NDArray[Any]], description: str) -> bytes:
    """A Parquet file of these columns with a description; the same columns always give the same bytes."""
    table: Any = pa.table({name: pa.array(np.ascontiguousarray(array)) for name, array in columns.items()})
    buffer = io.BytesIO()
    pq.write_table(
        table.replace_schema_metadata({KEY: description}),
        buffer,
        compression="zstd",
        use_dictionary=False,
        write_statistics=False,
    )
    return buffer.getvalue()


def _dtype(kind: Any) -> np.dtype[Any]:
    """NumPy's type of a column, `object` for everything that is no plain number."""
    if pa.types.is_integer(kind) or pa.types.is_floating(kind):
        return np.dtype(kind.to_pandas_dtype())
    return np.dtype(object)


def _numbers(column: Any) -> NDArray[Any]:
    if column.null_count:
        column = column.cast(pa.float64())
    # a copy of one's own: what comes out of arrow is read-only
    return np.array(column.to_numpy())
