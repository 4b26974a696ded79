"""A validation report as SARIF 2.1.0, which code hosts and editors show beside the files."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any
from urllib.parse import quote

from llb import __version__
from llb.cli.failure import as_line, printable
from llb.validation import Report
from llb_schema import CatalogueEntry, Finding, Severity, catalogue

__all__ = ["sarif_log"]

_SCHEMA = "https://json.schemastore.org/sarif-2.1.0.json"
_LEVELS = {Severity.ERROR: "error", Severity.WARNING: "warning", Severity.INFO: "note"}


def sarif_log(report: Report) -> dict[str, Any]:
    """One run with a result for each finding; the rules are the catalogue's entries of the codes that occur.

    A result is located at the bundle, as the artifact, and at the finding's JSON pointer or file in it, as
    the logical location.
    """
    codes = sorted({item.code for item in report.findings})
    uri = _uri(report.location)
    run = {
        "tool": {
            "driver": {
                "name": "llb",
                "version": __version__,
                "rules": [_rule(catalogue()[code]) for code in codes],
            }
        },
        # The run has done its work, whatever it found.
        "invocations": [{"executionSuccessful": True}],
        "artifacts": [{"location": {"uri": uri}}],
        "results": [_result(item, codes.index(item.code), uri) for item in report.findings],
        "columnKind": "unicodeCodePoints",
        "properties": {key: report.to_json()[key] for key in ("status", "level", "profile")},
    }
    return {"$schema": _SCHEMA, "version": "2.1.0", "runs": [run]}


def _rule(entry: CatalogueEntry) -> dict[str, Any]:
    clause = {"requirement": entry.requirement} if entry.requirement else {}
    return {
        "id": entry.code,
        "shortDescription": _message(f"{entry.title}."),
        "fullDescription": _message(entry.cause),
        "help": _message(entry.hint),
        "defaultConfiguration": {"level": _LEVELS[entry.severity]},
        "properties": {"tags": [entry.family], **clause},
    }


def _result(item: Finding, rule: int, uri: str) -> dict[str, Any]:
    location: dict[str, Any] = {"physicalLocation": {"artifactLocation": {"uri": uri, "index": 0}}}
    if item.pointer:
        location["logicalLocations"] = [{"fullyQualifiedName": printable(item.pointer)}]
    return {
        "ruleId": item.code,
        "ruleIndex": rule,
        "level": _LEVELS[item.severity],
        "message": _message(as_line(item)),
        "locations": [location],
        "partialFingerprints": {"finding/v1": _fingerprint(item)},
    }


def _message(text: str) -> dict[str, str]:
    """A text in which nothing is a placeholder or a link, though a bundle's own strings may be in it."""
    return {"text": text.replace("{", "{{").replace("}", "}}").replace("](", "] (")}


def _fingerprint(item: Finding) -> str:
    """The same for the same fault of another version of the bundle: the values in it may change."""
    what = f"{item.code} {item.pointer} {item.message}"
    return hashlib.sha256(what.encode("utf-8", "backslashreplace")).hexdigest()


def _uri(path: Path) -> str:
    """The path as a URI, or as a relative reference where it is relative."""
    if path.is_absolute():
        return path.as_uri()
    # Of a colon in the first part a reader would make a scheme.
    return quote(path.as_posix().encode("utf-8", "surrogateescape"), safe="/")
