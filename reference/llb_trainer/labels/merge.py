"""One file of all labels of a store: the same bytes, whoever made the chunks, in whatever order."""

from __future__ import annotations

import json
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from llb_schema import FindingError, finding
from llb_trainer.labels.columns import WRITING, Table, array_column, label_columns
from llb_trainer.labels.store import LabelStore
from llb_trainer.teachers.contract import Labels

__all__ = ["MERGED", "merge"]

MERGED = "labels.parquet"
"""Name of the merged file in a store."""


def merge(store: LabelStore) -> Path:
    """Write all labels of a complete store as one Parquet file into it, one row group per chunk.

    Columns are `name`; the yields by bin id; `<curve>.nll`; and the arrays of each curve, see `CurveLabels`.
    Signals without a proven minimum are there with `<curve>.converged` false. The metadata of the schema
    holds the identity of the store under the key `llb`.

    Raises:
        FindingError: LLB-L107 chunks are missing; LLB-X003 the disk refuses.
    """
    target = store.path / MERGED
    beside = target.with_name(f".{MERGED}.new")
    try:
        _write(store, beside)
        beside.replace(target)
    except OSError as error:
        message = f"{target} cannot be written: {error.strerror or error}"
        raise FindingError(finding("LLB-X003", message, pointer=str(target))) from error
    finally:
        beside.unlink(missing_ok=True)
    return target


def _write(store: LabelStore, path: Path) -> None:
    writer: pq.ParquetWriter | None = None
    try:
        for number, labels in enumerate(store.chunks()):
            table = _table(store, number, labels)
            if writer is None:
                writer = pq.ParquetWriter(path, table.schema, **WRITING)
            writer.write_table(table, row_group_size=table.num_rows)
    finally:
        if writer is not None:
            writer.close()


def _table(store: LabelStore, number: int, labels: Labels) -> Table:
    teacher = store.identity.teacher
    baselines = {curve.name: curve.baseline_nll for curve in teacher.owners}
    columns = {"name": pa.array(store.names[store.rows(number)], pa.string())}
    columns |= {name: pa.array(labels.signals[:, column]) for column, name in enumerate(teacher.bins)}
    columns |= {
        f"{curve.name}.nll": array_column(curve.delta + baselines[curve.name]) for curve in labels.curves
    }
    identity = json.dumps(store.identity.to_json())
    return pa.table(columns | label_columns(labels)).replace_schema_metadata({b"llb": identity})
