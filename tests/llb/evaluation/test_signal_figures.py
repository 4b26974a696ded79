"""Pictures of real signals are drawn for whatever numbers there are."""

from __future__ import annotations

import struct
from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
from matplotlib.figure import Figure
from numpy.typing import NDArray

from llb.evaluation import SignalNumbers, agreement_figure, error_map_figure, exclusion_figure
from llb.evaluation.figures import draw_contour

Floats = NDArray[np.float64]
PLANE = np.array([(100.0 * x, 10.0 * y) for x in range(6) for y in range(4)])
LABELS = ("m [$GeV]", "m_2")


def numbers(limit: Floats | None = None) -> SignalNumbers:
    if limit is None:
        limit = np.exp((PLANE[:, 0] - 250.0) / 150.0)
    cls = np.clip(0.05 ** (1.0 / limit), 0.0, 1.0)
    names = tuple(f"s{row}" for row in range(len(limit)))
    return SignalNumbers(names, np.zeros(len(limit)), cls, cls, limit, 1.1 * limit)


def size(png: bytes) -> tuple[int, int]:
    assert png[:8] == b"\x89PNG\r\n\x1a\n"
    width, height = struct.unpack(">II", png[16:24])
    return width, height


AWKWARD = {
    "usual": numbers(),
    "all excluded": numbers(np.full(24, 0.1)),
    "infinite": numbers(np.where(PLANE[:, 0] > 200.0, np.inf, 0.5)),
    "unknown": numbers(np.full(24, np.nan)),
    "one known": numbers(np.where(np.arange(24) == 3, 0.5, np.nan)),
}


@pytest.mark.parametrize("truth", AWKWARD.values(), ids=AWKWARD)
def test_any_numbers_can_be_drawn(truth: SignalNumbers) -> None:
    predicted = replace(truth, upper_limit_observed=1.02 * truth.upper_limit_observed)
    assert size(error_map_figure(PLANE, LABELS, truth, predicted))[0] == 1664
    assert size(exclusion_figure(PLANE, LABELS, predicted, truth, truth))[0] == 1056
    assert size(agreement_figure(truth, predicted))[0] == 1536


@pytest.mark.parametrize("plane", [PLANE * (1.0, 0.0), PLANE * 0.0], ids=["line", "place"])
def test_planes_without_area_can_be_drawn(plane: Floats) -> None:
    size(error_map_figure(plane, LABELS, numbers(), numbers()))
    size(exclusion_figure(plane, LABELS, numbers(), numbers()))


@pytest.mark.parametrize(
    "draw",
    [
        lambda: error_map_figure(PLANE, LABELS, numbers(), numbers()),
        lambda: exclusion_figure(PLANE, LABELS, numbers(), numbers()),
        lambda: agreement_figure(numbers(), numbers()),
    ],
)
def test_the_same_numbers_give_the_same_bytes(draw: Callable[[], bytes]) -> None:
    assert draw() == draw()


def test_a_contour_lies_where_the_values_pass() -> None:
    panel = Figure().subplots()
    assert draw_contour(panel, PLANE, PLANE[:, 0], 250.0, colour="#000000", label="here")
    (line,) = panel.collections
    vertices = np.concatenate([path.vertices for path in line.get_paths()])
    np.testing.assert_allclose(vertices[:, 0], 250.0)
    assert panel.get_legend_handles_labels()[1] == ["here"]


@pytest.mark.parametrize("level", [-1.0, 501.0])
def test_there_is_no_contour_beyond_the_values(level: float) -> None:
    panel = Figure().subplots()
    assert not draw_contour(panel, PLANE, PLANE[:, 0], level, colour="#000000", label="nowhere")
    assert not panel.collections
    assert panel.get_legend_handles_labels()[1] == []
