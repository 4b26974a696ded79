"""Tables and resources as the files of a submission.

The tables are written by hepdata_lib. Its pictures need ImageMagick in a shell, its archive holds times and
lands in the working directory, and its record is always CC0; so pictures, archive and record are written
here.
"""

from __future__ import annotations

import io
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml
from hepdata_lib import Table, Uncertainty, Variable
from PIL import Image

from llb.publish.data_table import DataColumn, DataTable
from llb.publish.documents import SUBMISSION
from llb.publish.licences import license_page
from llb.publish.wording import Wording

__all__ = ["FIGURE_KINDS", "license_entry", "write_record", "write_tables"]

FIGURE_KINDS = ("{}.png", "thumb_{}.png")
"""Names of a picture and of its thumbnail, as HEPData knows them."""
_THUMBNAIL = (240, 179)
_DIGITS = 9
_GEV = 1000.0


def license_entry(expression: str) -> dict[str, str]:
    """An SPDX licence as HEPData states it."""
    return {"name": expression, "url": license_page(expression)}


def write_record(folder: Path, record: Mapping[str, Any]) -> None:
    """The document about the whole record, as the first of a new submission."""
    text = yaml.safe_dump(dict(record), sort_keys=False, allow_unicode=True, explicit_start=True)
    (folder / SUBMISSION).write_text(text, encoding="utf-8")


def write_tables(folder: Path, tables: Iterable[DataTable], wording: Wording) -> None:
    """Data files, pictures and thumbnails, and a document for each table at the end of the submission."""
    for table in tables:
        entry = Table(table.name)
        entry.description, entry.location = table.description, table.location
        entry.keywords = _keywords(table, wording)
        entry.add_data_license(**license_entry(table.license))
        for column in table.columns:
            entry.add_variable(_variable(column))
        if table.figure is not None:
            entry.additional_resources = _write_figure(folder, table, table.figure)
        entry.write_yaml(str(folder))


def _keywords(table: DataTable, wording: Wording) -> dict[str, list[Any]]:
    named: dict[str, Sequence[Any]] = {
        "cmenergies": () if table.sqrt_s is None else (table.sqrt_s * _GEV,),
        "observables": table.observables,
        "reactions": wording.reactions,
        "phrases": ("Machine learning", "Likelihood", "Reinterpretation", *wording.phrases),
    }
    return {name: list(values) for name, values in named.items() if values}


def _variable(column: DataColumn) -> Any:
    variable = Variable(
        column.name,
        is_independent=column.given,
        is_binned=False,
        units=column.unit,
        values=list(column.values),
        zero_uncertainties_warning=False,
    )
    # Its own 5 would lose what tests of a likelihood look at.
    variable.digits = _DIGITS
    for item in column.qualifiers:
        variable.add_qualifier(item.name, item.value, item.unit)
    if column.error is not None:
        error = Uncertainty(column.error[0])
        error.values = list(column.error[1])
        variable.add_uncertainty(error)
    return variable


def _write_figure(folder: Path, table: DataTable, png: bytes) -> list[dict[str, str]]:
    image, thumbnail = (kind.format(table.stem) for kind in FIGURE_KINDS)
    (folder / image).write_bytes(png)
    small = io.BytesIO()
    with Image.open(io.BytesIO(png)) as picture:
        picture.thumbnail(_THUMBNAIL)
        picture.save(small, "PNG")
    (folder / thumbnail).write_bytes(small.getvalue())
    return [
        {"description": "Image file", "location": image},
        {"description": "Thumbnail image file", "location": thumbnail},
    ]
