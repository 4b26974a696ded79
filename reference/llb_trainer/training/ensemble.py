"""The trainable part in Flax: an ensemble of small networks, evaluated together."""

from __future__ import annotations

from itertools import pairwise

import jax
import jax.numpy as jnp
from flax import nnx
from jax import Array

__all__ = ["Ensemble", "silu"]


def silu(x: Array) -> Array:
    """SiLU through tanh: the form in which it is exported (see `llb_trainer.export`)."""
    return x * (0.5 + 0.5 * jnp.tanh(0.5 * x))


class _Layer(nnx.Module):
    """A dense layer of every member: kernel (members, n_in, n_out), bias (members, n_out)."""

    def __init__(self, members: int, n_in: int, n_out: int, gain: float, rngs: nnx.Rngs) -> None:
        normal = jax.random.normal(rngs.params(), (members, n_in, n_out), jnp.float32)
        self.kernel = nnx.Param(gain * normal / jnp.sqrt(jnp.float32(n_in)))
        self.bias = nnx.Param(jnp.zeros((members, n_out), jnp.float32))

    def __call__(self, x: Array) -> Array:
        return x @ self.kernel[...] + self.bias[...][:, None, :]


class Ensemble(nnx.Module):
    """Multilayer perceptrons with SiLU, one per member.

    Args:
        members: how many.
        n_in, width, depth, n_out: shape of each; `depth` hidden layers.
        rngs: source of the initial weights.
    """

    def __init__(self, members: int, n_in: int, width: int, depth: int, n_out: int, rngs: nnx.Rngs) -> None:
        sizes = [n_in, *[width] * depth]
        hidden = [_Layer(members, a, b, 1.5, rngs) for a, b in pairwise(sizes)]
        self.layers = nnx.List([*hidden, _Layer(members, width, n_out, 0.1, rngs)])
        # the ratio to be learned is 1 near zero signal
        self.layers[-1].bias[...] = jnp.ones((members, n_out), jnp.float32)

    def __call__(self, z: Array) -> Array:
        """Outputs (members, n, n_out) at inputs z, (n, n_in) or (members, n, n_in)."""
        x = jnp.broadcast_to(z, (self.layers[0].kernel.shape[0], *z.shape[-2:]))
        *hidden, last = self.layers
        for layer in hidden:
            x = silu(layer(x))
        return last(x)
