"""Which documents a reader accepts: format version, features, families, and the rule that compares versions.

The rule (VERSION-2 to VERSION-7): of two versions the *breaking* part is the major number, or, while
that is 0, major and minor together; the *growing* part is the number after it. A breaking part that is newer
than all known ones is refused, and so is an older one that is none of the supported. A newer growing part is
accepted with a warning and its new keys are ignored, unless the document lists a required feature that this
reader does not have. A supported older breaking part is read, and said to be one. An older growing part is
nothing to speak of: documents are written in the lowest one that has what they need (VERSION-10).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from llb_schema.findings import Finding, finding

__all__ = [
    "DENSITY_VERSION",
    "FAMILIES_OF_FORMAT",
    "FORMAT_VERSION",
    "LINES",
    "NEWEST_VERSION",
    "READER",
    "Reader",
    "check_version",
    "is_newer_growth",
    "line_of",
]

FORMAT_VERSION = "1.0.0"
"""The version in which profile likelihoods are written: the lowest that has all they need (VERSION-10)."""

DENSITY_VERSION = "1.1.0"
"""The version in which densities are written, likewise."""

FAMILIES_OF_FORMAT = ("profile_likelihood", "full_likelihood", "parameter_likelihood")
"""The families whose manifests the schemas describe; no reader has to have all of them (FAMILY-2)."""

LINES: Mapping[str, str] = {"0.1": "0.1.0", "1.0": FORMAT_VERSION, "1.1": DENSITY_VERSION}
"""The versions that this reader knows, oldest first, by the folder of their schemas."""

NEWEST_VERSION = tuple(LINES.values())[-1]
"""The newest version that this package describes."""

# Families that a version has the keys of and no test vectors, so that no bundle of it can be complete.
_RESERVED: Mapping[str, frozenset[str]] = {"1.0": frozenset(FAMILIES_OF_FORMAT[1:])}
# As many as the schema allows.
_MAX_FEATURES = 100


@dataclass(frozen=True)
class Reader:
    """What a program can make sense of, within the versions that this package knows.

    Attributes:
        features: names in `required_features` that it knows what to do with.
        families: families of functions that it can evaluate.
    """

    features: frozenset[str] = frozenset({"conditional_inputs"})
    families: frozenset[str] = frozenset(FAMILIES_OF_FORMAT)


READER = Reader()
"""The reference reader."""

_VERSION = re.compile(r"(0|[1-9][0-9]{0,5})\.(0|[1-9][0-9]{0,5})\.(0|[1-9][0-9]{0,5})", re.ASCII)

Part = tuple[int, ...]


def check_version(document: Mapping[str, Any], reader: Reader = READER) -> tuple[Finding, ...]:
    """The findings about `format_version`, `required_features` and `family` of a document, errors first.

    An error means that nothing else in the document may be interpreted.
    """
    text = document.get("format_version")
    if (version := _parse(text)) is None:
        return (
            finding("LLB-S014", pointer="/format_version", expected="MAJOR.MINOR.PATCH", actual=_short(text)),
        )
    breaking, growing = _split(version)
    known = _known()
    newest = max(known)
    if breaking > newest:
        return (_distance("LLB-S010", text),)
    if breaking not in known:
        return (_distance("LLB-S015", text),)
    newer = growing > max(known[breaking])
    findings = [*_check_features(document, reader), *_check_family(document, reader, newer)]
    if newer:
        findings.append(_distance("LLB-S011", text))
    if breaking < newest:
        message = (
            f"the document is of format version {text}, which this reader supports beside {NEWEST_VERSION}"
        )
        findings.append(finding("LLB-S017", message, pointer="/format_version"))
    return tuple(findings)


def line_of(document: Mapping[str, Any]) -> str:
    """The key of `LINES` whose schemas a document follows.

    Raises:
        KeyError: `check_version` refuses its version.
    """
    version = _parse(document.get("format_version"))
    if version is None:
        raise KeyError("format_version")
    breaking, growing = _split(version)
    lines = _known()[breaking]
    # Of a growing part between two that are known, the older one has its keys.
    return lines[max((part for part in lines if part <= growing), default=min(lines))]


def is_newer_growth(document: Mapping[str, Any]) -> bool:
    """Whether the document is of an acceptable newer version, so that unknown keys are to be ignored."""
    version = _parse(document.get("format_version"))
    if version is None:
        return False
    breaking, growing = _split(version)
    known = _known()
    return breaking in known and growing > max(known[breaking])


def _known() -> dict[Part, dict[Part, str]]:
    """Folders of the known versions, by their breaking and growing part."""
    known: dict[Part, dict[Part, str]] = {}
    for line, text in LINES.items():
        if version := _parse(text):
            breaking, growing = _split(version)
            known.setdefault(breaking, {})[growing] = line
    return known


def _distance(code: str, text: object) -> Finding:
    message = f"the document is of format version {text}, this reader knows {' and '.join(LINES.values())}"
    return finding(code, message, pointer="/format_version", expected=NEWEST_VERSION, actual=text)


def _check_family(document: Mapping[str, Any], reader: Reader, newer: bool) -> list[Finding]:
    family = document.get("family")
    if not isinstance(family, str):
        return []
    reserved = family in _RESERVED.get(line_of(document), ())
    # Of other names the schema says that they are none; a newer version may have more of them.
    if not reserved and (family in reader.families or not (newer or family in FAMILIES_OF_FORMAT)):
        return []
    known = ", ".join(sorted(reader.families - _RESERVED.get(line_of(document), frozenset())))
    message = f"this reader does not have the family {_short(family)}"
    if reserved:
        message += f" in format version {document['format_version']}"
        hint = f"That version only reserves the family; bundles of it are of {DENSITY_VERSION} or later."
    elif family in FAMILIES_OF_FORMAT:
        hint = f"Update the reader: format {NEWEST_VERSION} has the family."
    else:
        hint = "Update the reader: the family came with a later version of the format."
    return [finding("LLB-S018", message, pointer="/family", expected=known, actual=_short(family), hint=hint)]


def _check_features(document: Mapping[str, Any], reader: Reader) -> list[Finding]:
    features = document.get("required_features", [])
    if not isinstance(features, list):
        return []  # the schema reports the type
    return [
        finding(
            "LLB-S012",
            f"this reader does not have the required feature {_short(name)}",
            pointer=f"/required_features/{index}",
            expected=", ".join(sorted(reader.features)) or "no required feature",
            actual=_short(name),
        )
        for index, name in enumerate(features[:_MAX_FEATURES])
        if not isinstance(name, str) or name not in reader.features
    ]


def _parse(text: object) -> tuple[int, int, int] | None:
    match = _VERSION.fullmatch(text) if isinstance(text, str) else None
    return None if match is None else (int(match[1]), int(match[2]), int(match[3]))


def _split(version: tuple[int, int, int]) -> tuple[Part, Part]:
    major, minor, patch = version
    # A patch of a released major changes no reader's mind; before 1.0 it is the growing part.
    return ((major,), (minor,)) if major else ((major, minor), (patch,))


def _short(value: object) -> str:
    return repr(value)[:80]
