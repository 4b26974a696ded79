"""The page of `llb view` in a browser: its controls by name, and its numbers."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from browser import WIDE, Visit, visiting
from outside import unavailable
from playwright.sync_api import Browser, ViewportSize

from llb.view.build import BuildError, build
from llb.view.page import page

__all__ = ["View", "built", "viewing", "written"]


@dataclass
class View:
    """A page that has its numbers."""

    visit: Visit

    @property
    def numbers(self) -> dict[str, Any]:
        """The numbers that are shown, whole, by the names of `llb eval` and `llb limit`."""
        self.settle()
        outputs = self.visit.page.locator("output").evaluate_all(
            "(all) => all.map((one) => [one.dataset.name, one.dataset.value])"
        )
        return {name: json.loads(value) for name, value in outputs if value is not None}

    def settle(self) -> None:
        """Waits until what was asked is shown."""
        self.visit.page.locator(".panel[data-state=idle] output[data-value]").first.wait_for()

    def type(self, name: str, value: float) -> None:
        """Types a number into the field of a bin, of mu, or of a parameter."""
        field = self.visit.page.locator(f'input[type=number][data-input="{name}"]')
        field.fill(repr(value))
        field.press("Enter")

    def check(self, *files: Path) -> list[str]:
        """Hands in another bundle; the codes of what is found in it."""
        self.visit.page.locator("input[type=file]").set_input_files(files)
        result = self.visit.page.locator(".result[data-state=idle]")
        result.wait_for()
        return [str(item.get_attribute("data-code")) for item in result.locator("li[data-code]").all()]


def built() -> None:
    """Builds the script of the page where it is not built; that needs the npm registry."""
    try:
        build()
    except BuildError as error:
        unavailable(f"the page of llb view is not built: {error}")


def written(bundle: Any, folder: Path) -> str:
    """The page of a bundle as a file; its URL."""
    built()
    path = folder / "page.html"
    path.write_text(page(bundle), encoding="utf-8")
    return path.as_uri()


@contextmanager
def viewing(
    browser: Browser, url: str, viewport: ViewportSize = WIDE, scheme: Literal["light", "dark"] = "light"
) -> Iterator[View]:
    """A page, once it has its numbers; it may have asked for nothing but itself, and complained of none."""
    with visiting(browser, url, viewport, scheme) as visit:
        view = View(visit)
        view.settle()
        yield view
        assert visit.requests == [url]
        assert visit.complaints == []
