"""The documents of a `submission.yaml`, as far as anything is asked of them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import yaml

from llb_schema import FindingError, finding

__all__ = ["SUBMISSION", "Resource", "TableEntry", "parse_documents", "read_resources", "read_tables"]

SUBMISSION = "submission.yaml"
# What HEPData reads with, where it is built; the two differ in what they forgive.
_LOADER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


@dataclass(frozen=True)
class Resource:
    """An additional resource; `place` says where it is stated, `type` is "" where that is not said."""

    place: str
    location: str
    description: str
    type: str

    @property
    def is_local(self) -> bool:
        """Whether it is a file of the submission."""
        return not self.location.startswith("http")


@dataclass(frozen=True)
class TableEntry:
    """A document about a table; texts that are not there are ""."""

    place: str
    name: str
    data_file: str
    location: str
    data_schema: str


def parse_documents(data: bytes, path: Path) -> list[Any]:
    """All documents of the file; empty ones, which HEPData skips, are None.

    Raises:
        FindingError: `LLB-H011`, it is no YAML in UTF-8.
    """
    try:
        return list(yaml.load_all(data.decode("utf-8"), Loader=_LOADER))
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        message = f"{path} is no YAML: {' '.join(str(error).split())[:200]}"
        raise FindingError(finding("LLB-H011", message, pointer=str(path))) from error


def read_resources(documents: list[Any]) -> Iterator[Resource]:
    """The resources of all documents; what has another form is for HEPData's own validator to name."""
    for number, document in _mappings(documents):
        listed = document.get("additional_resources")
        for position, raw in enumerate(cast("list[Any]", listed) if isinstance(listed, list) else []):
            if isinstance(raw, dict):
                texts = (
                    _text(cast("Mapping[str, Any]", raw), key) for key in ("location", "description", "type")
                )
                yield Resource(f"{SUBMISSION}#/{number}/additional_resources/{position}", *texts)


def read_tables(documents: list[Any]) -> Iterator[TableEntry]:
    """The documents about tables."""
    for number, document in _mappings(documents):
        if "data_file" in document:
            texts = (_text(document, key) for key in ("name", "data_file", "location", "data_schema"))
            yield TableEntry(f"{SUBMISSION}#/{number}", *texts)


def _mappings(documents: list[Any]) -> Iterator[tuple[int, Mapping[str, Any]]]:
    for number, document in enumerate(documents):
        if isinstance(document, dict):
            yield number, cast("Mapping[str, Any]", document)


def _text(raw: Mapping[str, Any], key: str) -> str:
    value = raw.get(key)
    return "" if value is None else str(value)
