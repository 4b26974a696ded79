"""Modes and curvature, whatever the scales."""

from __future__ import annotations

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jax import Array

from llb_schema import FindingError
from llb_trainer.mcmc import laplace

SCALES = np.array([1e-4, 3.0, 0.02, 1.0, 500.0])
CENTRE = np.array([0.118, -4.0, 91.2, 0.0, 2e5])
ROOT = np.linalg.cholesky(0.4 * np.eye(5) + 0.6) * SCALES[:, None]


def quadratic(x: Array) -> Array:
    q = jnp.linalg.solve(ROOT, x - CENTRE)
    return 7.0 - 0.5 * jnp.sum(q**2)


def test_a_quadratic_of_very_different_scales() -> None:
    with jax.enable_x64(True):
        found = laplace(quadratic, CENTRE + 20 * SCALES * np.array([1, -1, 1, 0.5, -1]))
    assert found.value == pytest.approx(7.0, abs=1e-6)
    np.testing.assert_allclose((found.mode - CENTRE) / SCALES, 0.0, atol=1e-3)
    covariance = found.root @ found.root.T
    np.testing.assert_allclose(covariance / np.outer(SCALES, SCALES), 0.4 * np.eye(5) + 0.6, atol=1e-6)


def test_a_saddle_at_the_start_is_left() -> None:
    """Between two modes the curvature has the wrong sign; it counts by its size."""

    def modes(x: Array) -> Array:
        return jnp.logaddexp(-0.5 * jnp.sum((x - 2.0) ** 2), -0.5 * jnp.sum((x + 2.0) ** 2))

    with jax.enable_x64(True):
        found = laplace(modes, np.array([0.01, 0.0]))
    np.testing.assert_allclose(np.abs(found.mode), 2.0, atol=1e-2)
    assert found.distance < 1e-8


def test_where_there_is_nothing() -> None:
    def nothing(x: Array) -> Array:
        return jnp.where(x[0] > 0, -jnp.sum(x**2), -jnp.inf)

    def flat(x: Array) -> Array:
        return 0.0 * jnp.sum(x)

    with jax.enable_x64(True):
        for function in (nothing, flat):
            with pytest.raises(FindingError) as error:
                laplace(function, np.array([-1.0, 0.0]))
            assert [item.code for item in error.value.findings] == ["LLB-L220"]
