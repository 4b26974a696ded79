"""The files of the repository as parts of the site: those of docs/, and those that its pages link to.

A file of docs/ is in the site under its path there, any other one under its path in the repository. The
README is the first page.
"""

from __future__ import annotations

import posixpath
import subprocess
from collections.abc import Mapping
from pathlib import Path

from page_text import links

__all__ = ["ROOT", "listing", "outside_files", "relative_link", "repository_path", "site_path"]

ROOT = Path(__file__).resolve().parents[2]
_FIRST, _README = "index.md", "README.md"


def site_path(path: str) -> str:
    """Where a file or folder of the repository is in the site; a folder is its README, or else a list."""
    if path == _README:
        return _FIRST
    if (ROOT / path).is_dir():
        path = f"{path}/{_README if (ROOT / path / _README).exists() else _FIRST}"
    return path.removeprefix("docs/")


def repository_path(page: str) -> str:
    """The file of the repository that a page is; of a page written for the site, where it would be."""
    if page == _FIRST:
        return _README
    return page if (ROOT / page).is_file() else f"docs/{page}"


def relative_link(page: str, path: str) -> str:
    """The link from a page of the site to what `path` means in the file that the page is made of."""
    target = posixpath.normpath(posixpath.join(posixpath.dirname(repository_path(page)), path))
    return posixpath.relpath(site_path(target), posixpath.dirname(page)) if (ROOT / target).exists() else path


def outside_files(pages: Mapping[str, str], wanted: tuple[str, ...]) -> dict[str, str]:
    """What the site takes from outside of docs/: paths in the site, and in the repository.

    Args:
        pages: texts of the pages by their path in the site.
        wanted: paths in the repository of pages that are taken whether or not something links to them.

    Pages that are taken bring along what they link to. A folder without README is a list of its files.
    """
    found: dict[str, str] = {}
    waiting = [(repository_path(page), path) for page, text in pages.items() for path in links(text)]
    waiting += [("", path) for path in wanted]
    while waiting:
        page, path = waiting.pop()
        target = posixpath.normpath(posixpath.join(posixpath.dirname(page), path))
        place = site_path(target)
        inside = target.startswith(("docs/", "..")) or place in pages
        if inside or place in found or not (ROOT / target).exists():
            continue
        source = ROOT / (place if place.endswith(_README) else target)
        found[place] = source.relative_to(ROOT).as_posix()
        if source.is_dir():
            waiting += [("", inner) for inner in _tracked(target)]
        elif source.suffix == ".md":
            waiting += [(found[place], inner) for inner in links(source.read_text(encoding="utf-8"))]
    return found


def listing(folder: str) -> str:
    """A page that lists the files of a folder of the repository."""
    names = [path.removeprefix(f"{folder}/") for path in _tracked(folder)]
    return "\n".join([f"# {folder}", "", *(f"- [{name}]({name})" for name in names), ""])


def _tracked(folder: str) -> list[str]:
    """The files of a folder that belong to the repository, by their paths in it."""
    command = ["git", "-C", str(ROOT), "ls-files", "-z", "--", folder]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    return [path for path in done.stdout.split("\0") if path]
