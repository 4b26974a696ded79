from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy.interpolate import CubicSpline

from llb.runtime.splines import stack_splines

Array = NDArray[np.float64]


def stack_of(seed: int, sizes: list[int]) -> tuple[list[Array], list[Array]]:
    """Random nodes around 0, which is one of them, and values of two curves."""
    random = np.random.default_rng(seed)
    nodes = [np.sort(np.concatenate([[0.0], random.uniform(-0.5, 1.0, size - 1)])) for size in sizes]
    return nodes, [random.normal(size=(size, 2)) for size in sizes]


sizes = st.lists(st.integers(4, 40), min_size=1, max_size=5)


@settings(deadline=None, max_examples=40)
@given(st.integers(0, 10_000), sizes)
def test_a_stack_of_splines_is_its_splines(seed: int, sizes: list[int]) -> None:
    nodes, values = stack_of(seed, sizes)
    stack = stack_splines(nodes, values, np.ones(len(nodes), dtype=bool))
    for ray, (t, y) in enumerate(zip(nodes, values, strict=True)):
        # The nodes themselves are among the points: there an interval begins.
        at = np.concatenate([t, np.linspace(t[0], t[-1], 101)])
        index = np.full(at.size, ray)
        for order in range(3):
            expected = CubicSpline(t, y)(at, order)
            scale = np.abs(expected).max()
            for curve in range(2):
                found = stack(index, at, curve, order)
                np.testing.assert_allclose(found / scale, expected[:, curve] / scale, atol=1e-9)


@settings(deadline=None, max_examples=40)
@given(st.integers(0, 10_000), sizes)
def test_the_minimum_is_not_above_any_point_from_zero_on(seed: int, sizes: list[int]) -> None:
    nodes, values = stack_of(seed, sizes)
    stack = stack_splines(nodes, values, np.ones(len(nodes), dtype=bool))
    for curve in range(2):
        where, lowest = stack.minimum(curve)
        for ray, t in enumerate(nodes):
            at = np.linspace(0.0, 3.0 * max(t[-1], 0.1), 2000)
            if t[-1] > 0.0:
                everywhere = stack(np.full(at.size, ray), at, curve)
                assert lowest[ray] <= everywhere.min() + 1e-9 * np.abs(everywhere).max()
                assert 0.0 <= where[ray] <= t[-1]
                value = stack(np.array([ray]), where[[ray]], curve)[0]
                assert value == pytest.approx(lowest[ray], rel=1e-9, abs=1e-9)


@settings(deadline=None, max_examples=40)
@given(st.integers(0, 10_000), sizes)
def test_the_continuation_is_convex_and_never_falls_outwards(seed: int, sizes: list[int]) -> None:
    nodes, values = stack_of(seed, sizes)
    stack = stack_splines(nodes, values, np.ones(len(nodes), dtype=bool))
    for ray, t in enumerate(nodes):
        for end, away in ((t[-1], 1.0), (t[0], -1.0)):
            at = end + away * np.geomspace(1e-6, 1e6, 50)
            index = np.full(at.size, ray)
            assert np.all(away * stack(index, at, 0, 1) > 0.0)
            assert np.all(stack(index, at, 0, 2) > 0.0)


def test_a_ray_with_a_value_that_is_not_finite_is_nan_and_its_neighbour_is_not() -> None:
    t = np.linspace(0.0, 1.0, 5)
    bad, good = np.full((5, 1), np.nan), t[:, np.newaxis] ** 2
    stack = stack_splines([t, t], [bad, good], np.array([True, True]))
    assert np.isnan(stack(np.array([0, 0]), np.array([0.5, 2.0]), 0)).all()
    np.testing.assert_allclose(stack(np.array([1, 1]), np.array([0.5, 2.0]), 0), [0.25, 4.0])
    np.testing.assert_array_equal(np.isnan(stack.minimum(0)[1]), [True, False])


def test_given_slopes_are_kept_and_a_cubic_is_met_exactly() -> None:
    t = np.array([0.0, 0.3, 1.0])
    cubic = np.polynomial.Polynomial([0.0, -1.0, 2.0, 3.0])
    values, slopes = cubic(t)[:, np.newaxis], cubic.deriv()(t)[:, np.newaxis]
    stack = stack_splines([t], [values], np.ones(1, dtype=bool), [slopes])
    at = np.linspace(0.0, 1.0, 23)
    ray = np.zeros(len(at), dtype=np.intp)
    np.testing.assert_allclose(stack(ray, at, 0), cubic(at), atol=1e-12)
    np.testing.assert_allclose(stack(ray, at, 0, 1), cubic.deriv()(at), atol=1e-12)
    lowest = (np.sqrt(4.0 + 9.0) - 2.0) / 9.0
    assert stack.minimum(0)[0][0] == pytest.approx(lowest)
    assert stack_splines([t[:2]], [values[:2]], np.ones(1, dtype=bool), [slopes[:2]]).count[0] == 2
