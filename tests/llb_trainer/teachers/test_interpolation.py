"""Interpolation against pyhf's own, and its derivatives against automatic ones."""

from __future__ import annotations

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pyhf.interpolators import code4 as pyhf_code4
from pyhf.interpolators import code4p as pyhf_code4p

from llb_trainer.teachers.histfactory.interpolation import code4, code4_coefficients, code4p

ALPHA = st.floats(-5, 5, allow_nan=False)
FACTOR = st.floats(0.05, 3.0)
EVENTS = st.floats(-20, 40)


def by_code4(alpha: float, hi: float, lo: float) -> list[float]:
    with jax.enable_x64(True):
        arrays = np.array([hi]), np.array([lo])
        found = code4(jnp.array([alpha]), *map(np.log, arrays), code4_coefficients(*arrays))
        return [float(item[0]) for item in found]


def by_code4p(alpha: float, up: float, down: float) -> list[float]:
    with jax.enable_x64(True):
        found = code4p(jnp.array([alpha]), jnp.array([up]), jnp.array([down]))
        return [float(item[0]) for item in found]


@settings(max_examples=60, deadline=None)
@given(ALPHA, FACTOR, FACTOR)
def test_code4_is_pyhfs(alpha: float, hi: float, lo: float) -> None:
    theirs = pyhf_code4([[[[lo], [1.0], [hi]]]], subscribe=False)(np.array([[alpha]]))
    assert by_code4(alpha, hi, lo)[0] == pytest.approx(
        float(np.asarray(theirs).ravel()[0]), rel=1e-11, abs=1e-12
    )


@settings(max_examples=60, deadline=None)
@given(ALPHA, EVENTS, EVENTS, EVENTS)
def test_code4p_is_pyhfs(alpha: float, lo: float, nominal: float, hi: float) -> None:
    theirs = pyhf_code4p([[[[lo], [nominal], [hi]]]], subscribe=False)(np.array([[alpha]]))
    ours = by_code4p(alpha, hi - nominal, nominal - lo)[0]
    assert ours == pytest.approx(float(np.asarray(theirs).ravel()[0]), rel=1e-12, abs=1e-11)


@pytest.mark.parametrize("alpha", [-2.3, -1.0, -0.4, 0.0, 0.7, 1.0, 3.1])
def test_derivatives_are_exact(alpha: float) -> None:
    def differences(function: object, *arguments: float) -> tuple[float, float]:
        step = 1e-5
        low, high = (function(alpha + d, *arguments) for d in (-step, step))  # type: ignore[operator]
        return (high[0] - low[0]) / (2 * step), (high[1] - low[1]) / (2 * step)

    for function, arguments in ((by_code4, (1.3, 0.6)), (by_code4p, (4.0, -1.0))):
        slope, curvature = differences(function, *arguments)
        found = function(alpha, *arguments)
        assert found[1] == pytest.approx(slope, rel=1e-6, abs=1e-8)
        # at |alpha| = 1 the third derivative jumps: a difference across it sees half of each side
        assert found[2] == pytest.approx(curvature, rel=1e-4, abs=1e-4)
