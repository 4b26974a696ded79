"""All bundles below a folder: entries of those that can be used, findings of the others."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from llb.bundle import read_any_bundle
from llb.index.entries import Entry, entry_of
from llb.validation import validate
from llb_schema import Finding, FindingError, finding

__all__ = ["Index", "find_bundles", "index_folder"]

_MANIFEST = "manifest.json"
_FOLDER, _ARCHIVES = ".llb", (".llb.zip", ".llb.tar.gz", ".llb.tgz")
_VERSION = "1.0.0"


@dataclass(frozen=True)
class Index:
    """The bundles below a folder.

    Attributes:
        level: up to which they were validated.
        entries: of those without errors, in the order of their analyses.
        findings: by path, of whatever has any; paths that are not among the entries are not usable.
    """

    level: int
    entries: tuple[Entry, ...]
    findings: Mapping[str, tuple[Finding, ...]]

    @property
    def left_out(self) -> tuple[str, ...]:
        """Paths of the bundles that cannot be used."""
        listed = {entry.path for entry in self.entries}
        return tuple(path for path in self.findings if path not in listed)

    def to_json(self) -> dict[str, Any]:
        """The index as a JSON object, the content of `index.json`."""
        return {
            "format": "llb-index",
            "format_version": _VERSION,
            "level": self.level,
            "bundles": [entry.to_json() for entry in self.entries],
            "findings": {path: [item.to_json() for item in found] for path, found in self.findings.items()},
        }


def index_folder(folder: Path, level: int, progress: Callable[[int], None] | None = None) -> Index:
    """Validates and lists all bundles below a folder; links are not followed.

    Args:
        folder: not a bundle itself.
        level: of the validation.
        progress: called with 1 after each bundle.

    Raises:
        FindingError: `LLB-R002`, there is no bundle; `LLB-X003`, the folder cannot be read.
    """
    paths = find_bundles(folder)
    entries: list[Entry] = []
    findings: dict[str, tuple[Finding, ...]] = {}
    for path in paths:
        name = path.relative_to(folder).as_posix()
        found, entry = _look_at(path, name, level)
        if found:
            findings[name] = found
        if entry is not None:
            entries.append(entry)
        if progress is not None:
            progress(1)
    for path, item in _twins(entries):
        findings[path] = (*findings.get(path, ()), item)
    entries.sort(key=lambda entry: (entry.analysis.name, entry.id, entry.version, entry.path))
    return Index(level, tuple(entries), dict(sorted(findings.items())))


def find_bundles(folder: Path) -> list[Path]:
    """Folders with a manifest or called `.llb`, and archives called `.llb.zip` or `.llb.tar.gz`, sorted.

    Raises:
        FindingError: `LLB-R002`, there is none, or the folder is a bundle itself; `LLB-X003`.
    """
    if not folder.is_dir():
        raise FindingError(finding("LLB-X003", f"there is no folder {folder}", pointer=str(folder)))
    if (folder / _MANIFEST).exists():
        raise FindingError(finding("LLB-R002", f"{folder} is a bundle itself", pointer=str(folder)))
    found: list[Path] = []
    for place, folders, files in os.walk(folder):
        here = Path(place)
        bundles = [name for name in folders if name.endswith(_FOLDER) or (here / name / _MANIFEST).is_file()]
        found += [here / name for name in bundles if not (here / name).is_symlink()]
        found += [
            here / name for name in files if name.endswith(_ARCHIVES) and not (here / name).is_symlink()
        ]
        folders[:] = [name for name in folders if name not in bundles and not name.startswith(".")]
    if not found:
        raise FindingError(finding("LLB-R002", f"{folder} holds no bundle", pointer=str(folder)))
    return sorted(found)


def _look_at(path: Path, name: str, level: int) -> tuple[tuple[Finding, ...], Entry | None]:
    """What is wrong with a bundle, and if nothing is, what it says."""
    report = validate(path, level)
    findings, entry = report.findings, None
    if report.status == "ok":
        try:
            entry = entry_of(read_any_bundle(path), name)
        except FindingError as error:
            findings = (*findings, *error.findings)
    # An index is to be the same wherever its folder lies.
    return tuple(replace(item, message=item.message.replace(str(path), name)) for item in findings), entry


def _twins(entries: list[Entry]) -> Iterator[tuple[str, Finding]]:
    """Bundles that have the name of one before them."""
    first: dict[tuple[str, str], Entry] = {}
    for entry in entries:
        other = first.setdefault((entry.id, entry.version), entry)
        if other is not entry:
            same = "the same content" if other.content_id == entry.content_id else "another content"
            message = f"{entry.path} is {entry.id}@{entry.version} like {other.path}, with {same}"
            yield entry.path, finding("LLB-R003", message, pointer=entry.path)
