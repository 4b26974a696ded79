"""Our own drawings as a part of the page: its font, its colours in light and dark, ids of their own."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET

from markupsafe import Markup

from llb.evaluation.style import FAINT, INK

__all__ = ["inline_svg"]

_SVG, _LINK = "{http://www.w3.org/2000/svg}", "{http://www.w3.org/1999/xlink}href"
_PIXELS = 1.14
"""Of the page for each point of a drawing."""
_REFERENCE = re.compile(r"url\(#([^)]*)\)")
_FAMILY = re.compile(r"font-family: ?[^;]*")
_SHORTHAND = re.compile(r"(font: ?[^;]*?\d(?:px|pt)?) '[^;]*")
# Colours of our figures by the name that they have in the style of the page.
_COLOURS = {
    INK.lower(): "ink",
    FAINT.lower(): "faint",
    "#000000": "ink",
    "#ffffff": "paper",
    "#e6e6e6": "grid",
    "#f3f5f9": "band",
    "#f1f1f1": "band",
    "#b8860b": "threshold",
    "#4477aa": "blue",
    "#ee6677": "red",
    "#228833": "green",
    "#aa3377": "purple",
}
_COLOUR = re.compile("|".join(_COLOURS))


def inline_svg(drawing: bytes, prefix: str, alt: str) -> Markup:
    """An SVG of `llb.evaluation.figures` as an element of an HTML page.

    Args:
        drawing: the SVG.
        prefix: what makes its ids unique in the page.
        alt: what it shows, for those who do not see it.
    """
    root = ET.fromstring(drawing)  # noqa: S314 - matplotlib has just written it
    for defs in root.findall(f"{_SVG}defs"):
        # Rules of a drawing would hold for the whole page.
        for style in defs.findall(f"{_SVG}style"):
            defs.remove(style)
    for element in root.iter():
        element.tag = element.tag.removeprefix(_SVG)
        attributes = dict(element.attrib)
        element.attrib.clear()
        for name, value in attributes.items():
            element.set("href" if name == _LINK else name, _in_page(name, value, prefix))
    width = float(root.attrib["width"].removesuffix("pt"))
    for name in ("width", "height", "version"):
        root.attrib.pop(name, None)
    # As wide as its text is to be large, where the page has the room.
    root.set("style", f"--width: {width * _PIXELS:.0f}px")
    root.set("role", "img")
    root.set("aria-label", alt)
    return Markup(ET.tostring(root, encoding="unicode"))  # noqa: S704 - matplotlib has escaped the texts


def _in_page(name: str, value: str, prefix: str) -> str:
    """An attribute with ids of its own, and with colours and fonts by their names in the page."""
    if name == "id":
        return f"{prefix}-{value}"
    if name == _LINK:
        return f"#{prefix}-{value[1:]}" if value.startswith("#") else value
    if name not in ("style", "clip-path"):
        return value
    value = _REFERENCE.sub(rf"url(#{prefix}-\1)", value)
    value = _COLOUR.sub(lambda found: f"var(--{_COLOURS[found.group()]})", value)
    return _SHORTHAND.sub(r"\1 var(--sans)", _FAMILY.sub("font-family: var(--sans)", value))
