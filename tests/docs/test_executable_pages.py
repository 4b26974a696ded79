"""The pages do what they say: their marked blocks run, on small inputs, and print what is shown."""

from __future__ import annotations

from importlib import import_module
from pathlib import Path

import pytest
from executable_pages import MARK, blocks, run_page

from llb.runtime import load

DOCS = Path(__file__).resolve().parents[2] / "docs"
# What makes a training of a minute one of seconds.
SMALLER = {
    "signals = 3000": "signals = 128\n[network]\nwidth = 8\ndepth = 1\nmembers = 2\nbranches = 1",
    "steps = 4000": "steps = 50",
}
PAGES = {"tutorial.md": SMALLER}


def test_every_page_with_a_mark_is_run() -> None:
    marked = {
        path.relative_to(DOCS).as_posix() for path in DOCS.rglob("*.md") if MARK in path.read_text("utf-8")
    }
    assert marked == set(PAGES)


@pytest.fixture(scope="module", params=PAGES)
def folder(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where a page has been run."""
    folder = tmp_path_factory.mktemp("page")
    run_page(DOCS / request.param, folder, PAGES[request.param])
    return folder


def test_pages_do_what_they_say(folder: Path) -> None:
    assert list(folder.iterdir())


def test_the_figures_of_curves_can_be_drawn_from_its_bundle(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.syspath_prepend(DOCS)
    monkeypatch.syspath_prepend(DOCS / "site")
    figures, dark_figures = import_module("curve_figures"), import_module("dark_figures")
    model = load(folder / "partners.llb")
    # The one left out asks the teacher, which takes as long as all the rest.
    for name in figures.FIGURES.keys() - {"curves_domain"}:
        path = tmp_path / f"{name}.svg"
        figures.FIGURES[name](model, path)
        drawn = path.read_text(encoding="utf-8")
        assert drawn.rstrip().endswith("</svg>")
        assert dark_figures.dark(drawn) != drawn


PAGE = """
<!-- run -->
```bash
echo 3 apples; echo pears > basket
```

```text
2 apples
...
```

```bash
exit 1
```

<!-- run -->
```python
print(open("basket").read())
```
"""


def test_blocks_share_a_folder_and_unmarked_ones_are_left_out(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text(PAGE, encoding="utf-8")
    run_page(page, tmp_path, {"pears": "plums"})
    assert (tmp_path / "basket").read_text() == "plums\n"
    assert [(block.language, block.line, block.printed) for block in blocks(PAGE)] == [
        ("bash", 3, "2 apples\n...\n"),
        ("python", 17, None),
    ]


@pytest.mark.parametrize(
    ("piece", "broken", "message"),
    [
        ("echo 3", "false", "page.md:3"),
        ("2 apples", "2 cherries", "2 cherries"),
        ('basket")', 'b")', "page.md:17"),
    ],
)
def test_what_a_page_says_wrongly_is_noticed(tmp_path: Path, piece: str, broken: str, message: str) -> None:
    page = tmp_path / "page.md"
    page.write_text(PAGE.replace(piece, broken), encoding="utf-8")
    with pytest.raises(AssertionError, match=message):
        run_page(page, tmp_path, {})


def test_a_mark_without_a_block_is_refused() -> None:
    with pytest.raises(ValueError, match="nothing to run"):
        blocks(f"{MARK}\nA sentence.\n")
    with pytest.raises(ValueError, match="nothing to run"):
        blocks(f"{MARK}\n```toml\na = 1\n```\n")
