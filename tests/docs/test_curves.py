"""docs/curves.md says what its figures show."""

from __future__ import annotations

import re
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np
import pytest

DOCS = Path(__file__).resolve().parents[2] / "docs"
PAGE = (DOCS / "curves.md").read_text(encoding="utf-8")


@pytest.fixture
def figures(monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.syspath_prepend(DOCS)
    return import_module("curve_figures")


def words(figure: str) -> str:
    text = (DOCS / "images" / f"{figure}.svg").read_text(encoding="utf-8")
    return " ".join(re.findall(r"<text[^>]*>([^<]*)</text>", text))


def test_every_figure_is_shown_and_there(figures: Any) -> None:
    shown = re.findall(r"\]\(images/(\w+)\.svg\)", PAGE)
    assert shown == list(figures.FIGURES)
    assert {path.stem for path in (DOCS / "images").glob("*.svg")} == set(shown)


@pytest.mark.parametrize(
    ("figure", "shown", "said"),
    [
        (
            "curves_nll",
            r"best fit: μ = ([\d.]+), Delta NLL = -([\d.]+)",
            r"best at μ = ([\d.]+), by ([\d.]+)\.",
        ),
        (
            "curves_four",
            r"Upper limits: ([\d.]+), expected ([\d.]+)",
            r"limit, ([\d.]+), is weaker than the\s+expected one, ([\d.]+),",
        ),
    ],
)
def test_the_text_has_the_numbers_of_the_figures(figure: str, shown: str, said: str) -> None:
    assert re.findall(shown, words(figure)) == re.findall(said, PAGE) != []


def test_the_signal_decides_which_valley_is_deeper(figures: Any) -> None:
    theta = np.linspace(-2.2, 2.2, 441)
    places = [theta[np.argmin(figures.valley(mu, theta))] for mu in (0.0, 0.5)]
    assert places[0] > 0.0 > places[1]
    without = figures.valley(0.0, theta)
    minima = np.flatnonzero((without[1:-1] < without[:-2]) & (without[1:-1] < without[2:]))
    assert len(minima) == 2


def test_the_drawn_kink_is_where_the_branches_cross(figures: Any) -> None:
    (drawn,) = {float(mu) for mu in re.findall(r"μ = ([\d.]+)", words("curves_minima"))} - {0.0, 0.5}
    left, right = np.linspace(-2.2, 0.0, 2201), np.linspace(0.0, 2.2, 2201)
    for mu, sign in ((drawn - 0.01, 1.0), (drawn + 0.01, -1.0)):
        assert sign * (figures.valley(mu, left).min() - figures.valley(mu, right).min()) > 0.0
