"""What JAX has compiled, at many points: in blocks of one size, as another would be compiled anew."""

from __future__ import annotations

from collections.abc import Callable

import jax.numpy as jnp
import numpy as np
from jax import Array
from numpy.typing import NDArray

__all__ = ["in_blocks"]

Floats = NDArray[np.float64]


def in_blocks(function: Callable[[Array], Array], points: Floats, size: int = 2048) -> Floats:
    """A function of points, (n, D) to (n, ...), `size` points at a time."""
    blocks = np.resize(points, (-(-len(points) // size), size, points.shape[1]))
    return np.concatenate([np.asarray(function(jnp.asarray(block))) for block in blocks])[: len(points)]
