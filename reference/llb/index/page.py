"""An index as a page that is searched in the browser; it needs nothing else."""

from __future__ import annotations

from importlib import resources
from urllib.parse import quote

from markupsafe import Markup

from llb.index.folder import Index
from llb.page_policy import page_policy
from llb.report.environment import render
from llb.report.numbers import number

__all__ = ["index_page"]

_FAMILIES = {
    "profile_likelihood": "profile likelihood",
    "full_likelihood": "density",
    "parameter_likelihood": "likelihood of parameters",
}


def index_page(index: Index, title: str) -> str:
    """The page; the same index gives the same page.

    Args:
        index: to be shown.
        title: heading of the page.
    """
    script = (resources.files("llb.report") / "templates" / "index.js").read_text(encoding="utf-8").strip()
    entries = index.entries
    return render(
        "index.html.j2",
        title=title,
        index=index,
        # A path that begins with a dot is never an address of another kind.
        links=[f"./{quote(entry.path)}" for entry in entries],
        numbers=[
            [(item.function, number(item.median), number(item.p99)) for item in entry.errors]
            for entry in entries
        ],
        families=_FAMILIES,
        present=[name for name in _FAMILIES if any(entry.family == name for entry in entries)],
        functions=sorted({name for entry in entries for name in entry.functions}),
        policy=page_policy(script),
        script=Markup(script),  # noqa: S704 - it is ours
    )
