"""Who made an OLLL model and of which analysis, as a manifest says it."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from llb.interop.metadata_values import place
from llb.interop.olll_metadata import OlllSource
from llb_schema import FindingError, finding

__all__ = ["analysis_of", "authors_of", "bundle_id_of", "references_of", "spdx_of"]

# PROFILE-4's list, and what people write for some of them.
_SPDX = (  # noqa: SIM905 - eighteen quoted strings read worse
    "Apache-2.0 BSD-2-Clause BSD-3-Clause CC-BY-3.0 CC-BY-4.0 CC-BY-SA-4.0 CC0-1.0 GPL-2.0-only "
    "GPL-2.0-or-later GPL-3.0-only GPL-3.0-or-later ISC LGPL-3.0-only LGPL-3.0-or-later MIT ODC-By-1.0 "
    "ODbL-1.0 PDDL-1.0"
).split()
_ALSO = {
    "cc0": "CC0-1.0",
    "creativecommonsattribution40": "CC-BY-4.0",
    "creativecommonsattribution40international": "CC-BY-4.0",
    "gplv3": "GPL-3.0-only",
    "apachelicense20": "Apache-2.0",
}
_DOI = re.compile(r"10\.\d{4,9}/\S+")
_ARXIV = re.compile(r"(?:\d{4}\.\d{4,5}|[a-z-]+/\d{7})(?:v\d+)?")


def spdx_of(text: str) -> str:
    """The SPDX expression for a licence that is given as free text.

    Raises:
        FindingError: `LLB-F023`, the text names none that is known here.
    """
    key = re.sub(r"[^a-z0-9]", "", text.lower())
    known = {re.sub(r"[^a-z0-9]", "", name.lower()): name for name in _SPDX} | _ALSO
    if key not in known:
        message = f"{text[:60]!r} is no licence that has an SPDX name here"
        raise FindingError(finding("LLB-F023", message, pointer=place("model_license"), actual=text[:60]))
    return known[key]


def authors_of(text: str) -> list[dict[str, Any]]:
    """The authors in a comma-separated list."""
    return [{"name": name.strip()[:200]} for name in text.split(",") if name.strip()]


def bundle_id_of(name: str) -> str:
    """A bundle id for a model's name: as the format allows it, and never empty."""
    return re.sub(r"[^a-z0-9._-]+", "-", name.lower()).strip("-._")[:100] or "imported"


def references_of(source: OlllSource) -> list[dict[str, str]]:
    """The paper, its INSPIRE record and the statistical model; what has no known form is left out."""
    found: list[dict[str, str]] = []
    if _ARXIV.fullmatch(source.arxiv):
        found.append({"kind": "arxiv", "value": source.arxiv})
    if source.inspire.isdecimal():
        found.append({"kind": "inspire", "value": source.inspire})
    doi = _DOI.search(source.reference)
    if doi is not None:
        found.append({"kind": "doi", "value": doi[0]})
    elif source.reference.startswith("https://") and not re.search(r"\s", source.reference):
        found.append({"kind": "url", "value": source.reference})
    return found


def analysis_of(source: OlllSource) -> dict[str, Any]:
    """`analysis` of a manifest; what the file does not say is left out."""
    pairs: Sequence[tuple[str, Any]] = (
        ("name", source.analysis[:200]),
        ("experiment", source.experiment[:200]),
        ("sqrt_s", source.sqrt_s),
        ("luminosity", source.luminosity),
    )
    return {key: value for key, value in pairs if value}
