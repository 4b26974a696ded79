"""Pages in a real browser: from a file, with no complaint and no request, on screens and on paper."""

from __future__ import annotations

from pathlib import Path

import bundles
import publishable
import pytest
from browser import PHONE, WIDE, visiting
from playwright.sync_api import Browser

from llb.bundle import read_any_bundle
from llb.cli.main import main
from llb.report import Panel, report_page
from llb.validation import validate
from llb_conformance.gaussian import mixed_model
from llb_conformance.gaussian_bundle import write_gaussian

A4 = {"width": 673, "height": 980}
"""The printable part of a page in CSS pixels, with the margins of the style."""
WIDER = "box => box.scrollWidth > box.clientWidth + 1"


def hostile(document: dict[str, object]) -> None:
    text = "<script>alert(1)</script><img src=x onerror=alert(1)>"
    document["title"] = text * 3
    document["authors"] = [{"name": text, "affiliation": "A" * 150}]


@pytest.fixture(scope="module")
def pages(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    folder = tmp_path_factory.mktemp("pages")
    written = {
        "profile": publishable.write(folder / "profile.llb"),
        "density": write_gaussian(mixed_model(), folder / "density.llb"),
        "hostile": bundles.write(folder / "hostile.llb", hostile),
    }
    made: dict[str, Path] = {}
    for name, path in written.items():
        made[name] = folder / f"{name}.html"
        level = 2 if name == "hostile" else 5
        made[name].write_text(
            report_page(read_any_bundle(path), validate(path, level)).html, encoding="utf-8"
        )
    return made


@pytest.mark.parametrize("name", ["profile", "density", "hostile"])
def test_the_page_opens_from_a_file_and_asks_for_nothing(
    name: str, pages: dict[str, Path], chromium: Browser
) -> None:
    with visiting(chromium, pages[name].as_uri()) as visit:
        visit.page.on("dialog", lambda dialog: visit.complaints.append(dialog.message))
        visit.page.wait_for_timeout(50)
        assert visit.complaints == []
        assert visit.requests == [pages[name].as_uri()]
        assert visit.page.locator("script").count() == 0


@pytest.mark.parametrize("name", ["profile", "density", "hostile"])
@pytest.mark.parametrize("viewport", [WIDE, PHONE], ids=["wide", "phone"])
def test_the_page_fits_its_window(
    name: str, viewport: dict[str, int], pages: dict[str, Path], chromium: Browser
) -> None:
    with visiting(chromium, pages[name].as_uri(), viewport, "dark") as visit:
        page = visit.page
        assert page.evaluate("document.documentElement.scrollWidth") <= viewport["width"]
        ink, paper = (
            page.evaluate(f"getComputedStyle(document.body).{key}") for key in ("color", "backgroundColor")
        )
        assert ink.startswith("rgb(2")
        assert paper.startswith("rgb(2")
        # What is wider than the window is reached by the keyboard as well.
        assert page.locator(".scroll:not([tabindex]), pre:not([tabindex])").count() == 0


@pytest.mark.parametrize("name", ["profile", "density", "hostile"])
def test_nothing_is_cut_off_on_paper(
    name: str, pages: dict[str, Path], chromium: Browser, tmp_path: Path
) -> None:
    with visiting(chromium, pages[name].as_uri(), A4, "dark") as visit:  # pyright: ignore[reportArgumentType]
        page = visit.page
        page.emulate_media(media="print")
        assert page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"
        assert page.evaluate("document.documentElement.scrollWidth") <= A4["width"]
        for kind in (".scroll", "pre"):
            assert not any(
                page.locator(kind).nth(row).evaluate(WIDER) for row in range(page.locator(kind).count())
            )
        printed = page.pdf(path=tmp_path / "page.pdf", prefer_css_page_size=True)
    assert printed.startswith(b"%PDF-")


def test_a_panel_runs_and_a_strangers_script_would_not(tmp_path: Path, chromium: Browser) -> None:
    bundle = bundles.write(tmp_path / "x.llb")
    script = 'document.getElementById("try").textContent = "Ready";'
    panel = Panel("Try it", '<p id="try">Needs scripts.</p>', script)
    html = report_page(read_any_bundle(bundle), validate(bundle, 2), interactive=panel).html
    page = tmp_path / "page.html"
    page.write_text(
        html.replace("</main>", "<script>document.title = 'taken'</script></main>"), encoding="utf-8"
    )
    with visiting(chromium, page.as_uri()) as visit:
        assert visit.page.inner_text("#try") == "Ready"
        assert visit.page.title() != "taken"
        assert len(visit.complaints) == 1


@pytest.mark.parametrize("family", ["profile", "density"])
def test_a_report_with_the_graph_at_work(family: str, tmp_path: Path, chromium: Browser) -> None:
    """Made by the command; opened from the disk the panel has the numbers of `llb view`."""
    bundle = tmp_path / "x.llb"
    if family == "profile":
        publishable.write(bundle)
    else:
        write_gaussian(mixed_model(), bundle)
    out = tmp_path / "report.html"
    with pytest.raises(SystemExit) as done:
        main(["report", str(bundle), "--interactive", "--out", str(out)])
    assert done.value.code == 0
    with visiting(chromium, out.as_uri()) as visit:
        panel = visit.page.locator(".llb-view")
        panel.get_by_role("slider").first.wait_for(timeout=20_000)
        assert panel.get_by_role("slider").count() > 1
        assert visit.complaints == []
        assert visit.requests == [out.as_uri()]
        assert visit.page.evaluate("document.documentElement.scrollWidth") <= WIDE["width"]
        visit.page.screenshot(path=tmp_path / "report.png", full_page=True)
