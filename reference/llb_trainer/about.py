"""Who made a bundle and of which analysis: as its input says it, and as a file says it.

Such a file is TOML, with the keys of the manifest.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from llb.bundle import Analysis, Author, Reference
from llb_schema import FORMAT_VERSION, Finding, FindingError, finding, validate_document
from llb_trainer.export.emit import Identity
from llb_trainer.teachers.histfactory import Workspace
from llb_trainer.teachers.simplified import SimplifiedLikelihood
from llb_trainer.toml_files import meant, read_toml

__all__ = ["KEYS", "density_identity", "read_about", "simplified_identity", "workspace_identity"]

KEYS = ("id", "version", "title", "authors", "license", "references", "analysis", "supersedes")
"""Keys that such a file may have, with the values that a manifest may have there (docs/format.md)."""

_REFUSED = "LLB-T043"
_ARXIV = re.compile(r"\d{4}\.\d{4,5}|[a-z-]+/\d{7}")


def read_about(path: Path, default: Identity) -> Identity:
    """An identity as a file says it.

    Args:
        path: the file.
        default: what it leaves out.

    Raises:
        FindingError: LLB-X003 the file cannot be read; LLB-T043 it is no TOML, a key is unknown, or a value
            is none that a manifest may have: one finding each.
    """
    said = read_toml(path, _REFUSED)
    faults = tuple(_faults(path, said))
    if faults:
        raise FindingError(faults)
    read = {
        "authors": lambda items: tuple(map(Author.from_json, items)),
        "references": lambda items: tuple(map(Reference.from_json, items)),
        "analysis": Analysis.from_json,
    }
    return replace(default, **{key: read.get(key, lambda item: item)(item) for key, item in said.items()})


def _faults(path: Path, said: Mapping[str, Any]) -> Iterator[Finding]:
    for key in [key for key in said if key not in KEYS]:
        message = f"{key} says nothing about a bundle{meant(key, KEYS)}"
        yield finding(_REFUSED, message, pointer=f"{path}#/{key}")
    known = {key: item for key, item in said.items() if key in KEYS}
    head = {"format": "llb", "format_version": FORMAT_VERSION, "family": "profile_likelihood"}
    for fault in validate_document({**head, **known}, "manifest"):
        # Of the rest of the manifest nothing is there yet.
        if fault.pointer.split("/")[1] in known:
            yield replace(
                finding(_REFUSED, fault.message, pointer=f"{path}#{fault.pointer}"),
                expected=fault.expected,
                actual=fault.actual,
            )


def workspace_identity(workspace: Workspace, patchset: Path | None, embedded: bool) -> Identity:
    """An identity for a bundle that nobody has published yet.

    Args:
        workspace: what it is learned from.
        patchset: its metadata name the analysis, where they do.
        embedded: whether this is the invented search that comes with llb.
    """
    if embedded:
        analysis = Analysis("LLB-QUICKSTART", "invented", 13.0, 139.0)
        return _identity("llb-quickstart", "The invented search of the LLB quickstart", analysis, ())
    metadata = _metadata(patchset)
    name = metadata.get("analysis_id")
    name = name if isinstance(name, str) and 0 < len(name) <= 200 else Path(workspace.name).stem
    title = f"Profile likelihood of {name}, {workspace.measurement}"
    return _identity(name, title[:200], Analysis(name), _references(metadata))


def density_identity(name: str) -> Identity:
    """The same for a bundle of a density of all parameters."""
    return _identity(name, f"Density of the parameters of {name}"[:200], Analysis(name[:200]), ())


def simplified_identity(likelihood: SimplifiedLikelihood) -> Identity:
    """The same for a bundle of a simplified likelihood."""
    name = likelihood.id[:200] or Path(likelihood.name).stem
    found = _ARXIV.search(likelihood.arxiv)
    references = (Reference("arxiv", found[0]),) if found else ()
    title = f"Profile likelihood of {name}, simplified"
    return _identity(name, title[:200], Analysis(name), references)


def _identity(name: str, title: str, analysis: Analysis, references: tuple[Reference, ...]) -> Identity:
    slug = re.sub(r"[^a-z0-9._-]+", "-", name.lower()).strip("-._")[:100]
    author = (Author(name="llb quickstart"),)
    return Identity(
        id=slug or "bundle", title=title, authors=author, analysis=analysis, references=references
    )


def _metadata(patchset: Path | None) -> dict[str, object]:
    document = None if patchset is None else json.loads(patchset.read_bytes())
    metadata = document.get("metadata") if isinstance(document, dict) else None
    return metadata if isinstance(metadata, dict) else {}


def _references(metadata: dict[str, object]) -> tuple[Reference, ...]:
    references = metadata.get("references")
    record = references.get("hepdata") if isinstance(references, dict) else None
    return (Reference("hepdata", record),) if isinstance(record, str) and record else ()
