"""What a page is made of: sections of prose, tables, figures and programs, as plain data.

Every `str` is text, whoever wrote it, and is escaped when the page is written. `Markup` is HTML of our own.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import ClassVar, Literal

from markupsafe import Markup

__all__ = ["Block", "Column", "Fact", "Figure", "Listing", "Look", "Panel", "Prose", "Section", "Table"]

Look = Literal["text", "code", "number"]
"""Numbers stand to the right, code in a fixed width."""


@dataclass(frozen=True)
class Prose:
    """A paragraph."""

    kind: ClassVar[str] = "prose"
    text: str | Markup


@dataclass(frozen=True)
class Column:
    """A column of a table."""

    name: str
    look: Look = "text"


@dataclass(frozen=True)
class Table:
    """A table.

    Attributes:
        caption: above it.
        columns: of every row.
        rows: a text for each column.
        note: what is left out, or how to read it; below.
        folded: whether it opens only when it is asked for, and is not printed.
    """

    kind: ClassVar[str] = "table"
    caption: str
    columns: tuple[Column, ...]
    rows: Sequence[tuple[str, ...]]
    note: str = ""
    folded: bool = False

    def lean(self) -> Table:
        """The table without the columns in which nothing stands."""
        kept = [place for place in range(len(self.columns)) if any(row[place] for row in self.rows)]
        columns = tuple(self.columns[place] for place in kept)
        return replace(self, columns=columns, rows=[tuple(row[place] for place in kept) for row in self.rows])


@dataclass(frozen=True)
class Figure:
    """A picture with a caption, and for those who do not see it, what it shows.

    Attributes:
        caption: below it.
        alt: what it shows, in a sentence.
        drawing: an SVG of our own, to stand in the page; or
        source: a data URI, for an image of somebody else's.
    """

    kind: ClassVar[str] = "figure"
    caption: str
    alt: str
    drawing: Markup | None = None
    source: str = ""


@dataclass(frozen=True)
class Listing:
    """A program, a command or a file, and what it is."""

    kind: ClassVar[str] = "listing"
    caption: str
    code: str


@dataclass(frozen=True)
class Panel:
    """A prepared piece of the page that a script brings to life.

    Attributes:
        title: heading of its section.
        html: trusted HTML without scripts; it has to say something where scripts do not run.
        script: trusted JavaScript, put at the end of the page; the only one that the page lets run.
        wasm: whether the script compiles WebAssembly.
    """

    kind: ClassVar[str] = "panel"
    title: str
    html: str
    script: str
    wasm: bool = False


Block = Prose | Table | Figure | Listing | Panel


@dataclass(frozen=True)
class Section:
    """A part of the page with a heading; `id` is what links lead to."""

    id: str
    title: str
    blocks: tuple[Block, ...]


@dataclass(frozen=True)
class Fact:
    """A name and what it is, with a link where there is one."""

    name: str
    value: str
    link: str = ""
