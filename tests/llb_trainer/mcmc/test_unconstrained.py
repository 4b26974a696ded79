"""Bounded parameters as free numbers: one to one, with the right Jacobian, also beside walls."""

from __future__ import annotations

import jax
import jax.numpy as jnp
import numpy as np

from llb_trainer.chains import Parameter
from llb_trainer.mcmc.unconstrained import Unconstrained

CHANGE = Unconstrained.of(
    (
        Parameter("free"),
        Parameter("positive", bounds=(0.0, None)),
        Parameter("below", bounds=(None, -2.0)),
        Parameter("between", bounds=(1.0, 1.001)),
        Parameter("far away", bounds=(91.0, None)),
    )
)


def test_there_and_back() -> None:
    theta = np.array([[-3.0, 1e-6, -2.5, 1.0002, 91.2], [1e5, 4e4, -1e4, 1.0009, 100.0]])
    with jax.enable_x64(True):
        back = jax.vmap(CHANGE.physical)(jnp.asarray(CHANGE.free(theta)))
    np.testing.assert_allclose(back, theta, rtol=1e-12)


def test_every_free_number_is_inside() -> None:
    free = np.random.default_rng(0).uniform(-30, 30, (200, 5))
    with jax.enable_x64(True):
        theta = np.asarray(jax.vmap(CHANGE.physical)(jnp.asarray(free)))
    assert (theta >= CHANGE.lower).all()
    assert (theta <= CHANGE.upper).all()


def test_the_jacobian_is_the_automatic_one() -> None:
    generator = np.random.default_rng(0)
    with jax.enable_x64(True):
        jacobian, logarithm = jax.jit(jax.jacobian(CHANGE.physical)), jax.jit(CHANGE.log_jacobian)
        slope = jax.jit(jax.grad(CHANGE.log_jacobian))
        for _ in range(10):
            free = jnp.asarray(generator.uniform(-8, 8, 5))
            matrix = np.asarray(jacobian(free))
            assert np.count_nonzero(matrix - np.diag(np.diag(matrix))) == 0
            expected = np.log(np.abs(np.diag(matrix))).sum()
            np.testing.assert_allclose(float(logarithm(free)), expected, rtol=1e-10)
            assert np.isfinite(np.asarray(slope(free))).all()


def test_on_a_wall_it_is_beside_it() -> None:
    on = np.array([0.0, 0.0, -2.0, 1.0, 91.0])
    assert np.isfinite(CHANGE.free(on)).all()
