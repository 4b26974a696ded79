"""Pages from templates: every text is escaped, and nothing that is missing passes in silence."""

from __future__ import annotations

from functools import cache
from importlib import resources
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

__all__ = ["render", "style"]


def render(template: str, **values: Any) -> str:
    """A page of a template of `llb.report`, with `style` in it.

    Args:
        template: its name.
        values: for its names; whatever is no `Markup` is escaped.
    """
    return _environment().get_template(template).render(style=style(), **values)


@cache
def style() -> Markup:
    """The style of all pages."""
    sheet = resources.files("llb.report") / "templates" / "page.css"
    return Markup(sheet.read_text(encoding="utf-8"))  # noqa: S704 - it is ours


@cache
def _environment() -> Environment:
    return Environment(
        loader=PackageLoader("llb.report", "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        finalize=_shown,
        trim_blocks=True,
        lstrip_blocks=True,
    )


def _shown(value: Any) -> Any:
    """Texts without marks that control how others are read; pages of our own have none."""
    if not isinstance(value, str) or isinstance(value, Markup):
        return value
    return "".join(
        mark if mark.isprintable() or mark in "\n\t" else mark.encode("unicode_escape").decode()
        for mark in value
    )
