"""Our SVG figures for a dark page: the same drawing in other colours."""

from __future__ import annotations

import re

__all__ = ["DARK", "dark", "with_dark_figures"]

DARK = {
    "#222222": "#e2e4e9",
    "#8a8a8a": "#8f96a3",
    "#e6e6e6": "#3b4150",
    "#ffffff": "#1e2129",
    "#4477aa": "#7fb2e5",
    "#ee6677": "#ff8f9c",
    "#228833": "#6cc47a",
    "#aa3377": "#e07ab5",
    "#b8860b": "#e3b341",
}
"""What stands on a dark page for each colour that our figures use."""


def dark(figure: str) -> str:
    """An SVG figure in the colours of a dark page; a colour without a counterpart is a `KeyError`."""
    return re.sub(r"#[0-9a-fA-F]{6}\b", lambda found: DARK[found.group().lower()], figure)


def with_dark_figures(text: str) -> str:
    """The text of a page with both forms of each SVG image; the page shows the one that fits."""
    image = r"!\[([^\]]*)\]\(([^)\s]+)\.svg\)"
    return re.sub(image, r"![\1](\2.svg#only-light)\n![\1](\2-dark.svg#only-dark)", text)
