"""The system's Chromium, headless, for pages that LLB writes or serves."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Literal

from outside import unavailable
from playwright.sync_api import Browser, Page, ViewportSize, sync_playwright

__all__ = ["PHONE", "WIDE", "Visit", "launched", "visiting"]

_NAMES = ("chromium", "chromium-browser", "google-chrome")
WIDE, PHONE = ViewportSize(width=1280, height=900), ViewportSize(width=390, height=844)


@dataclass
class Visit:
    """A page, what the browser complained about, and whatever was requested (data URIs are no requests)."""

    page: Page
    complaints: list[str] = field(default_factory=list[str])
    requests: list[str] = field(default_factory=list[str])


@contextmanager
def launched() -> Iterator[Browser]:
    """A browser; the fixture `chromium` of conftest.py shares one among the tests of a module."""
    program = os.environ.get("LLB_CHROMIUM") or next(filter(None, map(shutil.which, _NAMES)), None)
    if program is None:
        unavailable("Chromium is not installed")
    with sync_playwright() as playwright:
        # Chromium has no sandbox for root, and containers are often too small for its shared memory.
        arguments = ["--no-sandbox", "--disable-dev-shm-usage"]
        browser = playwright.chromium.launch(executable_path=program, args=arguments)
        try:
            yield browser
        finally:
            browser.close()


@contextmanager
def visiting(
    browser: Browser,
    url: str,
    viewport: ViewportSize = WIDE,
    scheme: Literal["light", "dark"] = "light",
    *,
    javascript: bool = True,
) -> Iterator[Visit]:
    """A URL (`Path.as_uri()` of a file) opened in a window of its own, once it has loaded."""
    context = browser.new_context(viewport=viewport, color_scheme=scheme, java_script_enabled=javascript)
    visit = Visit(context.new_page())

    def spoken(kind: str, text: str) -> None:
        if kind in ("error", "warning"):
            visit.complaints.append(text)

    def asked(url: str) -> None:
        if not url.startswith(("data:", "blob:")):
            visit.requests.append(url)

    visit.page.on("console", lambda message: spoken(message.type, message.text))
    visit.page.on("pageerror", lambda error: visit.complaints.append(str(error)))
    visit.page.on("request", lambda request: asked(request.url))
    try:
        visit.page.goto(url)
        yield visit
    finally:
        context.close()
