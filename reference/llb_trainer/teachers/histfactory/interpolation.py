"""HistFactory interpolation between the -1, 0 and +1 sigma templates, with two derivatives.

Codes 4 and 4p of CERN-OPEN-2012-016 and of ROOT's HistFactory, as pyhf evaluates them.
"""

from __future__ import annotations

import jax.numpy as jnp
import numpy as np
from jax import Array
from numpy.typing import NDArray

__all__ = ["code4", "code4_coefficients", "code4p"]


def code4_coefficients(hi: NDArray[np.float64], lo: NDArray[np.float64]) -> NDArray[np.float64]:
    """Coefficients a1..a6 of `1 + sum a_i alpha^i` for |alpha| < 1, shape (6, n).

    Value, slope and curvature join those of `hi**alpha` at +1 and of `lo**-alpha` at -1.
    """
    powers = np.arange(1, 7)
    matrix = np.vstack(
        [
            np.ones(6),
            (-1.0) ** powers,
            powers,
            powers * (-1.0) ** (powers - 1),
            powers * (powers - 1),
            powers * (powers - 1) * (-1.0) ** powers,
        ]
    )
    log_hi, log_lo = np.log(hi), np.log(lo)
    joins = np.vstack([hi - 1, lo - 1, log_hi * hi, -log_lo * lo, log_hi**2 * hi, log_lo**2 * lo])
    return np.asarray(np.linalg.solve(matrix, joins), dtype=np.float64)


def code4(alpha: Array, log_hi: Array, log_lo: Array, coefficients: Array) -> tuple[Array, Array, Array]:
    """Factor of a normsys (polynomial inside |alpha| < 1, exponential outside) and two derivatives.

    Args:
        alpha: shape (n,).
        log_hi, log_lo: shape (n,), logarithms of the factors at +1 and -1.
        coefficients: shape (6, n) from `code4_coefficients`.
    """
    a1, a2, a3, a4, a5, a6 = coefficients
    x = alpha
    value = 1 + x * (a1 + x * (a2 + x * (a3 + x * (a4 + x * (a5 + x * a6)))))
    slope = a1 + x * (2 * a2 + x * (3 * a3 + x * (4 * a4 + x * (5 * a5 + x * 6 * a6))))
    curvature = 2 * a2 + x * (6 * a3 + x * (12 * a4 + x * (20 * a5 + x * 30 * a6)))
    rate = jnp.where(x >= 0, log_hi, -log_lo)
    outside = jnp.exp(rate * x)
    inside = jnp.abs(x) < 1
    return (
        jnp.where(inside, value, outside),
        jnp.where(inside, slope, rate * outside),
        jnp.where(inside, curvature, rate * rate * outside),
    )


def code4p(alpha: Array, up: Array, down: Array) -> tuple[Array, Array, Array]:
    """Shift of a histosys (polynomial inside |alpha| < 1, linear outside) and two derivatives.

    Args:
        alpha: shape (n,).
        up, down: shape (n,), slopes above +1 and below -1.
    """
    mean, skew = 0.5 * (up + down), 0.0625 * (up - down)
    x, x2 = alpha, alpha * alpha
    value = x * (mean + skew * x * (15 + x2 * (3 * x2 - 10)))
    slope = mean + skew * x * (30 + x2 * (18 * x2 - 40))
    curvature = skew * (30 + x2 * (90 * x2 - 120))
    outside = jnp.where(x > 0, up, down)
    inside = jnp.abs(x) <= 1
    return (
        jnp.where(inside, value, outside * x),
        jnp.where(inside, slope, outside),
        jnp.where(inside, curvature, 0.0),
    )
