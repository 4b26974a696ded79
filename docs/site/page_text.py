"""Changes to the text of a page that leave its code alone."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Callable, Iterator, Mapping

__all__ = ["external_links", "links", "plain", "with_bars", "with_links", "with_terms"]

_FENCE = re.compile(r"^ *(`{3,}|~{3,})[^\n]*\n.*?^ *\1`*~* *$\n?", re.MULTILINE | re.DOTALL)
_CODE = re.compile(r"(`+)(?!`).+?(?<!`)\1(?!`)", re.DOTALL)
_LINK = re.compile(r"(?<=\]\()[^)\s]+(?=\))")
_ROW = re.compile(r"^\|.*$", re.MULTILINE)
_SIGN = re.compile(r"[^\w\s]")
_BAR = r"\|"
_OUTSIDE = re.compile(r"[a-z]+:|/")


def links(text: str) -> Iterator[str]:
    """The paths, without anchors, that the links and images of a page name; none to other sites."""
    for part, is_code in _parts(text):
        if not is_code:
            for found in _LINK.findall(part):
                path = found.partition("#")[0]
                if path and not _OUTSIDE.match(path):
                    yield path


def external_links(text: str) -> Iterator[str]:
    """The addresses of other sites that the links of a page name."""
    for part, is_code in _parts(text):
        if not is_code:
            yield from (found for found in _LINK.findall(part) if _OUTSIDE.match(found))


def with_links(text: str, change: Callable[[str], str]) -> str:
    """The text with every path that `links` gives replaced by what `change` makes of it; anchors stay."""

    def changed(found: re.Match[str]) -> str:
        path, mark, anchor = found.group().partition("#")
        return f"{change(path)}{mark}{anchor}" if path and not _OUTSIDE.match(path) else found.group()

    return "".join(part if is_code else _LINK.sub(changed, part) for part, is_code in _parts(text))


def with_terms(text: str, terms: Mapping[str, str], page: str) -> str:
    """The text with every term linked to where it is explained, but not in headings, links and definitions.

    Args:
        text: the page.
        terms: terms and their targets, as paths in the site with an anchor.
        page: path of the page in the site.
    """
    word = re.compile(r"(?<![\w\[/#*\"-])[A-Z]+-[A-Z]?\d+(?![\w\]-])")
    done: list[str] = []

    def linked(term: str, shown: str) -> str:
        path, _, anchor = terms[term].partition("#")
        return f"[{shown}]({posixpath.relpath(path, posixpath.dirname(page))}#{anchor})"

    def replaced(found: re.Match[str]) -> str:
        term = found.group()
        line = f"{''.join(done)}{found.string[: found.start()]}".rpartition("\n")[2]
        return term if term not in terms or line.startswith("#") else linked(term, term)

    for part, is_code in _parts(text):
        if not is_code:
            done.append(word.sub(replaced, part))
        elif part.strip("`") in terms and not "".join(done[-1:]).endswith("["):
            done.append(linked(part.strip("`"), part))
        else:
            done.append(part)
    return "".join(done)


def with_bars(text: str) -> str:
    """The text with the bars in the code of tables as they are; MkDocs shows the backslash before them."""

    def shown(found: re.Match[str]) -> str:
        return "".join(_code(part) if is_code else part for part, is_code in _split(_CODE, found.group()))

    return "".join(part if fenced else _ROW.sub(shown, part) for part, fenced in _split(_FENCE, text))


def plain(text: str) -> str:
    """A text for people as Markdown, also in a cell of a table: only its code is markup."""
    parts = re.split(r"(`[^`]+`)", text)
    return "".join(
        part.replace("|", r"\|") if part.startswith("`") else re.sub(r"[\\*_<\[|`]", _entity, part)
        for part in parts
    )


def _code(text: str) -> str:
    """Code of one line as HTML if it has a bar."""
    if _BAR not in text:
        return text
    return f"<code>{_SIGN.sub(_entity, text.strip('`').replace(_BAR, '|'))}</code>"


def _entity(found: re.Match[str]) -> str:
    return f"&#{ord(found.group())};"


def _parts(text: str) -> Iterator[tuple[str, bool]]:
    """The text in pieces, and whether each is code."""
    for block, fenced in _split(_FENCE, text):
        if fenced:
            yield block, True
        else:
            yield from _split(_CODE, block)


def _split(pattern: re.Pattern[str], text: str) -> Iterator[tuple[str, bool]]:
    end = 0
    for found in pattern.finditer(text):
        yield text[end : found.start()], False
        yield found.group(), True
        end = found.end()
    yield text[end:], False
