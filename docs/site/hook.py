"""The site, as MkDocs builds it: pages that are written for it, and links that are right in it.

Links in the repository's pages are right in the repository; here they become right in the site. Codes of
findings and ids of clauses lead to where they are explained.
"""

from __future__ import annotations

import logging
import re
from typing import Any

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files, InclusionLevel
from mkdocs.structure.pages import Page

from command_page import command_page
from dark_figures import dark, with_dark_figures
from finding_pages import finding_pages, finding_terms
from llb_schema import FAMILIES
from page_text import external_links, with_bars, with_links, with_terms
from repository_pages import ROOT, listing, outside_files, relative_link
from schema_page import schema_page

__all__ = ["on_config", "on_files", "on_page_markdown", "on_post_build"]

_LOG = logging.getLogger("mkdocs.hooks.site")
_SPECIFICATION = "schema/SPEC.md"
_CLAUSE = re.compile(r"^\*\*([A-Z]+-\d+)\*\*", re.MULTILINE)
# The pages of the navigation that no other page has to link to.
_WANTED = ("CHANGELOG.md", "CONTRIBUTING.md", "schema/CHANGELOG.md", _SPECIFICATION)

_external: set[str] = set()


def on_config(config: MkDocsConfig) -> MkDocsConfig:
    """Spells out the pages of the findings in the navigation."""
    config.nav = _spelled_out(config.nav)
    _external.clear()
    return config


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Adds what is not in docs/: the README as first page, written pages, and files that pages link to."""
    pages = {"index.md": _text("README.md"), "commands.md": command_page(), "schemas.md": schema_page()}
    pages |= finding_pages()
    for path, content in pages.items():
        files.append(File.generated(config, path, content=content))
    texts = {file.src_uri: file.content_string for file in files.documentation_pages()}
    listed = set(_listed(config.nav))
    for place, path in outside_files(texts, _WANTED).items():
        level = InclusionLevel.INCLUDED if place in listed else InclusionLevel.NOT_IN_NAV
        if (ROOT / path).is_dir():
            files.append(File.generated(config, place, content=listing(path), inclusion=level))
        else:
            files.append(File.generated(config, place, abs_src_path=str(ROOT / path), inclusion=level))
    for figure in [file for file in files.media_files() if re.fullmatch(r"images/.*\.svg", file.src_uri)]:
        path = f"{figure.src_uri.removesuffix('.svg')}-dark.svg"
        files.append(File.generated(config, path, content=dark(figure.content_string)))
    return files


def on_page_markdown(markdown: str, page: Page, config: MkDocsConfig, files: Files) -> str:  # noqa: ARG001
    """The text of a page with the links of the site."""
    here = page.file.src_uri
    _external.update(external_links(markdown))
    if here == _SPECIFICATION:
        markdown = _CLAUSE.sub(r'<a id="\1"></a>**\1**', markdown)
    markdown = with_links(markdown, lambda path: relative_link(here, path))
    return with_dark_figures(with_bars(with_terms(markdown, _terms(), here)))


def on_post_build(config: MkDocsConfig) -> None:  # noqa: ARG001
    """Lists the links to other sites; nobody has tried them."""
    for address in sorted(_external):
        _LOG.info("not tried: %s", address)


def _spelled_out(entry: Any) -> Any:
    """A piece of the navigation, with a list of all pages of the findings in place of the first one."""
    if isinstance(entry, list):
        return [_spelled_out(item) for item in entry]
    if isinstance(entry, dict):
        return {title: _spelled_out(item) for title, item in entry.items()}
    first, *others = finding_pages()
    if entry != first:
        return entry
    titles = [f"{letter}: {text.partition(';')[0]}" for letter, text in FAMILIES.items()]
    return [{"All codes": first}, *({title: page} for title, page in zip(titles, others, strict=True))]


def _terms() -> dict[str, str]:
    """What is linked wherever it is named."""
    clauses = _CLAUSE.findall(_text(_SPECIFICATION))
    return {**finding_terms(), **{clause: f"{_SPECIFICATION}#{clause}" for clause in clauses}}


def _text(path: str) -> str:
    return (ROOT / path).read_text(encoding="utf-8")


def _listed(entry: Any) -> list[str]:
    """All paths in a piece of the navigation."""
    if isinstance(entry, str):
        return [entry]
    return [path for item in (entry.values() if isinstance(entry, dict) else entry) for path in _listed(item)]
