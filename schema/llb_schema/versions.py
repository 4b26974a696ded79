"""Which documents this reader accepts: format version, features, and the rule that compares them.

The rule (VERSION-2 to VERSION-5): of two versions the *breaking* part is the major number, or, while
that is 0, major and minor together; the *growing* part is the number after it. A newer breaking part is
refused. A newer growing part is accepted with a warning and its new keys are ignored, unless the document
lists a required feature that this reader does not have.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from llb_schema.findings import Finding, finding

__all__ = ["FEATURES", "FORMAT_VERSION", "check_version", "is_newer_growth"]

_KNOWN = (0, 1, 0)
FORMAT_VERSION = "0.1.0"
FEATURES: frozenset[str] = frozenset()
_VERSION = re.compile(r"(0|[1-9][0-9]{0,5})\.(0|[1-9][0-9]{0,5})\.(0|[1-9][0-9]{0,5})", re.ASCII)


def check_version(document: Mapping[str, Any]) -> tuple[Finding, ...]:
    """The findings about `format_version` and `required_features` of a document, errors first.

    An error means that nothing else in the document may be interpreted.
    """
    text = document.get("format_version")
    version = _parse(text)
    if version is None:
        return (
            finding("LLB-S014", pointer="/format_version", expected="MAJOR.MINOR.PATCH", actual=_short(text)),
        )
    breaking, growing = _split(version)
    known_breaking, known_growing = _split(_KNOWN)
    if breaking > known_breaking:
        return (_distance("LLB-S010", text),)
    if breaking < known_breaking:
        return (_distance("LLB-S015", text),)
    findings = _check_features(document)
    if growing > known_growing:
        findings.append(_distance("LLB-S011", text))
    return tuple(findings)


def is_newer_growth(document: Mapping[str, Any]) -> bool:
    """Whether the document is of an acceptable newer version, so that unknown keys are to be ignored."""
    version = _parse(document.get("format_version"))
    if version is None:
        return False
    breaking, growing = _split(version)
    known_breaking, known_growing = _split(_KNOWN)
    return breaking == known_breaking and growing > known_growing


def _distance(code: str, text: object) -> Finding:
    message = f"the document is of format version {text}, this reader knows {FORMAT_VERSION}"
    return finding(code, message, pointer="/format_version", expected=FORMAT_VERSION, actual=text)


def _check_features(document: Mapping[str, Any]) -> list[Finding]:
    features = document.get("required_features", [])
    if not isinstance(features, list):
        return []  # the schema reports the type
    return [
        finding(
            "LLB-S012",
            f"this reader does not have the required feature {_short(name)}",
            pointer=f"/required_features/{index}",
            expected=", ".join(sorted(FEATURES)) or "no required feature",
            actual=_short(name),
        )
        for index, name in enumerate(features)
        if not isinstance(name, str) or name not in FEATURES
    ]


def _parse(text: object) -> tuple[int, int, int] | None:
    match = _VERSION.fullmatch(text) if isinstance(text, str) else None
    return None if match is None else (int(match[1]), int(match[2]), int(match[3]))


def _split(version: tuple[int, int, int]) -> tuple[tuple[int, ...], tuple[int, ...]]:
    major, minor, patch = version
    # A patch of a released major changes no reader's mind; before 1.0 it is the growing part.
    return ((major,), (minor,)) if major else ((major, minor), (patch,))


def _short(value: object) -> str:
    return repr(value)[:80]
