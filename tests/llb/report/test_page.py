"""The page of a bundle: all that it says, nothing from elsewhere, nothing that a stranger put in."""

from __future__ import annotations

import ast
import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import bundles
import publishable
import pytest
from html_pages import ParsedPage, parse

from llb.bundle import BundleFile, read_any_bundle
from llb.report import Page, Panel, report_page
from llb.validation import validate
from llb_conformance import counting_model, write_quadratic
from llb_conformance.gaussian import conditional_model, mixed_model, regression_model
from llb_conformance.gaussian_bundle import write_gaussian

PNG = bytes.fromhex(
    "89504e470d0a1a0a0000000d4948445200000001000000010804000000b51c0c020000000b4944415478da6364f80f00010501"
    "012718e3660000000049454e44ae426082"
)
HOSTILE = "</title><script>alert(1)</script>\"'><img src=x onerror=alert(1)>\u202e\x07"


def page_of(bundle: Path, level: int = 5, **more: Any) -> Page:
    return report_page(read_any_bundle(bundle), validate(bundle, level), **more)


def figure(media_type: str, data: bytes) -> dict[str, BundleFile]:
    return {"validation/picture.bin": BundleFile(data, "figure", media_type)}


WRITERS: dict[str, Callable[[Path], Path]] = {
    "quadratic": lambda path: write_quadratic(counting_model(), path),
    "stating": publishable.write,
    "mixed": lambda path: write_gaussian(mixed_model(), path),
    "conditional": lambda path: write_gaussian(conditional_model(), path),
    "regression": lambda path: write_gaussian(regression_model(), path),
}


@pytest.fixture(scope="module")
def pages(tmp_path_factory: pytest.TempPathFactory) -> dict[str, tuple[Path, Page]]:
    folder = tmp_path_factory.mktemp("pages")
    written = {name: write(folder / f"{name}.llb") for name, write in WRITERS.items()}
    return {name: (path, page_of(path)) for name, path in written.items()}


@pytest.mark.parametrize("name", WRITERS)
def test_the_page_is_well_formed_and_loads_nothing(name: str, pages: dict[str, tuple[Path, Page]]) -> None:
    page = parse(pages[name][1].html)
    assert page.loaded == []
    assert page.all("script") == []
    policy = next(item for item in page.all("meta") if "http-equiv" in item.attributes)
    assert policy.attributes["content"].startswith("default-src 'none'; img-src data:;")
    assert "script-src" not in policy.attributes["content"]


@pytest.mark.parametrize("name", WRITERS)
def test_headings_tables_and_pictures_are_for_everybody(
    name: str, pages: dict[str, tuple[Path, Page]]
) -> None:
    page = parse(pages[name][1].html)
    levels = [int(item.tag[1]) for item in page.elements if re.fullmatch("h[1-6]", item.tag)]
    assert levels[0] == 1
    assert set(levels[1:]) == {2}
    assert len(page.all("caption")) == len(page.all("table")) > 2
    assert all(item.attributes["scope"] == "col" for item in page.all("th"))
    assert all(item.attributes["aria-label"] and item.attributes["role"] == "img" for item in page.all("svg"))
    assert all(item.attributes["alt"] for item in page.all("img"))
    assert page.all("html")[0].attributes["lang"] == "en"


@pytest.mark.parametrize("name", ["stating", "mixed"])
def test_the_same_bundle_gives_the_same_page_wherever_it_is(
    name: str, pages: dict[str, tuple[Path, Page]], tmp_path: Path
) -> None:
    path, page = pages[name]
    moved = tmp_path / "elsewhere"
    moved.symlink_to(path, target_is_directory=True)
    assert page_of(moved).html == page.html
    assert str(path.parent) not in page.html


def test_a_profile_likelihood_shows_its_numbers(pages: dict[str, tuple[Path, Page]]) -> None:
    page = parse(pages["stating"][1].html)
    text = page.all("main")[0].text
    for said in (
        *bundles.BIN_IDS,
        *bundles.CURVES,
        "three-bins.json",
        "paper and pencil 1",
        "2.22",
        "cautious",
    ):
        assert said in text
    labels = [item.attributes["aria-label"] for item in page.all("svg")]
    assert len(labels) == 4
    assert "Observed against expected coverage, by curve." in labels
    links = [item.attributes["href"] for item in page.all("a")]
    assert "https://arxiv.org/abs/1007.1727" in links
    assert "https://orcid.org/0000-0002-1825-0097" in links


def test_a_density_shows_its_numbers(pages: dict[str, tuple[Path, Page]]) -> None:
    page = parse(pages["mixed"][1].html)
    model = mixed_model()
    text = page.all("main")[0].text
    assert all(item.name in text for item in model.parameters)
    assert "Wasserstein, mean" in text
    assert len(page.all("svg")) == 4
    regression = parse(pages["regression"][1].html)
    assert len(regression.all("svg")) == 1
    assert "Conditions" in parse(pages["conditional"][1].html).all("main")[0].text


def hostile(document: dict[str, Any]) -> None:
    document["title"] = HOSTILE
    document["authors"] = [{"name": HOSTILE, "affiliation": HOSTILE}]
    document["analysis"].update(name=HOSTILE, experiment=HOSTILE)
    document["validation"]["method"] = HOSTILE
    document["provenance"]["software"] = [{"name": HOSTILE, "version": HOSTILE}]
    document["references"] = [
        {"kind": "url", "value": "javascript:alert(1)"},
        {"kind": "url", "value": "https://example.org/\"onmouseover='alert(1)"},
        {"kind": "doi", "value": '10.1/"><script>alert(1)</script>'},
        {"kind": "url", "value": "data:text/html,<script>alert(1)</script>"},
    ]


def write_hostile(target: Path) -> Path:
    """A bundle whose every free text attacks the page, and whose picture does, too."""
    svg = b'<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script><image href="http://127.0.0.1/x"/></svg>'
    table = f"name,{','.join(bundles.BIN_IDS)},cls_observed,upper_limit_observed\n"
    table += '"<script>alert(1)</script>$\\frac{1}$\x07",1.0,2.0,0.5,0.33,2.22\n'
    replaced = {
        **figure("image/svg+xml", svg),
        bundles.BENCHMARKS: BundleFile(table.encode(), "benchmarks", "text/csv"),
        "provenance/labels.json": bundles.json_file({HOSTILE: HOSTILE, "list": [1, "<b>"]}, "provenance"),
    }
    return bundles.write(target, hostile, replaced)


def test_hostile_texts_stay_texts(tmp_path: Path) -> None:
    html = page_of(write_hostile(tmp_path / "hostile.llb")).html
    page = parse(html)
    assert page.all("script") == []
    assert [item.attributes["src"][:23] for item in page.all("img")] == ["data:image/svg+xml;base6"[:23]]
    assert not any(name.startswith("on") for item in page.elements for name in item.attributes)
    assert all(item.attributes["href"].startswith(("https://", "#")) for item in page.all("a"))
    assert page.all("h1")[0].text == HOSTILE[:-2] + r"\u202e\x07"
    assert len(page.all("svg")) == 3
    assert "\x07" not in html


def test_awkward_benchmarks_are_shown_as_well(tmp_path: Path) -> None:
    numbers = [
        "0,0,0,0,0",
        "1,2,0.5,0,0",
        "-0.5,0,0,1,-3",
        "0,1,0,0.5,1e300",
        "1e300,0,0,1e-300,1e-300",
        "9,9,9,0,1e-6",
    ]
    rows = "".join(f"{name},{row}\n" for name, row in zip("ABCDEF", numbers, strict=True))
    table = f"name,{','.join(bundles.BIN_IDS)},cls_observed,upper_limit_observed\n{rows}"
    replaced = {bundles.BENCHMARKS: BundleFile(table.encode(), "benchmarks", "text/csv")}
    page = page_of(bundles.write(tmp_path / "x.llb", replace=replaced))
    assert page.findings == ()
    assert len(parse(page.html).all("svg")) == 3


def test_a_picture_that_is_none_is_a_finding(tmp_path: Path) -> None:
    for number, (kind, data) in enumerate((("image/png", b"%PDF-1"), ("application/pdf", b"%PDF-1"))):
        page = page_of(bundles.write(tmp_path / f"{number}.llb", replace=figure(kind, data)), 2)
        assert [item.code for item in page.findings] == ["LLB-R001"]
        assert "LLB-R001" in page.html
    good = page_of(bundles.write(tmp_path / "good.llb", replace=figure("image/png", PNG)), 2)
    assert good.findings == ()
    assert len(parse(good.html).all("img")) == 1


@pytest.mark.parametrize("level", [1, 2])
def test_below_level_3_nothing_is_run(level: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def run(_: object) -> None:
        raise AssertionError

    monkeypatch.setattr("llb.report.profile_numbers.load", run)
    html = page_of(bundles.write(tmp_path / "x.llb"), level).html
    assert parse(html).all("svg") == []
    assert f"level {level} of 6" in html


def test_an_invalid_bundle_has_a_page_that_says_so(tmp_path: Path) -> None:
    bundle = bundles.write(tmp_path / "x.llb")
    (bundle / bundles.GRAPH).write_bytes(bytes((bundle / bundles.GRAPH).stat().st_size))
    page = parse(page_of(bundle).html)
    assert page.all("svg") == []
    assert "Not valid" in page.all("header")[0].text
    assert "LLB-I001" in page.all("main")[0].text


def test_a_panel_is_let_run_and_nothing_else(tmp_path: Path) -> None:
    panel = Panel("Try it", '<p id="try">Needs scripts.</p>', "document.title = 'ran'")
    page = parse(page_of(bundles.write(tmp_path / "x.llb"), 2, interactive=panel).html)
    (script,) = page.all("script")
    assert script.text == panel.script
    policy = next(item for item in page.all("meta") if "http-equiv" in item.attributes)
    assert "script-src 'sha256-" in policy.attributes["content"]
    assert "Try it" in [item.text for item in page.all("h2")]


def listings(page: ParsedPage) -> dict[str, str]:
    """Programs of a page by their captions."""
    captions = [item.text for item in page.all("figcaption")]
    codes = [item.text for item in page.all("code")]
    named = [
        text
        for text in captions
        if text == "signal.json" or text.startswith(("Python", "Spey", "pyhf", "C++"))
    ]
    wanted = [code for code in codes if "\n" in code or code.startswith("{")]
    return {name: next(code for code in wanted if _fits(name, code)) for name in named}


def _fits(name: str, code: str) -> bool:
    marks = {
        "signal.json": "{",
        "Python": "density =|llb.load",
        "Spey": "spey",
        "pyhf": "BundleModel",
        "C++": "#include",
    }
    return re.search(next(mark for key, mark in marks.items() if name.startswith(key)), code) is not None


@pytest.mark.parametrize("name", ["stating", "quadratic", "mixed", "conditional"])
def test_the_programs_of_the_page_run(
    name: str,
    pages: dict[str, tuple[Path, Page]],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    path, made = pages[name]
    found = listings(parse(made.html))
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("SPEY_CHECKUPDATE", "OFF")
    Path(f"{json.loads((path / 'manifest.json').read_text())['id']}.llb").symlink_to(path)
    if "signal.json" in found:
        Path("signal.json").write_text(found.pop("signal.json"))
        assert {text.split(",")[0].split(":")[0] for text in found} == {"Python", "Spey", "pyhf", "C++"}
    for caption, code in found.items():
        if not caption.startswith("C++"):
            exec(compile(ast.parse(code), caption, "exec"), {})  # noqa: S102 - what a reader would do
            assert capsys.readouterr().out
