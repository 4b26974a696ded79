"""The inverse of a batch of Gauss-Newton matrices, in the smaller of the spaces of bins and of parameters."""

from __future__ import annotations

from typing import NamedTuple

import jax
import jax.numpy as jnp
from jax import Array

__all__ = ["Inverse", "inverse_of", "solve"]


class Inverse(NamedTuple):
    """The inverse of `diag(root^2) + scaled^T scaled`.

    Attributes:
        root: (P, n).
        whitened: (n_bins, P, n), `W = scaled / root`.
        factor: (n, rank, rank) Cholesky factor of `1 + W W^T` or `1 + W^T W`, whichever is smaller.
    """

    root: Array
    whitened: Array
    factor: Array


def inverse_of(scaled: Array, diagonal: Array) -> Inverse:
    """The inverse of `diagonal + scaled^T scaled`, in the smaller of the spaces of bins and of parameters.

    With `W = scaled / sqrt(diagonal)` it is `(1 + W^T W)^-1`, between the same roots. Where there are fewer
    bins, this is `1 - W^T (1 + W W^T)^-1 W` (Woodbury).

    Args:
        scaled: (n_bins, P, n).
        diagonal: (P, n), positive.
    """
    root = jnp.sqrt(diagonal)
    whitened = scaled / root
    n_bins, n_parameters, _ = scaled.shape
    # the batch goes first, as linear algebra likes it
    rows = jnp.moveaxis(whitened, 2, 0)
    inner = "nbp,ncp->nbc" if n_bins < n_parameters else "nbp,nbq->npq"
    square = jnp.einsum(inner, rows, rows) + jnp.eye(min(n_bins, n_parameters))
    return Inverse(root, whitened, jnp.linalg.cholesky(square, symmetrize_input=False))


def solve(inverse: Inverse, vector: Array) -> Array:
    """The matrix' solution for `vector` (P, n)."""
    root, whitened, factor = inverse
    given = vector / root
    if len(whitened) >= len(root):
        return _inside(factor, given) / root
    across = _inside(factor, jnp.sum(whitened * given, axis=1))
    return (given - jnp.sum(whitened * across[:, None], axis=0)) / root


def _inside(factor: Array, vector: Array) -> Array:
    """The solution (rank, n) in the smaller of the spaces."""
    return jax.scipy.linalg.cho_solve((factor, True), vector.T[:, :, None])[:, :, 0].T
