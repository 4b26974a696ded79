"""Submissions for HEPData: written by hand, and looked at."""

from __future__ import annotations

import io
import tarfile
import warnings
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml
from hepdata_validator.full_submission_validator import FullSubmissionValidator

__all__ = ["accepted", "archive_files", "documents", "good_documents", "table", "write_submission"]


def table(name: str = "Table 1", data_file: str = "table_1.yaml", **more: Any) -> dict[str, Any]:
    """A document about a table."""
    return {"name": name, "description": "Limits.", "keywords": [], "data_file": data_file, **more}


def good_documents() -> list[dict[str, Any]]:
    """Documents of a submission without a fault: a record with a resource, and a table."""
    resource = {"location": "code.tar.gz", "description": "Code", "type": "Code"}
    return [{"comment": "A search.", "additional_resources": [resource]}, table()]


DATA = {
    "independent_variables": [{"header": {"name": "m", "units": "GEV"}, "values": [{"value": 100.0}]}],
    "dependent_variables": [{"header": {"name": "CLs"}, "values": [{"value": 0.05}]}],
}


def write_submission(
    folder: Path, written: Sequence[Mapping[str, Any]] | str | None = None, **files: bytes
) -> Path:
    """A submission; its documents are the good ones if none are given, and so are its files."""
    folder.mkdir()
    given = good_documents() if written is None else written
    text = given if isinstance(given, str) else yaml.safe_dump_all(given, explicit_start=True)
    (folder / "submission.yaml").write_text(text)
    (folder / "table_1.yaml").write_text(yaml.safe_dump(DATA))
    (folder / "code.tar.gz").write_bytes(b"code")
    for name, data in files.items():
        (folder / name.replace("__", ".")).write_bytes(data)
    return folder


def accepted(place: Path) -> list[str]:
    """What hepdata-validator says of a folder or an archive; nothing where it accepts it."""
    validator = FullSubmissionValidator(autoload_remote_schemas=False)
    given = {"directory" if place.is_dir() else "archive": str(place)}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ResourceWarning)
        ok = validator.validate(**given)
    found = [item.message for items in validator.get_messages().values() for item in items]
    assert ok == (not found)
    return found


def archive_files(data: bytes) -> dict[str, bytes]:
    """Contents of a tar.gz by path, its times and owners being nobody's."""
    found: dict[str, bytes] = {}
    with tarfile.open(fileobj=io.BytesIO(data), mode="r:gz") as archive:
        for member in archive:
            assert (member.mtime, member.uid, member.uname) == (0, 0, "")
            stream = archive.extractfile(member)
            assert stream is not None
            found[member.name] = stream.read()
    return found


def documents(folder: Path) -> list[Any]:
    """The documents of a submission."""
    return list(yaml.safe_load_all((folder / "submission.yaml").read_text()))
