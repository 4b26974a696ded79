"""The trainable part in Flax: an ensemble of networks, evaluated together."""

from __future__ import annotations

from itertools import pairwise

import jax
import jax.numpy as jnp
from flax import nnx
from jax import Array

from llb_trainer.training.branches import Branches

__all__ = ["Ensemble", "squareplus"]


def squareplus(x: Array) -> Array:
    """A smooth ramp, 0 at 0, that learns as well as SiLU and spares serving its tanh, the slowest part.

    J. Barron, Squareplus: A Softplus-Like Algebraic Rectifier (arXiv:2112.11687), with b = 1, less its value
    at 0, without which errors are a third larger.
    """
    return 0.5 * (x + jnp.sqrt(x * x + 1.0) - 1.0)


class _Layer(nnx.Module):
    """A dense layer of every member: kernel (members, n_in, n_out), bias (members, n_out)."""

    def __init__(self, members: int, n_in: int, n_out: int, gain: float, rngs: nnx.Rngs) -> None:
        normal = jax.random.normal(rngs.params(), (members, n_in, n_out), jnp.float32)
        self.kernel = nnx.Param(gain * normal / jnp.sqrt(jnp.float32(n_in)))
        self.bias = nnx.Param(jnp.zeros((members, n_out), jnp.float32))

    def __call__(self, x: Array) -> Array:
        return x @ self.kernel[...] + self.bias[...][:, None, :]


class Ensemble(nnx.Module):
    """Multilayer perceptrons with squareplus, one per member, and where each branch starts at zero signal.

    Args:
        members: how many.
        n_in, width, depth: shape of each; `depth` hidden layers.
        branches: of all curves; one output each.
        rngs: source of the initial weights.
    """

    def __init__(
        self, members: int, n_in: int, width: int, depth: int, branches: Branches, rngs: nnx.Rngs
    ) -> None:
        sizes = [n_in, *[width] * depth]
        hidden = [_Layer(members, a, b, 1.5, rngs) for a, b in pairwise(sizes)]
        self.layers = nnx.List([*hidden, _Layer(members, width, len(branches), 0.1, rngs)])
        self.offset = nnx.Param(jnp.ones((members, len(branches)), jnp.float32))
        self.gain = nnx.Param(jnp.ones((members, len(branches)), jnp.float32))
        self.tilt = nnx.Param(jnp.zeros((members, n_in, len(branches)), jnp.float32))

    def __call__(self, z: Array) -> Array:
        """Outputs (members, n, n_branches) at inputs z, (n, n_in)."""
        x = jnp.broadcast_to(z, (self.layers[0].kernel.shape[0], *z.shape))
        *hidden, last = self.layers
        for layer in hidden:
            x = squareplus(layer(x))
        return last(x)
