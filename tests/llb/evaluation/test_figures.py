from __future__ import annotations

import struct
import subprocess
import sys
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from llb.evaluation import Comparison, error_figure, learning_figure, truth_figure
from llb_schema import FindingError


def comparisons(n: int = 300, curves: int = 3) -> list[Comparison]:
    rng = np.random.default_rng(4)
    names = ("observed", "observed_asimov", "apriori", "apriori_asimov")[:curves]
    truth = [20.0 * rng.uniform(size=n) ** 2 - 0.2 for _ in names]
    return [
        Comparison(name, exact, exact + 0.003 * rng.standard_normal(n))
        for name, exact in zip(names, truth, strict=True)
    ]


def learning() -> bytes:
    steps = np.arange(1.0, 21.0) * 500
    return learning_figure(
        steps,
        {"values": 1 / steps, "gradients": 2 / steps},
        steps,
        {"median": 5 / steps, "99 %": 50 / steps},
    )


def pixels(png: bytes) -> tuple[int, int]:
    assert png.startswith(b"\x89PNG\r\n\x1a\n")
    width, height = struct.unpack(">II", png[16:24])
    return width, height


@pytest.mark.parametrize("draw", [truth_figure, error_figure])
def test_every_curve_has_its_column(draw: Callable[[Any], bytes]) -> None:
    one, three = (pixels(draw(comparisons(curves=number))) for number in (1, 3))
    assert three[0] == 3 * one[0]
    assert three[1] == one[1]


def test_the_learning_curve_is_drawn() -> None:
    assert pixels(learning())[0] > 1000


@pytest.mark.parametrize("draw", [truth_figure, error_figure])
def test_awkward_points_are_drawn_too(draw: Callable[[Any], bytes]) -> None:
    exact = np.array([7.0])
    perfect = np.zeros(12)
    assert pixels(draw([Comparison("observed", exact, exact), Comparison("apriori", perfect, perfect)]))


def test_an_unfinished_measurement_is_no_obstacle() -> None:
    nothing = np.full(2, np.nan)
    assert pixels(learning_figure(np.array([1.0, 2.0]), {"values": nothing}, np.empty(0), {}))


def test_the_same_numbers_give_the_same_bytes() -> None:
    assert truth_figure(comparisons()) == truth_figure(comparisons())


def test_nobody_elses_style_is_changed_or_used() -> None:
    import matplotlib as mpl

    plain = learning()
    with mpl.rc_context({"font.size": 30.0}):
        assert learning() == plain
        assert mpl.rcParams["font.size"] == 30.0


def test_without_matplotlib_the_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("matplotlib", "matplotlib.figure"):
        monkeypatch.setitem(sys.modules, name, None)
    with pytest.raises(FindingError, match=r"LLB-X001.*llb\[train\]"):
        truth_figure(comparisons())


def test_metrics_need_no_matplotlib() -> None:
    code = "import sys, llb.evaluation; sys.exit('matplotlib' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code]).returncode == 0
