"""The document by which HEPData links analyses to a tool that implements them."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from llb.index.entries import Entry
from llb.report.links import license_link
from llb_schema import Finding, finding

__all__ = ["analyses_document"]

_SCHEMA_VERSION = "1.0.0"
_LICENSES = "https://spdx.org/licenses/"


def analyses_document(
    entries: Iterable[Entry], url: str, version: str
) -> tuple[dict[str, Any] | None, tuple[Finding, ...]]:
    """The document, or None where no bundle belongs to a record, and what cannot be listed (`LLB-R004`).

    Args:
        entries: of the index.
        url: where a bundle is found, with `{name}` in the place of its path.
        version: of this software.
    """
    listed = [entry for entry in entries if entry.inspire_id is not None]
    missing = tuple(
        finding("LLB-R004", f"{entry.path} gives no INSPIRE number", pointer=entry.path)
        for entry in entries
        if entry.inspire_id is None
    )
    if not listed:
        return None, missing
    by_record: dict[int, list[Entry]] = {}
    for entry in listed:
        by_record.setdefault(entry.inspire_id or 0, []).append(entry)
    document = {
        "schema_version": _SCHEMA_VERSION,
        "tool": "LLB",
        "version": version,
        # That of the newest bundle: the same bundles give the same document.
        "date_created": max(entry.created for entry in listed).replace("Z", "+00:00"),
        "implementations_description": "machine-learned likelihood",
        "url_templates": {"main_url": url},
        "implementations_license": _license({entry.license for entry in listed}),
        "analyses": [
            {
                "inspire_id": number,
                "implementations": [{"name": entry.path} for entry in found],
                "pretty_name": found[0].analysis.name,
            }
            for number, found in sorted(by_record.items())
        ],
    }
    return document, missing


def _license(expressions: set[str]) -> dict[str, str]:
    """One licence for all; without this entry HEPData would take it to be CC0."""
    if len(expressions) == 1:
        (name,) = expressions
        return {"name": name, "url": license_link(name) or _LICENSES}
    text = f"The licence of each bundle is in its manifest: {', '.join(sorted(expressions))}."
    return {"name": "several", "url": _LICENSES, "description": text}
