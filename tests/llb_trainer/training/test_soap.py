"""SOAP finds the directions in which a loss is steep and flat, where Adam knows the axes only."""

from __future__ import annotations

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest

from llb_trainer.training.soap import SoapState, renewed, scale_by_soap


def rotated(seed: int) -> jax.Array:
    return jnp.asarray(np.linalg.qr(np.random.default_rng(seed).normal(size=(6, 6)))[0], jnp.float32)


LEFT, RIGHT, SCALE = rotated(1), rotated(2), jnp.logspace(0, -2, 6)
TARGET = jnp.asarray(np.random.default_rng(3).normal(size=(2, 6, 6)), jnp.float32)


def loss(params: dict[str, jax.Array]) -> jax.Array:
    away = LEFT @ (params["kernel"] - TARGET) @ RIGHT
    steep = SCALE[:, None] * away * SCALE
    return jnp.sum(steep**2) + jnp.sum((params["bias"] - 1.0) ** 2)


def descended(optimizer: optax.GradientTransformation, steps: int = 400) -> float:
    params = {"kernel": jnp.zeros((2, 6, 6)), "bias": jnp.zeros((2, 3))}
    chain = optax.chain(optimizer, optax.scale_by_learning_rate(optax.cosine_decay_schedule(0.1, steps)))
    state = chain.init(params)
    step = jax.jit(lambda p, s: chain.update(jax.grad(loss)(p), s, p))
    for number in range(steps):
        updates, state = step(params, state)
        params = optax.apply_updates(params, updates)
        if number % 20 == 19 and isinstance(state[0], SoapState):
            state = (renewed(state[0]), *state[1:])
    return float(loss(params))


def test_it_ends_far_below_adam_on_a_rotated_valley() -> None:
    soap = descended(scale_by_soap())
    assert soap < 0.1 * descended(optax.scale_by_adam(0.95, 0.95))
    assert soap < 1e-4


def test_bases_are_orthonormal_and_diagonalise() -> None:
    rng = np.random.default_rng(4)
    params = {"kernel": jnp.zeros((2, 5, 3)), "bias": jnp.zeros((2, 3))}
    transformation = scale_by_soap()
    state = transformation.init(params)
    for _ in range(5):
        grads = jax.tree.map(lambda p: jnp.asarray(rng.normal(size=p.shape), jnp.float32), params)
        _, state = transformation.update(grads, state)
    assert isinstance(state, SoapState)
    state = renewed(state)
    basis, matrix = np.asarray(state.left_basis["kernel"]), np.asarray(state.left["kernel"])
    np.testing.assert_allclose(basis.mT @ basis, np.broadcast_to(np.eye(5), (2, 5, 5)), atol=1e-5)
    turned = basis.mT @ matrix @ basis
    assert np.abs(turned - turned * np.eye(5)).max() < 1e-4
    assert state.left_basis["bias"].shape == ()


def test_what_is_no_stack_of_matrices_gets_adam() -> None:
    params = {"bias": jnp.array([[1.0, -2.0]])}
    grads = {"bias": jnp.array([[0.3, -4.0]])}
    updates, _ = scale_by_soap().update(grads, scale_by_soap().init(params))
    assert isinstance(updates, dict)
    assert np.asarray(updates["bias"]) == pytest.approx(np.sign(np.asarray(grads["bias"])), rel=1e-5)
