"""The page as HTML: our own elements and style, the built script, the engine and the bundle in one text."""

from __future__ import annotations

import html
import json
import re
from base64 import b64encode
from dataclasses import dataclass
from importlib import resources

from llb.bundle import AnyBundle, pack
from llb.page_policy import page_policy
from llb.view.build import ASSETS, ENGINE, SCRIPT, is_built
from llb_schema import FindingError, catalogue, finding

__all__ = ["Fragment", "fragment", "page"]

_MANIFEST = "manifest.json"
# Graphs of these roles are run by the page, and no other file of the bundle is shown but its tables.
_ROLES = ("delta_nll", "log_prob", "sample")
_TABLES = ("benchmarks",)
# Families of findings that the page can come to.
_FAMILIES = "APMIGNV"


@dataclass(frozen=True)
class Fragment:
    """The panel as a piece of any page. It has a tree of its own: the styles of the two do not meet.

    Attributes:
        markup: HTML for the body, without scripts; it says something where none runs.
        script: a classic script that comes after it; it serves all fragments of a page.
    """

    markup: str
    script: str


def page(bundle: AnyBundle) -> str:
    """A page of its own: it works from a file, fetches nothing, and may do nothing but run its script.

    Raises:
        FindingError: as `fragment`.
    """
    piece = fragment(bundle)
    values = {
        "policy": page_policy(piece.script, wasm=True),
        "title": html.escape(bundle.manifest.title),
        "markup": piece.markup,
        "script": piece.script,
    }
    # In one go: what is put in is not looked into again.
    return re.sub(r"\{\{(\w+)\}\}", lambda found: values[found[1]], _own("page.html"))


def fragment(bundle: AnyBundle, *, heading: bool = True) -> Fragment:
    """The panel, with the engine and what it needs of the bundle.

    It takes 5.0 MB for the engine and the script, and 4/3 of the size of the bundle's packed graphs. A page
    with a content security policy has to have that of `llb.page_policy`, with WebAssembly.

    Args:
        bundle: what is shown.
        heading: whether the bundle's title stands above.

    Raises:
        FindingError: `LLB-V001`, the script is not built; `LLB-I...`, a file of the bundle was changed.
    """
    script = _script()
    entries = {code: entry for code, entry in catalogue().items() if entry.family in _FAMILIES}
    told = {code: {"title": entry.title, "hint": entry.hint} for code, entry in entries.items()}
    parts = {
        "catalogue": html.escape(json.dumps(told, ensure_ascii=False), quote=False),
        "bundle": b64encode(_excerpt(bundle)).decode(),
        "engine": b64encode((ASSETS / ENGINE).read_bytes()).decode(),
    }
    data = "\n".join(f'<template data-part="{name}">{text}</template>' for name, text in parts.items())
    attribute = "" if heading else ' data-heading="none"'
    silent = "<p>Where scripts run, the graph of the bundle runs here.</p>"
    return Fragment(f'<div class="llb-view"{attribute}>\n{data}\n{silent}\n</div>', script)


def _script() -> str:
    if not is_built():
        raise FindingError(finding("LLB-V001"))
    # The end tag would end the element, wherever it stands.
    return (ASSETS / SCRIPT).read_text(encoding="utf-8").replace("</script", "<\\/script")


def _own(name: str) -> str:
    return (resources.files("llb.view") / "page" / name).read_text(encoding="utf-8")


def _excerpt(bundle: AnyBundle) -> bytes:
    """The files of the bundle that the page works with, as an archive: the manifest, graphs and tables."""
    evidence = bundle.manifest.evidence
    wanted = [graph["path"] for graph in bundle.raw["graphs"] if graph["role"] in _ROLES]
    wanted += [path for role, path in evidence.tables.items() if role in _TABLES]
    contents = {path: bundle.read(path) for path in wanted}
    return pack({_MANIFEST: bundle.container.read(_MANIFEST), **contents}, "zip")
