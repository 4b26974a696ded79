"""Licences as archives want them: a name and the address of a text."""

from __future__ import annotations

import re

__all__ = ["license_page", "single_license"]

_SINGLE = re.compile(r"[A-Za-z0-9.-]+")
_LIST = "https://spdx.org/licenses/"


def single_license(expression: str) -> bool:
    """Whether an SPDX expression is one licence of the SPDX list, no combination and no text of one's own."""
    return _SINGLE.fullmatch(expression) is not None and not expression.startswith("LicenseRef-")


def license_page(expression: str) -> str:
    """Where the text of an SPDX licence is; the list of licences where the expression has several."""
    return f"{_LIST}{expression}.html" if single_license(expression) else _LIST
