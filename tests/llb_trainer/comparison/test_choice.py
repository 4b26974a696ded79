"""Few signals stand for many: in the range of decision, far apart, the same ones every time."""

from __future__ import annotations

import numpy as np

from llb_trainer.comparison import choose_points

PLANE = np.array([(x, y) for x in range(10) for y in range(10)], dtype=np.float64)


def test_the_range_of_decision_comes_first() -> None:
    cls = np.full(100, 1e-9)
    cls[10:30] = np.linspace(0.002, 0.9, 20)
    chosen = choose_points(cls, PLANE, 12)
    assert len(chosen) == 12
    assert all(10 <= row < 30 for row in chosen)
    # The signal nearest to exclusion is always among them.
    assert int(np.argmin(np.abs(np.log(cls / 0.05)))) in chosen


def test_the_others_fill_up_and_those_nearest_to_exclusion_first() -> None:
    cls = np.array([1e-12, 0.2, 1e-5, 1e-7, 0.5, np.nan, 1.0])
    assert choose_points(cls, PLANE[:7], 4) == (1, 2, 4, 6)
    assert choose_points(cls, PLANE[:7], 99) == (0, 1, 2, 3, 4, 6)


def test_points_are_spread_over_the_plane() -> None:
    chosen = choose_points(np.full(100, 0.05), PLANE, 5)
    corners = {0, 9, 90, 99}
    assert corners <= set(chosen)


def test_points_are_spread_over_cls_where_the_plane_says_nothing() -> None:
    cls = np.geomspace(0.002, 0.9, 50)
    chosen = np.log10(cls[list(choose_points(cls, np.zeros((50, 1)), 6))])
    assert np.diff(chosen).min() > 0.5 * (chosen[-1] - chosen[0]) / 6


def test_the_choice_is_the_same_every_time() -> None:
    cls = np.random.default_rng(3).uniform(size=100)
    assert choose_points(cls, PLANE, 12) == choose_points(cls.copy(), PLANE.copy(), 12)


def test_nothing_to_choose_from_is_no_error() -> None:
    assert choose_points(np.array([np.nan]), np.zeros((1, 2)), 3) == ()
    assert choose_points(np.empty(0), np.zeros((0, 2)), 3) == ()
