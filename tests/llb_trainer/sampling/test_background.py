"""The analytic stand-in of a likelihood, and strengths along directions."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from llb_trainer.sampling import Background, expected_delta, strengths

BACKGROUND = Background(np.array([5.0, 40.0, 900.0]), np.diag([1.0, 25.0, 900.0]))


def test_expected_delta_of_one_bin_by_hand() -> None:
    background = Background(np.array([10.0]), np.array([[6.0]]))
    signals = np.array([[0.0], [1.0], [8.0]])
    np.testing.assert_allclose(expected_delta(background, signals), [0.0, 0.5 / 16.5, 32.0 / 20.0])


def test_correlated_errors_hide_signals_that_look_like_them() -> None:
    covariance = np.full((2, 2), 100.0)
    along, across = expected_delta(
        Background(np.array([25.0, 25.0]), covariance), np.array([[10.0, 10.0], [20.0, 0.0]])
    )
    assert along < 0.4 * across


@given(
    st.floats(1e-7, 1e4), arrays(np.float64, 3, elements=st.floats(0, 1e6)).filter(lambda x: x.max() > 1e-6)
)
def test_strength_reaches_the_wanted_delta(delta: float, direction: np.ndarray) -> None:
    strength = strengths(BACKGROUND, direction[None, :], np.array([delta]))
    assert expected_delta(BACKGROUND, strength[:, None] * direction)[0] == pytest.approx(delta, rel=1e-9)


@given(st.floats(1e-3, 50.0), st.floats(0.0, 1e6))
def test_strength_where_a_common_error_is_almost_free(delta: float, error: float) -> None:
    """A normalisation without constraint, and a signal that looks just like it."""
    background = Background(np.array([0.0, 10.0, 100.0]), error**2 * np.ones((3, 3)))
    direction = np.array([[1.0, 1.0, 1.1]])
    strength = strengths(background, direction, np.array([delta]))
    assert expected_delta(background, strength[:, None] * direction)[0] == pytest.approx(delta, rel=1e-3)
