"""Labels as columns of a Parquet file, float64 by float64, and back.

One column per array of a curve, named `<curve>.<array>`; arrays with more than one number per signal are
fixed-size lists. The inner shapes stand in the metadata of the schema, under the key `llb`.
"""

from __future__ import annotations

import io
import json
from dataclasses import fields
from typing import Any, TypeAlias

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from llb_trainer.teachers.contract import CurveLabels, Labels

__all__ = [
    "WRITING",
    "Table",
    "array_column",
    "label_columns",
    "labels_from_bytes",
    "labels_to_bytes",
    "signals_from_bytes",
    "signals_to_bytes",
]

Floats = NDArray[np.float64]
Table: TypeAlias = Any
"""A table or column of pyarrow, which has no types."""

WRITING: dict[str, Any] = {"compression": "zstd", "use_dictionary": False, "write_statistics": False}
"""How every Parquet file of a store is written: the same table always gives the same bytes."""

_ARRAYS = tuple(field.name for field in fields(CurveLabels) if field.name != "name")
_KEY = b"llb"


def labels_to_bytes(labels: Labels, first_row: int) -> bytes:
    """The labels as a Parquet file, without the signals, which a store keeps elsewhere.

    Args:
        labels: of one chunk.
        first_row: row of its first signal among all signals; column `row` counts from there.
    """
    n = len(labels.signals)
    columns = {"row": pa.array(np.arange(first_row, first_row + n)), **label_columns(labels)}
    shapes = {
        curve.name: {name: list(np.shape(getattr(curve, name))[1:]) for name in _ARRAYS}
        for curve in labels.curves
    }
    table = pa.table(columns).replace_schema_metadata({_KEY: json.dumps(shapes)})
    return _bytes(table)


def labels_from_bytes(data: bytes, signals: Floats) -> Labels:
    """The labels in what `labels_to_bytes` wrote, at these signals.

    Raises:
        ValueError, KeyError, pyarrow.ArrowException: it did not write this, or not for as many signals.
    """
    table = pq.read_table(io.BytesIO(data))
    if table.num_rows != len(signals):
        raise ValueError(f"{table.num_rows} rows for {len(signals)} signals")
    shapes: dict[str, dict[str, list[int]]] = json.loads((table.schema.metadata or {})[_KEY])
    curves = (
        CurveLabels(name, **{array: _array(table, f"{name}.{array}", of[array]) for array in _ARRAYS})
        for name, of in shapes.items()
    )
    return Labels(signals, tuple(curves))


def label_columns(labels: Labels) -> dict[str, Table]:
    """The columns of all curves; arrays without any number per signal have none."""
    return {
        f"{curve.name}.{name}": array_column(values)
        for curve in labels.curves
        for name in _ARRAYS
        if (values := np.asarray(getattr(curve, name))).size
    }


def array_column(values: NDArray[Any]) -> Table:
    """An array (n, ...) as a column of n numbers or fixed-size lists."""
    if values.ndim == 1:
        return pa.array(values)
    flat = pa.array(np.ascontiguousarray(values).reshape(-1))
    return pa.FixedSizeListArray.from_arrays(flat, int(np.prod(values.shape[1:])))


def signals_to_bytes(names: tuple[str, ...], bins: tuple[str, ...], signals: Floats) -> bytes:
    """Signals as a Parquet file: their names, and one column of yields per bin id."""
    columns = {"name": pa.array(names, pa.string())}
    columns |= {name: pa.array(signals[:, column]) for column, name in enumerate(bins)}
    return _bytes(pa.table(columns))


def signals_from_bytes(data: bytes, bins: tuple[str, ...]) -> tuple[tuple[str, ...], Floats]:
    """Names and yields (n, n_bins) in what `signals_to_bytes` wrote.

    Raises:
        ValueError, KeyError, pyarrow.ArrowException: it did not write this.
    """
    table = pq.read_table(io.BytesIO(data))
    columns = [np.array(table.column(name), dtype=np.float64) for name in bins]
    return tuple(table.column("name").to_pylist()), np.stack(columns, axis=1)


def _array(table: Table, column: str, inner: list[int]) -> NDArray[Any]:
    shape = (table.num_rows, *inner)
    if 0 in shape:
        return np.zeros(shape)
    chunk = table.column(column).combine_chunks()
    flat = chunk.flatten() if inner else chunk
    # A copy of one's own: what comes out of arrow is read-only.
    return np.array(flat.to_numpy(zero_copy_only=False)).reshape(shape)


def _bytes(table: Table) -> bytes:
    buffer = io.BytesIO()
    pq.write_table(table, buffer, **WRITING)
    return buffer.getvalue()
