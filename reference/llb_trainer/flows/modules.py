"""The trainable part of a flow in Flax: the masked networks of all bijectors, and the density."""

from __future__ import annotations

from itertools import pairwise

import jax
import jax.numpy as jnp
import numpy as np
from flax import nnx
from jax import Array

from llb_trainer.flows.flow import MAX_LOG_SCALE, Network
from llb_trainer.flows.layout import Layout
from llb_trainer.flows.spline import MIN_SIZE, MIN_SLOPE

__all__ = ["Bijectors", "rational_quadratic"]


class Bijectors(nnx.Module):
    """Bijectors that start as the identity.

    Weights of the same layer of all bijectors are one array, (bijectors, n_in, n_out), which is what SOAP
    takes for a stack of matrices. Masks are applied at every use, so that no step of an optimiser can break
    them.

    Args:
        layout: shapes and orders.
        rngs: source of the initial weights.
    """

    def __init__(self, layout: Layout, rngs: nnx.Rngs) -> None:
        self.layout = layout
        kernels, biases, conditioning = [], [], []
        for layer, (n_in, n_out) in enumerate(pairwise(layout.sizes)):
            masks = self._masks(layer)
            shape = (len(layout.orders), n_in, n_out)
            # The last layer starts at 0: shift 0, log scale 0, and the spline that is the identity.
            last = layer == len(layout.widths)
            seen = np.maximum(masks.sum(axis=1, keepdims=True) + layout.conditions, 1)
            gain = jnp.asarray(0.0 if last else 1.5 / np.sqrt(seen), jnp.float32)
            kernels.append(nnx.Param(gain * jax.random.normal(rngs.params(), shape, jnp.float32)))
            biases.append(nnx.Param(jnp.zeros((shape[0], n_out), jnp.float32)))
            if layout.conditions:
                given = (shape[0], layout.conditions, n_out)
                conditioning.append(nnx.Param(gain * jax.random.normal(rngs.params(), given, jnp.float32)))
        self.kernels, self.biases = nnx.List(kernels), nnx.List(biases)
        self.conditioning = nnx.List(conditioning)

    def __call__(self, x: Array, condition: Array | None = None) -> tuple[Array, Array]:
        """z, (n, D), and ln |det dz/dx|, (n,), of white points (n, D) and standardised conditions."""
        layout = self.layout
        log_slope = jnp.zeros(len(x), x.dtype)
        for number in range(len(layout.orders)):
            hidden = x
            for layer, mask in enumerate(layout.masks(number)):
                kernel = jnp.where(mask, self.kernels[layer][...][number], 0)
                hidden = hidden @ kernel + self.biases[layer][...][number]
                if condition is not None:
                    hidden = hidden + condition @ self.conditioning[layer][...][number]
                if layer < len(layout.widths):
                    # Centred, which learns better; `networks` moves the constants into the weights.
                    hidden = 0.5 * (hidden + jnp.sqrt(hidden * hidden + 1.0) - 1.0)
            numbers = hidden.reshape(len(x), layout.columns, layout.numbers)
            log_scale = jnp.clip(numbers[..., 1], -MAX_LOG_SCALE, MAX_LOG_SCALE)
            x = (x - numbers[..., 0]) * jnp.exp(-log_scale)
            log_slope = log_slope - log_scale.sum(axis=1)
            if layout.bins:
                x, more = rational_quadratic(x, numbers[..., 2:], layout.box)
                log_slope = log_slope + more.sum(axis=1)
        return x, log_slope

    def log_prob(self, x: Array, condition: Array | None = None) -> Array:
        """ln of the density on the white scale, (n,)."""
        z, log_slope = self(x, condition)
        return log_slope - 0.5 * jnp.sum(z * z, axis=1) - 0.5 * self.layout.columns * np.log(2.0 * np.pi)

    def absolute(self) -> Array:
        """Sum of the absolute values of all weights that a mask allows, biases not counted."""
        total = jnp.zeros(())
        for layer, kernel in enumerate(self.kernels):
            total = total + jnp.sum(jnp.abs(kernel[...]) * self._masks(layer))
        for kernel in self.conditioning:
            total = total + jnp.sum(jnp.abs(kernel[...]))
        return total

    def networks(self) -> tuple[Network, ...]:
        """The networks as plain numbers, with masks and the activation's constants multiplied in."""
        found: list[Network] = []
        for number in range(len(self.layout.orders)):
            kernels, biases, conditioning = [], [], []
            for layer, mask in enumerate(self.layout.masks(number)):
                kernel = np.where(mask, np.asarray(self.kernels[layer][...][number], np.float64), 0.0)
                bias = np.asarray(self.biases[layer][...][number], np.float64)
                if layer:
                    # 0.5 (h - 1) of the activation h = x + sqrt(x^2 + 1).
                    kernel, bias = 0.5 * kernel, bias - 0.5 * kernel.sum(axis=0)
                kernels.append(kernel)
                biases.append(bias)
                if self.layout.conditions:
                    conditioning.append(np.asarray(self.conditioning[layer][...][number], np.float64))
            found.append(Network(tuple(kernels), tuple(biases), tuple(conditioning)))
        return tuple(found)

    def _masks(self, layer: int) -> np.ndarray:
        return np.stack([self.layout.masks(number)[layer] for number in range(len(self.layout.orders))])


def rational_quadratic(x: Array, raw: Array, box: float) -> tuple[Array, Array]:
    """As `llb_trainer.flows.spline.spline`, with finite gradients everywhere.

    The bin is picked by sums over a one-hot mask: the gradient of an indexed look-up would be a scatter.
    """
    bins = (raw.shape[-1] + 1) // 3
    sizes = [
        2.0 * box * (MIN_SIZE + (1.0 - MIN_SIZE * bins) * jax.nn.softmax(part, axis=-1))
        for part in (raw[..., :bins], raw[..., bins : 2 * bins])
    ]
    edges = [jnp.cumsum(size, axis=-1) - size - box for size in sizes]
    inner = raw[..., 2 * bins :]
    rising = MIN_SLOPE + (1.0 - MIN_SLOPE) * 0.5 * (inner + jnp.sqrt(inner * inner + 4.0))
    ends = jnp.ones((*inner.shape[:-1], 1), raw.dtype)
    within = jnp.clip(x, -box, box)
    reached = within[..., None] >= edges[0]
    # The first bin counts as reached whatever rounding has made of its edge.
    reached = reached.at[..., 0].set(True)
    following = jnp.concatenate([reached[..., 1:], jnp.zeros_like(reached[..., :1])], axis=-1)
    here = reached & ~following

    def pick(values: Array) -> Array:
        return jnp.sum(jnp.where(here, values, 0), axis=-1)

    width, height = pick(sizes[0]), pick(sizes[1])
    left = pick(jnp.concatenate([ends, rising], axis=-1))
    right = pick(jnp.concatenate([rising, ends], axis=-1))
    across = height / width
    bend = left + right - 2.0 * across
    xi = jnp.clip((within - pick(edges[0])) / width, 0.0, 1.0)
    product = xi * (1.0 - xi)
    below = across + bend * product
    y = pick(edges[1]) + height * (across * xi * xi + left * product) / below
    slope = right * xi * xi + 2.0 * across * product + left * (1.0 - xi) ** 2
    log_slope = 2.0 * jnp.log(across) + jnp.log(slope) - 2.0 * jnp.log(below)
    inside = within == x
    return jnp.where(inside, y, x), jnp.where(inside, log_slope, 0)
