"""Every interpolation code: pyhf's values, derivatives between and at the kinks, shapes."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import jax
import jax.numpy as jnp
import numpy as np
import pyhf.interpolators
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray
from pyhf.modifiers.histosys import histosys_combined
from pyhf.modifiers.normsys import normsys_combined

from llb_trainer.teachers.histfactory.interpolation import HISTOSYS, NORMSYS, code4_coefficients

Floats = NDArray[np.float64]

ALPHA = st.floats(-5, 5).filter(lambda x: x == 0 or abs(x) > 1e-6)
FACTOR = st.floats(0.05, 3.0)
EVENTS = st.floats(-20, 40)
ALL = [*((name, "normsys") for name in NORMSYS), *((name, "histosys") for name in HISTOSYS)]


@contextmanager
def double() -> Iterator[None]:
    with jax.enable_x64(True):
        yield


def interpolated(name: str, alpha: Floats, hi: Floats, lo: Floats) -> tuple[Floats, Floats, Floats]:
    """The code at `alpha`: hi and lo are factors of a normsys, or templates about a nominal of 10."""
    with double():
        at = jnp.asarray(alpha)
        if name in NORMSYS:
            logs = jnp.asarray(np.log(hi)), jnp.asarray(np.log(lo))
            coefficients = code4_coefficients(hi.ravel(), lo.ravel()).reshape(6, *hi.shape)
            found = NORMSYS[name](at, *logs, jnp.asarray(coefficients))
        else:
            found = HISTOSYS[name](at, jnp.asarray(hi - 10.0), jnp.asarray(10.0 - lo))
        value, slope, curvature = map(np.asarray, found)
        return value, slope, curvature


def one(name: str, alpha: float, hi: float, lo: float) -> tuple[float, float, float]:
    value, slope, curvature = interpolated(name, np.array([alpha]), np.array([hi]), np.array([lo]))
    return float(value[0]), float(slope[0]), float(curvature[0])


def by_pyhf(name: str, alpha: float, hi: float, lo: float) -> float:
    nominal = 1.0 if name in NORMSYS else 10.0
    code = getattr(pyhf.interpolators, name)([[[[lo], [nominal], [hi]]]], subscribe=False)
    return float(np.asarray(code(np.array([[alpha]]))).ravel()[0])


def test_the_codes_are_those_that_pyhf_takes() -> None:
    """pyhf itself refuses every other code of its collection for the modifier."""
    codes = [name for name in dir(pyhf.interpolators) if name.startswith("code")]
    assert accepted(normsys_combined, codes) == set(NORMSYS)
    assert accepted(histosys_combined, codes) == set(HISTOSYS)


def accepted(combined: type, codes: list[str]) -> set[str]:
    model = pyhf.simplemodels.uncorrelated_background([1.0], [2.0], [0.5])
    found: set[str] = set()
    for code in codes:
        try:
            combined([], model.config, {}, interpcode=code)
        except AssertionError:
            continue
        found.add(code)
    return found


@pytest.mark.parametrize("name", NORMSYS)
@given(ALPHA, FACTOR, FACTOR)
def test_factors_are_pyhfs(name: str, alpha: float, hi: float, lo: float) -> None:
    assert one(name, alpha, hi, lo)[0] == pytest.approx(by_pyhf(name, alpha, hi, lo), rel=1e-11, abs=1e-12)


@pytest.mark.parametrize("name", HISTOSYS)
@given(ALPHA, EVENTS, EVENTS)
def test_shifts_are_pyhfs(name: str, alpha: float, hi: float, lo: float) -> None:
    assert one(name, alpha, hi, lo)[0] == pytest.approx(by_pyhf(name, alpha, hi, lo), rel=1e-12, abs=1e-10)


@pytest.mark.parametrize(("name", "kind"), ALL)
@pytest.mark.parametrize("alpha", [-1.0, 0.0, 1.0])
def test_pyhfs_value_at_the_joints(name: str, kind: str, alpha: float) -> None:
    hi, lo = (1.4, 0.7) if kind == "normsys" else (13.0, 9.0)
    assert one(name, alpha, hi, lo)[0] == pytest.approx(by_pyhf(name, alpha, hi, lo), rel=1e-12, abs=1e-12)


@pytest.mark.parametrize(("name", "kind"), ALL)
@pytest.mark.parametrize("alpha", [-2.3, -1.2, -0.6, -0.01, 0.01, 0.5, 1.1, 3.0])
def test_derivatives_between_the_joints(name: str, kind: str, alpha: float) -> None:
    hi, lo = (1.4, 0.7) if kind == "normsys" else (13.0, 9.0)
    step = 1e-5
    _, slope, curvature = one(name, alpha, hi, lo)
    above, below = one(name, alpha + step, hi, lo), one(name, alpha - step, hi, lo)
    assert slope == pytest.approx((above[0] - below[0]) / (2 * step), rel=1e-8, abs=1e-9)
    assert curvature == pytest.approx((above[1] - below[1]) / (2 * step), rel=1e-7, abs=1e-9)


@pytest.mark.parametrize("name", ["code0", "code1"])
def test_the_mean_of_both_sides_at_the_kink(name: str) -> None:
    hi, lo = (1.4, 0.7) if name in NORMSYS else (13.0, 9.0)
    sides = [one(name, alpha, hi, lo) for alpha in (1e-9, -1e-9)]
    assert abs(sides[0][1] - sides[1][1]) > 0.01
    for order in (1, 2):
        expected = 0.5 * (sides[0][order] + sides[1][order])
        assert one(name, 0.0, hi, lo)[order] == pytest.approx(expected, rel=1e-6)


@pytest.mark.parametrize(("name", "kind"), ALL)
def test_parameters_broadcast_against_batches(name: str, kind: str) -> None:
    """Tables of shape (n, 1) with parameters of shape (n, batch) are n times batch single calls."""
    rng = np.random.default_rng(0)
    low, high = (0.5, 1.5) if kind == "normsys" else (2.0, 20.0)
    alpha = np.concatenate([rng.uniform(-3, 3, (4, 5)), np.tile([-1.0, 0.0, 1.0], (4, 1))], axis=1)
    hi, lo = rng.uniform(low, high, (2, 4, 1))
    found = interpolated(name, alpha, hi, lo)
    for order in range(3):
        assert found[order].shape == alpha.shape
        single = [
            [one(name, a, h, d)[order] for a in row] for row, (h,), (d,) in zip(alpha, hi, lo, strict=True)
        ]
        np.testing.assert_allclose(found[order], single, rtol=1e-12, atol=1e-13)
    assert np.isfinite(found).all()


def test_code2_jumps_where_pyhfs_does() -> None:
    """The straight pieces do not meet the parabola: a fit can end at the jump (scikit-hep/pyhf#2729)."""
    inside, outside = one("code2", 1.0, 13.0, 9.0)[0], one("code2", 1.0 + 1e-9, 13.0, 9.0)[0]
    assert inside == pytest.approx(3.0)
    assert outside == pytest.approx(0.0, abs=1e-6)
