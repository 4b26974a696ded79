"""Documents of older format versions as documents of the current one: pure functions, a step at a time.

A step is from one breaking part of the format to the next (VERSION-8). It takes a document that is valid in
its own version and returns a new one that says the same in the next; it never changes what it is given, and
keeps `extensions` as they are.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from llb_schema.versions import line_of

__all__ = ["Migration", "migrate"]

Migration = Callable[[Mapping[str, Any]], dict[str, Any]]
"""A pure function from a document of one line to the same document of the next one."""


def migrate(document: Mapping[str, Any], kind: str) -> Mapping[str, Any]:
    """A document in the current breaking part of the format; itself, if it is of that already.

    What is of an older growing part stays so: it is valid as it is (VERSION-10).

    Args:
        document: a document that `validate_document` accepts; it is left as it is.
        kind: `manifest` or `vectors`.
    """
    while (line := line_of(document)) in _STEPS:
        document = _STEPS[line][kind](document)
    return document


def _to_1_0(document: Mapping[str, Any]) -> dict[str, Any]:
    """0.1 to 1.0: every key of 0.1 means in 1.0 what it meant."""
    return {**document, "format_version": "1.0.0"}


_STEPS: Mapping[str, Mapping[str, Migration]] = {"0.1": {"manifest": _to_1_0, "vectors": _to_1_0}}
"""The migrations by the line that they start from, and by kind of document."""
