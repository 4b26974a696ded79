from __future__ import annotations

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from llb_trainer.flows.modules import rational_quadratic
from llb_trainer.flows.spline import MIN_SLOPE, spline, spline_inverse

BOX = 3.0


def raw(bins: int, size: float, n: int = 500) -> np.ndarray:
    return size * np.random.default_rng(bins).standard_normal((n, 3 * bins - 1))


def points(n: int = 500) -> np.ndarray:
    return np.linspace(-1.5 * BOX, 1.5 * BOX, n)


@pytest.mark.parametrize("bins", [2, 3, 8, 32])
def test_the_inverse_undoes_it(bins: int) -> None:
    numbers = raw(bins, 1.5)
    y, _ = spline(points(), numbers, BOX)
    np.testing.assert_allclose(spline_inverse(y, numbers, BOX), points(), atol=1e-10)
    assert np.abs(y - points()).max() > 0.3


@pytest.mark.parametrize("bins", [2, 8])
def test_the_slope_is_that_of_the_spline(bins: int) -> None:
    with jax.enable_x64(True):
        slope = jax.vmap(jax.grad(lambda x, numbers: rational_quadratic(x, numbers, BOX)[0]))
        exact = np.asarray(slope(jnp.asarray(points()), jnp.asarray(raw(bins, 1.0))))
        assert exact.dtype == np.float64
    np.testing.assert_allclose(np.exp(spline(points(), raw(bins, 1.0), BOX)[1]), exact, rtol=1e-11)
    assert exact.min() > 0


def test_zeros_are_the_identity_and_so_is_the_outside() -> None:
    y, log_slope = spline(points(), np.zeros((500, 23)), BOX)
    np.testing.assert_allclose(y, points(), atol=1e-14)
    np.testing.assert_allclose(log_slope, 0.0, atol=1e-13)
    y, log_slope = spline(points(), raw(8, 2.0), BOX)
    outside = np.abs(points()) > BOX
    assert np.array_equal(y[outside], points()[outside])
    assert not log_slope[outside].any()


def test_it_is_continuous_at_the_ends_of_the_box() -> None:
    at = np.repeat([-BOX, BOX], 250)
    y, log_slope = spline(at, raw(8, 2.0), BOX)
    np.testing.assert_allclose(y, at, atol=1e-12)
    np.testing.assert_allclose(log_slope, 0.0, atol=1e-8)


@pytest.mark.parametrize("size", [1.0, 30.0, 1e4, 1e30])
def test_no_raw_number_makes_a_nan(size: float) -> None:
    with jax.enable_x64(False):
        numbers = jnp.asarray(np.clip(raw(8, size), -1e18, 1e18), jnp.float32)
        at = jnp.asarray(points(), jnp.float32)

        def total(numbers: jax.Array, at: jax.Array) -> jax.Array:
            y, log_slope = rational_quadratic(at, numbers, BOX)
            return jnp.sum(y) + jnp.sum(log_slope)

        value, gradients = jax.value_and_grad(total, argnums=(0, 1))(numbers, at)
        assert np.isfinite(value)
        assert all(np.isfinite(np.asarray(part)).all() for part in gradients)
    y, log_slope = spline(points(), raw(8, size), BOX)
    assert np.isfinite(y).all()
    assert np.isfinite(log_slope).all()
    if size < 1e6:
        assert np.isfinite(spline_inverse(points(), raw(8, size), BOX)).all()


def test_slopes_have_a_floor() -> None:
    _, log_slope = spline(np.zeros(1), np.concatenate([np.zeros((1, 8)), np.full((1, 3), -1e6)], axis=1), BOX)
    assert np.exp(log_slope[0]) == pytest.approx(MIN_SLOPE, rel=1e-2)
