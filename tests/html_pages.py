"""Pages read by a strict parser: what is not well formed ends the test."""

from __future__ import annotations

from dataclasses import dataclass, field
from html.parser import HTMLParser

__all__ = ["ParsedPage", "parse"]

_VOID = {"br", "img", "input", "link", "meta", "wbr", "hr"}


@dataclass
class Element:
    """An element with its attributes and the text in it."""

    tag: str
    attributes: dict[str, str]
    text: str = ""


@dataclass
class ParsedPage(HTMLParser):
    """All elements of a page, in their order."""

    elements: list[Element] = field(default_factory=list[Element])
    open: list[Element] = field(default_factory=list[Element])

    def __post_init__(self) -> None:
        super().__init__(convert_charrefs=True)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        names = [name for name, _ in attrs]
        assert len(names) == len(set(names)), f"an attribute twice in <{tag}>"
        element = Element(tag, {name: value or "" for name, value in attrs})
        self.elements.append(element)
        if tag not in _VOID:
            self.open.append(element)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        assert any(item.tag == "svg" for item in self.open), f"<{tag}/> is closed in SVG only"
        self.handle_starttag(tag, attrs)
        self.open.pop()

    def handle_endtag(self, tag: str) -> None:
        assert self.open, f"</{tag}> without an element"
        assert self.open[-1].tag == tag, f"</{tag}> where <{self.open[-1].tag}> is open"
        self.open.pop()

    def handle_data(self, data: str) -> None:
        for element in self.open:
            element.text += data

    def all(self, tag: str) -> list[Element]:
        """The elements of a kind."""
        return [item for item in self.elements if item.tag == tag]

    @property
    def loaded(self) -> list[str]:
        """Addresses from which a browser would load something."""
        found = [item.attributes.get("src") for item in self.elements]
        found += [item.attributes.get("href") for item in self.elements if item.tag not in ("a",)]
        return [item for item in found if item is not None and not item.startswith(("data:", "#"))]


def parse(html: str) -> ParsedPage:
    """The page, every element of which is closed, with ids that lead to one element each."""
    assert html.startswith("<!doctype html>\n")
    page = ParsedPage()
    page.feed(html)
    page.close()
    assert not page.open, f"<{page.open[-1].tag}> is left open"
    ids = [item.attributes["id"] for item in page.elements if "id" in item.attributes]
    assert len(ids) == len(set(ids)), "an id twice"
    links = [item.attributes.get("href", "") for item in page.elements]
    assert {link[1:] for link in links if link.startswith("#")} <= set(ids)
    return page
