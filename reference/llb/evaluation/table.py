"""A CSV table of a bundle: names in the first column, finite numbers in the others."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from llb.bundle import AnyBundle
from llb_schema import FindingError, finding

__all__ = ["read_table"]


def read_table(
    bundle: AnyBundle, path: str, header: Sequence[str]
) -> tuple[tuple[str, ...], NDArray[np.float64]]:
    """Names (n,) and numbers (n, len(header) - 1) under the given header; columns after it are left out.

    Raises:
        FindingError: `LLB-I...`, the file was changed; `LLB-M026`, another header; `LLB-M027`, a row
            cannot be used.
    """
    rows = list(csv.reader(io.StringIO(bundle.read(path).decode("utf-8", "replace"), newline="")))
    width = len(header)
    if not rows or rows[0][:width] != list(header):
        raise FindingError(finding("LLB-M026", pointer=path, expected=",".join(header)[:200]))
    try:
        table = np.array([row[1:width] for row in rows[1:]], np.float64).reshape(len(rows) - 1, width - 1)
    except ValueError as error:
        raise FindingError(finding("LLB-M027", pointer=path)) from error
    if not len(table) or not np.isfinite(table).all():
        raise FindingError(finding("LLB-M027", pointer=path))
    return tuple(row[0] for row in rows[1:]), table
