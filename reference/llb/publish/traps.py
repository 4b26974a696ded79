"""What goes wrong with submissions at HEPData and is said by nobody, or too late; each a finding.

HEPData reads the type of a resource out of its name and description as well, has one flat folder, refuses
what is too large after the upload, and hands out only files whose media type follows from their name.
"""

from __future__ import annotations

import mimetypes
import stat
from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from llb.publish.documents import (
    SUBMISSION,
    Resource,
    TableEntry,
    parse_documents,
    read_resources,
    read_tables,
)
from llb_schema import Finding, FindingError, finding

__all__ = [
    "MAX_UPLOAD",
    "check_names",
    "check_submission",
    "check_upload",
    "submission_files",
]

MAX_UPLOAD = 52_000_000
"""Bytes of an upload."""
_MAX_TABLE = 10 * 2**20
_MAX_NAME, _MAX_LOCATION, _MAX_TYPE = 64, 256, 64
# In this order: the first that fits decides, whatever type is stated.
_HOSTS = ("github", "bitbucket", "rivet", "zenodo", "sourceforge")
_WORDS = ("SimpleAnalysis", "HS3")
# Those of Python alone, without what this machine adds.
_MEDIA_TYPES = mimetypes.MimeTypes()


def submission_files(folder: Path) -> dict[str, int]:
    """Size in bytes of each file of a submission, by name.

    Raises:
        FindingError: `LLB-H005`, there is a folder or a link in it; `LLB-H011`, it is no submission;
            `LLB-X003`, it cannot be read.
    """
    try:
        if not (folder / SUBMISSION).is_file():
            raise FindingError(finding("LLB-H011", f"{folder} has no {SUBMISSION}", pointer=str(folder)))
        states = {path.name: path.stat(follow_symlinks=False) for path in sorted(folder.iterdir())}
    except OSError as error:
        message = f"{folder} cannot be read: {error.strerror or error}"
        raise FindingError(finding("LLB-X003", message, pointer=str(folder))) from error
    wrong = [
        finding("LLB-H005", f"{name} is no regular file", pointer=name)
        for name, state in states.items()
        if not stat.S_ISREG(state.st_mode)
    ]
    if wrong:
        raise FindingError(wrong)
    return {name: state.st_size for name, state in states.items()}


def check_submission(folder: Path) -> tuple[Finding, ...]:
    """All traps that a folder with a submission has run into, sorted.

    Raises:
        FindingError: `LLB-H005`, `LLB-H011` or `LLB-X003`, see `submission_files`.
    """
    files = submission_files(folder)
    documents = parse_documents((folder / SUBMISSION).read_bytes(), folder / SUBMISSION)
    return tuple(sorted(_all(documents, files), key=lambda item: (item.code, item.pointer)))


def _all(documents: list[Any], files: Mapping[str, int]) -> Iterator[Finding]:
    resources, tables = list(read_resources(documents)), list(read_tables(documents))
    for resource in resources:
        yield from _resource(resource)
    for table in tables:
        yield from _table(table, files)
    yield from check_names([table.name for table in tables])
    for data_file in _twice([table.data_file for table in tables]):
        yield finding("LLB-H007", f"two tables have the data file {data_file}", pointer=data_file)
    used = {item.location for item in resources} | {item.data_file for item in tables} | {SUBMISSION}
    for name in sorted(files.keys() - used):
        yield finding("LLB-H006", f"no document refers to {name}", pointer=name)


def _resource(resource: Resource) -> Iterator[Finding]:
    yield from _length(resource.place, "location", resource.location, _MAX_LOCATION)
    yield from _length(resource.place, "type", resource.type, _MAX_TYPE)
    yield from _type(resource)
    if not resource.is_local:
        return
    if "/" in resource.location:
        yield finding("LLB-H005", f"{resource.location} is in a folder", pointer=resource.place)
    if _MEDIA_TYPES.guess_type(resource.location)[0] is None:
        yield finding("LLB-H009", f"{resource.location} has no media type", pointer=resource.place)


def _type(resource: Resource) -> Iterator[Finding]:
    """Whether HEPData keeps the type that is stated; where none is, the words may be meant to say it."""
    stated, text = resource.type.lower(), resource.description.lower()
    if not stated:
        return
    host = next((word for word in _HOSTS if word in resource.location.lower()), None)
    word = next((word for word in _WORDS if word.lower() == stated or word.lower() in text), None)
    if resource.is_local and host not in (None, stated):
        message = f"HEPData will take {resource.location} for a link to {host}, not for {resource.type}"
        yield finding("LLB-H002", message, pointer=resource.place, actual=resource.location)
    elif host is None and word is not None and word.lower() != stated:
        message = f"HEPData will take {resource.location} for {word}, not for {resource.type}"
        yield finding("LLB-H001", message, pointer=resource.place, actual=resource.description[:100])


def _table(table: TableEntry, files: Mapping[str, int]) -> Iterator[Finding]:
    yield from _length(table.place, "location", table.location, _MAX_LOCATION)
    if "/" in table.data_file:
        yield finding("LLB-H005", f"{table.data_file} is in a folder", pointer=table.place)
    size = files.get(table.data_file, 0)
    if size > _MAX_TABLE:
        message, most = f"the table {table.name} is too large", f"at most {_MAX_TABLE} bytes"
        yield finding("LLB-H004", message, pointer=table.data_file, expected=most, actual=size)
    if table.data_schema:
        message = f"{table.data_file} has a schema of its own, which was not fetched"
        yield finding("LLB-H012", message, pointer=table.place, actual=table.data_schema)


def check_names(names: list[str]) -> Iterator[Finding]:
    """Names of tables that are too long, or there twice."""
    for name in names:
        yield from _length(name, "name", name, _MAX_NAME)
    for name in _twice(names):
        yield finding("LLB-H007", f"two tables have the name {name}", pointer=name)


def check_upload(data: bytes, name: str) -> Iterator[Finding]:
    """Whether an archive may be uploaded, by its size."""
    if len(data) > MAX_UPLOAD:
        most = f"at most {MAX_UPLOAD} bytes"
        yield finding("LLB-H003", f"{name} is too large", pointer=name, expected=most, actual=len(data))


def _length(place: str, what: str, text: str, most: int) -> Iterator[Finding]:
    if len(text) > most:
        message = f"a {what} has more than {most} characters"
        yield finding("LLB-H008", message, pointer=place[:100], expected=f"at most {most}", actual=len(text))


def _twice(names: list[str]) -> list[str]:
    return sorted(name for name, count in Counter(names).items() if count > 1)
