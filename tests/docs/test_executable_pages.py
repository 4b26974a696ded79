"""The pages do what they say: their marked blocks run, on small inputs, and print what is shown."""

from __future__ import annotations

from importlib import import_module
from pathlib import Path

import pytest
from executable_pages import MARK, blocks, run_page

from llb.bundle import pack
from llb.runtime import load
from llb_conformance import counting_model, quadratic_files, write_quadratic

DOCS = Path(__file__).resolve().parents[2] / "docs"
TUTORIAL = "tutorial.md"
# What makes a training of a minute one of seconds.
SMALLER = {
    "signals = 3000": "signals = 128\n[network]\nwidth = 8\ndepth = 1\nmembers = 2\nbranches = 1",
    "steps = 2500": "steps = 50",
    # Workers would each compile what this process has compiled already.
    "llb train workspace.json": "llb train workspace.json --processes 0",
}
# Pages for those who have a bundle already.
HOW_TO = ("how_to/scan.md", "how_to/validate.md")


@pytest.fixture(scope="module")
def tutorial(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder in which the tutorial has been followed."""
    folder = tmp_path_factory.mktemp("tutorial")
    run_page(DOCS / TUTORIAL, folder, SMALLER)
    return folder


def test_the_tutorial_can_be_followed(tutorial: Path) -> None:
    manifest = load(tutorial / "partners.llb").bundle.manifest
    assert manifest.title.startswith("Pairs of heavy partners")


@pytest.mark.parametrize("page", HOW_TO)
def test_a_page_does_what_it_says(page: str, tmp_path: Path) -> None:
    model = counting_model(channels=(("SR", 2, "SR"),))
    write_quadratic(model, tmp_path / "search.llb")
    (tmp_path / "search.llb.zip").write_bytes(pack(quadratic_files(model), "zip"))
    run_page(DOCS / page, tmp_path, {})


def test_every_page_with_a_mark_is_run() -> None:
    texts = {
        path.relative_to(DOCS).as_posix(): path.read_text(encoding="utf-8") for path in DOCS.rglob("*.md")
    }
    assert {page for page, text in texts.items() if MARK in text} == {TUTORIAL, *HOW_TO}


def test_the_figures_of_curves_can_be_drawn_from_its_bundle(
    tutorial: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.syspath_prepend(DOCS)
    monkeypatch.syspath_prepend(DOCS / "site")
    figures, dark_figures = import_module("curve_figures"), import_module("dark_figures")
    model = load(tutorial / "partners.llb")
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
