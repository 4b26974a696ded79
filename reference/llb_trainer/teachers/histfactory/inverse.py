"""The inverse of a batch of Gauss-Newton matrices, in the smaller of the spaces of bins and of parameters."""

from __future__ import annotations

from typing import NamedTuple

import jax.numpy as jnp
from jax import Array

__all__ = ["Inverse", "inverse_of", "solve"]


class Inverse(NamedTuple):
    """The inverse of a matrix, `diag(base) + sign * low^T low`.

    Attributes:
        base: (P, n).
        low: (rank, P, n), the rank being the smaller of the numbers of bins and of parameters.
        sign: +1 or -1.
    """

    base: Array
    low: Array
    sign: float


def inverse_of(scaled: Array, diagonal: Array) -> Inverse:
    """The inverse of `diagonal + scaled^T scaled`, in the smaller of the spaces of bins and of parameters.

    With `W = scaled / sqrt(diagonal)` it is `(1 + W^T W)^-1`, between the same roots. Where there are fewer
    bins, this is `1 - W^T (1 + W W^T)^-1 W` (Woodbury).
    """
    root = jnp.sqrt(diagonal)
    whitened = jnp.moveaxis(scaled / root, 2, 0)
    n_bins, n_parameters = whitened.shape[1:]
    if n_bins < n_parameters:
        inner = jnp.einsum("nbp,ncp->nbc", whitened, whitened)
        low = jnp.einsum("ncb,ncp->bpn", _inverse_root(inner), whitened) / root
        return Inverse(1.0 / diagonal, low, -1.0)
    inner = jnp.einsum("nbp,nbq->npq", whitened, whitened)
    low = jnp.moveaxis(_inverse_root(inner), 0, 2).swapaxes(0, 1) / root
    return Inverse(jnp.zeros_like(diagonal), low, 1.0)


def _inverse_root(inner: Array) -> Array:
    """The transposed inverse of the Cholesky factor of `1 + inner`, (n, size, size).

    It stands below the factor of that matrix bordered by the identity: much faster than the compiler's
    batched triangular solve.
    """
    n, size, _ = inner.shape
    identity = jnp.broadcast_to(jnp.eye(size), (n, size, size))
    upper = jnp.concatenate([inner + identity, identity], axis=2)
    border = jnp.concatenate([identity, 2.0 * identity], axis=2)
    factor = jnp.linalg.cholesky(jnp.concatenate([upper, border], axis=1), symmetrize_input=False)
    return factor[:, size:, :size]


def solve(inverse: Inverse, vector: Array) -> Array:
    """The matrix' solution for `vector` (P, n)."""
    base, low, sign = inverse
    inside = jnp.sum(low * vector, axis=1)
    return base * vector + sign * jnp.sum(low * inside[:, None], axis=0)
