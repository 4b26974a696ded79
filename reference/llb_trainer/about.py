"""Files that say who made a bundle and of which analysis, in TOML, with the keys of the manifest."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from llb.bundle import Analysis, Author, Reference
from llb_schema import FORMAT_VERSION, Finding, FindingError, finding, validate_document
from llb_trainer.export.emit import Identity
from llb_trainer.toml_files import meant, read_toml

__all__ = ["KEYS", "read_about"]

KEYS = ("id", "version", "title", "authors", "license", "references", "analysis", "supersedes")
"""Keys that such a file may have, with the values that a manifest may have there (docs/format.md)."""

_REFUSED = "LLB-T043"


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
