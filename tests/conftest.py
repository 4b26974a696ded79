"""Fixtures shared by all tests."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import browser
import pytest
from hypothesis import settings
from playwright.sync_api import Browser

# tests make no statements about time
settings.register_profile("untimed", deadline=None)
settings.load_profile("untimed")

SHARED_DATA = Path(__file__).resolve().parents[2] / "shared" / "data"


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """Folder of the real ATLAS and CMS models; they lie beside the checkout and are never committed."""
    if not SHARED_DATA.is_dir():
        if os.environ.get("CI"):
            pytest.fail(f"the reference data must be at {SHARED_DATA} in CI")
        pytest.skip(f"no reference data at {SHARED_DATA}")
    return SHARED_DATA


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    """A browser for the tests of a module; not longer, since it holds the event loop of the process."""
    with browser.launched() as opened:
        yield opened
