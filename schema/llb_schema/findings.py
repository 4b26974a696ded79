"""Findings: the one type in which every check of the project reports.

A finding has a stable code from the catalogue (`catalogue.json` beside this file). The catalogue
holds what is the same for every occurrence (severity, requirement, usual cause, default hint,
an example); the place that
finds something adds where (`pointer`) and what (`message`, `expected`, `actual`).
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from enum import StrEnum
from functools import cache
from importlib import resources

__all__ = [
    "FAMILIES",
    "CatalogueEntry",
    "Finding",
    "FindingError",
    "Severity",
    "catalogue",
    "finding",
    "has_errors",
]

FAMILIES: Mapping[str, str] = {
    "D": "downloads",
    "A": "archive",
    "P": "parsing",
    "S": "schema",
    "M": "manifest, vectors and tables; from M101 on profiles",
    "I": "integrity",
    "G": "graphs",
    "N": "numbers",
    "C": "claims; from C101 on the teacher",
    "F": "files of other formats; from F101 on written in them",
    "Y": "signal yields; from Y101 on points of densities",
    "L": "limits; from L101 on labels, from L201 on samples",
    "W": "statistical models",
    "T": "training",
    "H": "publishing: submissions to HEPData; from H101 on its own validator, from H201 on Zenodo",
    "R": "reports and indices of bundles",
    "V": "pages that run bundles",
    "X": "usage",
}
"""What the letter of a code stands for: where a fault was found, in the order in which checks run."""


class Severity(StrEnum):
    """How much a finding weighs; only `ERROR` makes a bundle or an input unusable."""

    ERROR = "error"
    WARNING = "warning"
    INFO = "info"


@dataclass(frozen=True)
class CatalogueEntry:
    """What is known of a code before it occurs.

    Attributes:
        code: stable identifier, never reused, e.g. `LLB-I001`.
        severity: weight of every finding with this code.
        requirement: id of the clause of `SPEC.md` that it enforces, or "" for the software's own limits.
        title: the fault in a few words.
        cause: what leads to it in practice.
        hint: what usually cures it.
        example: a smallest fault that ends in it, in a line or two: a piece of a document, a command or a
            case of the negative corpus.
    """

    code: str
    severity: Severity
    requirement: str
    title: str
    cause: str
    hint: str
    example: str

    @property
    def family(self) -> str:
        """The letter of the code, a key of `FAMILIES`."""
        return self.code.removeprefix("LLB-")[0]

    def to_json(self) -> dict[str, str]:
        """The entry as a JSON object, the family included."""
        return {**{key: str(value) for key, value in asdict(self).items()}, "family": self.family}


@dataclass(frozen=True)
class Finding:
    """One thing a check has found.

    Attributes:
        code: catalogue code.
        severity: weight, from the catalogue.
        requirement: id of the clause of the specification, or "".
        pointer: JSON pointer or file path of the culprit, "" for the whole.
        message: one sentence about this occurrence.
        expected: what would have been right, as text, or "".
        actual: what was there, as text, or "".
        hint: how to cure it.
    """

    code: str
    severity: Severity
    requirement: str
    pointer: str
    message: str
    expected: str
    actual: str
    hint: str

    def to_json(self) -> dict[str, str]:
        """The finding as the JSON object of `finding.schema.json`."""
        return {key: str(value) for key, value in asdict(self).items()}

    def __str__(self) -> str:
        """One line for people: code, place, message, hint."""
        place = f" at {self.pointer}" if self.pointer and self.pointer not in self.message else ""
        hint = f" Hint: {self.hint}" if self.hint else ""
        return f"[{self.code}] {self.message}{place}.{hint}"


class FindingError(Exception):
    """Raised where work cannot go on; carries the findings that say why.

    Attributes:
        findings: at least one finding, the gravest first.
    """

    def __init__(self, findings: Finding | Iterable[Finding]) -> None:
        self.findings: tuple[Finding, ...] = (findings,) if isinstance(findings, Finding) else tuple(findings)
        super().__init__("\n".join(str(item) for item in self.findings))

    def __reduce__(self) -> tuple[type[FindingError], tuple[tuple[Finding, ...]]]:
        """Pickle the findings, not their text: errors cross process borders whole."""
        return type(self), (self.findings,)


@cache
def catalogue() -> Mapping[str, CatalogueEntry]:
    """All codes by name, in the catalogue's order."""
    text = resources.files("llb_schema").joinpath("catalogue.json").read_text(encoding="utf-8")
    return {
        code: CatalogueEntry(code=code, severity=Severity(raw.pop("severity")), **raw)
        for code, raw in json.loads(text).items()
    }


def finding(
    code: str,
    message: str = "",
    *,
    pointer: str = "",
    expected: object = "",
    actual: object = "",
    hint: str = "",
) -> Finding:
    """A finding with the catalogue's severity and requirement, and its title and hint where none is given.

    Raises:
        KeyError: the code is not in the catalogue.
    """
    entry = catalogue()[code]
    return Finding(
        code=code,
        severity=entry.severity,
        requirement=entry.requirement,
        pointer=_writable(pointer),
        message=_writable(message or entry.title).rstrip("."),
        expected=_writable(str(expected)),
        actual=_writable(str(actual)),
        hint=hint or entry.hint,
    )


def _writable(text: str) -> str:
    """The text with halves of surrogate pairs escaped: names of files may hold them, no encoding does."""
    return text.encode("utf-8", "backslashreplace").decode()


def has_errors(findings: Iterable[Finding]) -> bool:
    """Whether any of the findings has severity `ERROR`."""
    return any(item.severity is Severity.ERROR for item in findings)
