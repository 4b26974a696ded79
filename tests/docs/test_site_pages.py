"""What makes the pages of the site: texts whose code is left alone, links of the repository, dark figures."""

from __future__ import annotations

from importlib import import_module
from pathlib import Path
from typing import Any

import pytest

SITE = Path(__file__).resolve().parents[2] / "docs" / "site"
TERMS = {"LLB-A001": "findings/a.md#LLB-A001", "MU-1": "schema/SPEC.md#MU-1"}


@pytest.fixture
def text(monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.syspath_prepend(SITE)
    return import_module("page_text")


@pytest.fixture
def files(monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.syspath_prepend(SITE)
    return import_module("repository_pages")


PAGE = """\
See [this](a.md#x), ![that](images/b.png), [there](https://example.org/c.md) and [here](#d).
`[not](code.md)` but [`code`](e.md)

```console
[nor](this.md)
```

~~~text
```
[nor](that.md)
```
~~~
"""


def test_links_are_found_outside_of_code(text: Any) -> None:
    assert list(text.links(PAGE)) == ["a.md", "images/b.png", "e.md"]
    assert list(text.external_links(PAGE)) == ["https://example.org/c.md"]
    changed = text.with_links(PAGE, lambda path: f"new/{path}")
    assert "[this](new/a.md#x), ![that](new/images/b.png), [there](https://example.org/c.md)" in changed
    assert "[`code`](new/e.md)" in changed
    assert text.with_links(PAGE, lambda path: path) == PAGE
    assert changed.count("new/") == 3


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ("see LLB-A001, MU-1.", "see [LLB-A001](../findings/a.md#LLB-A001), [MU-1](../schema/SPEC.md#MU-1)."),
        ("`LLB-A001`", "[`LLB-A001`](../findings/a.md#LLB-A001)"),
        ("| MU-1 |", "| [MU-1](../schema/SPEC.md#MU-1) |"),
        *(
            (same, same)
            for same in ("# About MU-1", "a\n## LLB-A001: b", "**MU-1** text", "[LLB-A001](x.md)")
        ),
        *((same, same) for same in ("`llb explain LLB-A001`", "LLB-A0011", "XMU-1", "[`MU-1`](x.md)")),
        *((same, same) for same in ("```\nMU-1\n```\n", "UTF-8", '<a id="MU-1"></a>')),
    ],
)
def test_terms_are_linked_where_they_are_words(text: Any, given: str, expected: str) -> None:
    assert text.with_terms(given, TERMS, "how_to/page.md") == expected


def test_bars_in_the_code_of_tables(text: Any) -> None:
    row = r"| `a` | b \| `c\|d` | `e_f` |"
    assert text.with_bars(row) == r"| `a` | b \| <code>c&#124;d</code> | `e_f` |"
    for same in (r"no row `c\|d`", f"```\n{row}\n```\n"):
        assert text.with_bars(same) == same


def test_texts_of_the_catalogue_are_no_markup(text: Any) -> None:
    assert text.plain("<b> *x* a|b `c|d`") == r"&#60;b> &#42;x&#42; a&#124;b `c\|d`"


@pytest.mark.parametrize(
    ("page", "link", "expected"),
    [
        ("fits.md", "recipes.md", "recipes.md"),
        ("fits.md", "../schema/SPEC.md", "schema/SPEC.md"),
        ("how_to/scan.md", "../../schema/SPEC.md", "../schema/SPEC.md"),
        ("how_to/scan.md", "../../README.md", "../index.md"),
        ("index.md", "docs/fits.md", "fits.md"),
        ("index.md", "conformance/loaders", "conformance/loaders/index.md"),
        ("conformance.md", "../conformance/loaders/cpp", "conformance/loaders/cpp/README.md"),
        ("examples/by_hand/README.md", "../../schema/SPEC.md", "../../schema/SPEC.md"),
        ("benchmarks/README.md", "../docs/images/label_scaling.png", "../images/label_scaling.png"),
        ("fits.md", "nothing.md", "nothing.md"),
    ],
)
def test_links_of_the_repository_become_those_of_the_site(
    files: Any, page: str, link: str, expected: str
) -> None:
    assert files.relative_link(page, link) == expected


def test_pages_bring_along_what_they_link_to(files: Any) -> None:
    pages = {"one.md": "[by hand](../examples/by_hand/README.md) [a page](fits.md) [gone](../gone.md)"}
    found = files.outside_files(pages, ("CHANGELOG.md",))
    assert found["examples/by_hand/README.md"] == "examples/by_hand/README.md"
    assert found["schema/SPEC.md"] == "schema/SPEC.md"
    assert found["examples/by_hand/two-bins.llb/index.md"] == "examples/by_hand/two-bins.llb"
    assert "examples/by_hand/two-bins.llb/manifest.json" in found
    assert "CHANGELOG.md" in found
    assert not any("gone" in place or place.startswith("docs/") for place in found)
    assert "- [validation/heldout.csv](validation/heldout.csv)" in files.listing(
        "examples/by_hand/two-bins.llb"
    )


def test_a_dark_figure_is_the_same_drawing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(SITE)
    figures = import_module("dark_figures")
    assert figures.dark('<path id="a" style="stroke: #222222"/>') == '<path id="a" style="stroke: #e2e4e9"/>'
    with pytest.raises(KeyError, match="#123456"):
        figures.dark("#123456")
    text = "![a](images/b.svg)\n![c](d.png)"
    assert figures.with_dark_figures(text) == (
        "![a](images/b.svg#only-light)\n![a](images/b-dark.svg#only-dark)\n![c](d.png)"
    )
