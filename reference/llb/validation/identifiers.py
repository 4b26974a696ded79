"""Identifiers of people, papers, data and licences, judged by their form alone: nothing is looked up."""

from __future__ import annotations

import re
from collections.abc import Mapping

from llb.bundle import Reference

__all__ = [
    "FORMS",
    "OPEN_LICENSES",
    "has_its_form",
    "is_open",
    "leads_to_data",
    "leads_to_paper",
    "orcid_digit",
]

OPEN_LICENSES = frozenset(
    {
        "Apache-2.0",
        "BSD-2-Clause",
        "BSD-3-Clause",
        "CC-BY-3.0",
        "CC-BY-4.0",
        "CC-BY-SA-4.0",
        "CC0-1.0",
        "GPL-2.0-only",
        "GPL-2.0-or-later",
        "GPL-3.0-only",
        "GPL-3.0-or-later",
        "ISC",
        "LGPL-3.0-only",
        "LGPL-3.0-or-later",
        "MIT",
        "ODC-By-1.0",
        "ODbL-1.0",
        "PDDL-1.0",
    }
)
"""The licences of PROFILE-4, as SPDX writes them."""

_RECORD = r"[1-9][0-9]{0,8}"
_DOI = r"10\.[0-9]{4,9}/[!-~]+"
_HEPDATA_DOI = r"10\.17182/hepdata\.[!-~]+"

FORMS: Mapping[str, re.Pattern[str]] = {
    "doi": re.compile(_DOI),
    "arxiv": re.compile(
        r"([0-9]{2}(0[1-9]|1[0-2])\.[0-9]{4,5}|[a-z-]+(\.[A-Z]{2})?/[0-9]{2}(0[1-9]|1[0-2])[0-9]{3})"
        r"(v[1-9][0-9]?)?"
    ),
    "inspire": re.compile(_RECORD),
    "hepdata": re.compile(rf"(ins)?{_RECORD}|{_HEPDATA_DOI}"),
    "url": re.compile(r"https://[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)+(:[0-9]{1,5})?([/?#][!-~]*)?"),
}
"""What the value of a reference looks like, by its kind (PROFILE-6)."""

_DATA_DOI = re.compile(r"10\.(17182|5281|7483)/")


def orcid_digit(orcid: str) -> str:
    """The check digit that belongs to the first 15 digits of an ORCID iD (ISO/IEC 7064 MOD 11-2)."""
    total = 0
    for digit in orcid.replace("-", "")[:15]:
        total = 2 * (total + int(digit))
    rest = (12 - total) % 11
    return "X" if rest == 10 else str(rest)


def is_open(license_expression: str) -> bool:
    """Whether everybody may pass on what has this licence: `OPEN_LICENSES`, joined by AND or OR."""
    return set(re.split(r" (?:AND|OR) ", license_expression)) <= OPEN_LICENSES


def has_its_form(reference: Reference) -> bool:
    """Whether the value of a reference can be what its kind says."""
    return FORMS[reference.kind].fullmatch(reference.value) is not None


def leads_to_data(reference: Reference) -> bool:
    """Whether a reference leads to an archive of data: HEPData, Zenodo or CERN Open Data (PROFILE-7)."""
    if reference.kind == "doi":
        return _DATA_DOI.match(reference.value) is not None
    return reference.kind == "hepdata"


def leads_to_paper(reference: Reference) -> bool:
    """Whether a reference leads to a publication that is kept for good (PROFILE-5)."""
    return reference.kind in ("doi", "arxiv", "inspire") and not leads_to_data(reference)
