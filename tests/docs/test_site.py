"""The site is built without a warning, holds what it promises, and asks no other site for anything."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pytest
from requirement_table import clauses

from llb.cli.main import COMMANDS
from llb_schema import FAMILIES, LINES, catalogue

ROOT = Path(__file__).resolve().parents[2]


def built(out: Path, configuration: Path = ROOT / "mkdocs.yml") -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "mkdocs", "build", "--strict", "-f", str(configuration), "-d", str(out)]
    return subprocess.run(command, capture_output=True, text=True, cwd=ROOT)


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("docs") / "site"
    done = built(out)
    assert done.returncode == 0, done.stderr
    return out


class Page(HTMLParser):
    """What a page names: addresses by tag, ids, and the text of it."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self.addresses: list[tuple[str, str]] = []
        self.ids: set[str] = set()
        self.text = ""
        self.feed(path.read_text(encoding="utf-8"))

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = {key: value or "" for key, value in attrs}
        self.addresses += [(tag, values[key]) for key in ("href", "src") if key in values]
        self.ids.update(values[key] for key in ("id", "name") if key in values)

    def handle_data(self, data: str) -> None:
        self.text += data


def pages(site: Path) -> Iterator[tuple[Path, Page]]:
    for path in sorted(site.rglob("*.html")):
        yield path, Page(path)


def test_every_link_leads_somewhere(site: Path) -> None:
    """Whatever made it: markup, raw HTML, or a page that was taken from outside of docs/."""
    known = {path: page.ids for path, page in pages(site)}
    for path, page in pages(site):
        if path.name == "404.html":
            continue
        for _, address in page.addresses:
            parts = urlsplit(address)
            if parts.scheme or parts.netloc:
                continue
            target = (path.parent / unquote(parts.path)).resolve() if parts.path else path
            target = target / "index.html" if target.is_dir() else target
            assert target.is_file(), f"{path.relative_to(site)}: {address}"
            if parts.fragment and target in known and not parts.fragment.startswith(("__", "only-")):
                assert unquote(parts.fragment) in known[target], f"{path.relative_to(site)}: {address}"


def test_nothing_is_loaded_from_elsewhere(site: Path) -> None:
    for path, page in pages(site):
        for tag, address in page.addresses:
            assert tag == "a" or not urlsplit(address).netloc, f"{path.relative_to(site)}: {tag} {address}"
            assert urlsplit(address).scheme in ("", "https", "data"), f"{path.relative_to(site)}: {address}"
    for sheet in site.rglob("*.css"):
        text = sheet.read_text(encoding="utf-8")
        assert not re.findall(r"(?:@import\s+|url\()[\"']?(?:https?:)?//[^)]*", text), sheet.name


def test_no_page_names_a_machine(site: Path) -> None:
    for path, page in pages(site):
        assert str(ROOT) not in page.text, path


def test_every_finding_has_its_place(site: Path) -> None:
    overview = Page(site / "findings" / "index.html")
    links = {address for tag, address in overview.addresses if tag == "a"}
    for letter in FAMILIES:
        page = Page(site / "findings" / letter.lower() / "index.html")
        for entry in (item for item in catalogue().values() if item.family == letter):
            assert entry.code in page.ids
            assert f"{letter.lower()}/#{entry.code}" in links
            for words in (entry.title, entry.cause, entry.hint):
                assert words.replace("`", "") in page.text.replace("`", "")


def test_every_clause_has_its_place_and_is_linked(site: Path) -> None:
    specification = Page(site / "schema" / "SPEC" / "index.html")
    table = Page(site / "requirements" / "index.html")
    for clause in clauses():
        assert clause in specification.ids
        assert ("a", f"../schema/SPEC/#{clause}") in table.addresses


def test_every_command_has_its_place(site: Path) -> None:
    page = Page(site / "commands" / "index.html")
    assert {f"llb-{name}" for name in COMMANDS} <= page.ids
    assert "llb-conform-run" in page.ids
    assert "llb validate [OPTIONS] BUNDLE" in page.text
    assert "the graph runs in a process of its own" in page.text
    assert "--memory-limit GIB" in page.text


def test_every_schema_is_in_the_site(site: Path) -> None:
    page = Page(site / "schemas" / "index.html")
    for line in LINES:
        for source in (ROOT / "schema" / "llb_schema" / line).glob("*.schema.json"):
            published = site / source.relative_to(ROOT)
            assert published.read_bytes() == source.read_bytes()
            assert json.loads(source.read_text(encoding="utf-8"))["$id"] in page.text


def test_figures_come_in_light_and_dark(site: Path) -> None:
    drawings = sorted((ROOT / "docs" / "images").glob("*.svg"))
    assert drawings
    for drawing in drawings:
        light, dark = ((site / "images" / f"{drawing.stem}{end}.svg") for end in ("", "-dark"))
        assert light.read_bytes() == drawing.read_bytes()
        assert dark.read_bytes() != light.read_bytes()
        assert len(dark.read_bytes().splitlines()) == len(light.read_bytes().splitlines())
    shown = [address for tag, address in Page(site / "curves" / "index.html").addresses if tag == "img"]
    assert f"../images/{drawings[0].name}#only-light" in shown
    assert f"../images/{drawings[0].stem}-dark.svg#only-dark" in shown


def test_wrong_links_fail_the_build(tmp_path: Path) -> None:
    wrong = ("fits.md#nowhere", "nowhere.md", "../nothing.md", "/fits.md")
    docs = tmp_path / "docs"
    shutil.copytree(ROOT / "docs", docs)
    with (docs / "flows.md").open("a", encoding="utf-8") as stream:
        stream.writelines(f"\n[wrong]({link})\n" for link in wrong)
    text = (ROOT / "mkdocs.yml").read_text(encoding="utf-8")
    for here, there in (
        ("docs_dir: docs", f"docs_dir: {docs}"),
        ("- docs/site/hook.py", f"- {ROOT}/docs/site/hook.py"),
    ):
        assert here in text
        text = text.replace(here, there)
    (tmp_path / "mkdocs.yml").write_text(text, encoding="utf-8")
    done = built(tmp_path / "site", tmp_path / "mkdocs.yml")
    assert done.returncode != 0
    for link in wrong:
        assert f"'{link}'" in done.stderr
    assert done.stderr.count("WARNING -") == len(wrong)
