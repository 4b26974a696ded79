"""Addresses of what a manifest refers to; of a stranger's own addresses only http and https."""

from __future__ import annotations

import re
from urllib.parse import quote, urlsplit

from llb.bundle import Author, Reference

__all__ = ["license_link", "orcid_link", "reference_link"]

_RESOLVERS = {
    "doi": "https://doi.org/{}",
    "arxiv": "https://arxiv.org/abs/{}",
    "inspire": "https://inspirehep.net/literature/{}",
    "hepdata": "https://www.hepdata.net/record/{}",
}


def reference_link(reference: Reference) -> str:
    """Where a reference leads; "" if it is no address for a browser."""
    if reference.kind in _RESOLVERS:
        return _RESOLVERS[reference.kind].format(quote(reference.value, safe="/().:;"))
    try:
        parts = urlsplit(reference.value)
    except ValueError:
        return ""
    plain = parts.scheme in ("http", "https") and bool(parts.netloc) and reference.value.isprintable()
    plain = plain and " " not in reference.value
    return reference.value if plain else ""


def orcid_link(author: Author) -> str:
    """The record of a person; "" without one."""
    return f"https://orcid.org/{author.orcid}" if author.orcid else ""


def license_link(expression: str) -> str:
    """The text of a licence of the SPDX list; "" of an expression of several."""
    single = re.fullmatch(r"[A-Za-z0-9.-]+", expression)
    return f"https://spdx.org/licenses/{expression}.html" if single else ""
