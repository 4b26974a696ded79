"""The picture is drawn for every shape of a patchset, whatever the numbers are."""

from __future__ import annotations

import math
import struct
from collections.abc import Sequence

import matplotlib as mpl
import numpy as np
import pytest
from comparisons import comparison_of, point_of

from llb_trainer.comparison import PublishedPatches, comparison_picture

CLS = [float(x) for x in np.geomspace(1e-8, 1.0, 20)]
GRID = [(100.0 * (n % 5), 10.0 * (n // 5)) for n in range(20)]


def published(labels: Sequence[str], values: Sequence[Sequence[float]]) -> PublishedPatches:
    return PublishedPatches(tuple(labels), {f"s{n}": tuple(row) for n, row in enumerate(values)})


def size(png: bytes) -> tuple[int, int]:
    assert png[:8] == b"\x89PNG\r\n\x1a\n"
    width, height = struct.unpack(">II", png[16:24])
    return width, height


@pytest.mark.parametrize(
    "coordinates",
    [
        published(["m1", "m2"], GRID),
        published(["m1 [$GeV]", "$m_2$"], GRID),
        published(["m1"], [row[:1] for row in GRID]),
        published(["m1", "m2"], [(row[0], 7.0) for row in GRID]),
        published(["m1", "m2"], [(row[0], 2.0 * row[0]) for row in GRID]),
        published(["m1", "m2", "m3"], [(*row, row[0] * row[1]) for row in GRID]),
        published(["m1", "m2"], [(1.0, 1.0)] * 20),
        published(["m1", "m2"], GRID[:3]),
        PublishedPatches(),
    ],
    ids=["plane", "dollars", "line", "constant", "collinear", "space", "one place", "incomplete", "none"],
)
def test_every_patchset_gets_a_picture(coordinates: PublishedPatches) -> None:
    before = dict(mpl.rcParams)
    width, height = size(comparison_picture(comparison_of(CLS), coordinates, "A $ search"))
    assert (width, height) == (1650, 780)
    assert dict(mpl.rcParams) == before


@pytest.mark.parametrize(
    "cls", [[1e-9] * 20, [0.9] * 20, [0.5], [0.5, math.nan, 0.01, 0.2]], ids=["all", "none", "one", "nan"]
)
def test_any_verdict_can_be_drawn(cls: list[float]) -> None:
    size(comparison_picture(comparison_of(cls), published(["m1", "m2"], GRID), "x"))


def test_outliers_failures_and_restarts_can_be_drawn() -> None:
    points = [
        point_of("s0", 0.04, 0.06, excess=0.5),
        point_of("s1", 0.04, math.nan, limit=math.nan, failure="no fit"),
        point_of("s2", 1e-12, 0.0, limit=math.inf),
        point_of("s3", 0.4, 0.2, excess=math.inf),
    ]
    for some in (points, points[1:2], []):
        size(comparison_picture(comparison_of(CLS, some), published(["m1", "m2"], GRID), "x"))


def test_the_same_numbers_give_the_same_bytes() -> None:
    one, two = (comparison_picture(comparison_of(CLS), PublishedPatches(), "x") for _ in range(2))
    assert one == two
