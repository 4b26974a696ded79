"""Tables on a terminal, of text that nobody has checked."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from rich.table import Table
from rich.text import Text

from llb.cli.failure import printable

__all__ = ["plain_table"]


def plain_table(title: str, header: Sequence[str], rows: Iterable[Sequence[object]]) -> Table:
    """A table of plain text: what a bundle says is never read as markup."""
    table = Table(title=Text(title), title_justify="left")
    for name in header:
        table.add_column(Text(name))
    for row in rows:
        table.add_row(*(Text(printable(str(cell))) for cell in row))
    return table
