"""HistFactory interpolation between the -1, 0 and +1 sigma templates, with two derivatives.

The codes of CERN-OPEN-2012-016 and of ROOT's HistFactory, as pyhf evaluates them: 1 and 4 for factors
(normsys), 0, 2 and 4p for shifts (histosys). Arrays may have any shapes that broadcast against each other;
every code returns (value, slope, curvature). At the kink of codes 0 and 1, alpha = 0, the derivatives are the
mean of both sides; at |alpha| = 1 they are those of the side that holds the value.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType

import jax.numpy as jnp
import numpy as np
from jax import Array
from numpy.typing import NDArray

__all__ = [
    "HISTOSYS",
    "NORMSYS",
    "code0",
    "code1",
    "code2",
    "code4",
    "code4_coefficients",
    "code4p",
    "shifting",
]


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


def code1(alpha: Array, log_hi: Array, log_lo: Array, _coefficients: Array) -> tuple[Array, Array, Array]:
    """Factor of a normsys, exponential on both sides of alpha = 0, and two derivatives.

    Args:
        alpha: parameters.
        log_hi, log_lo: logarithms of the factors at +1 and -1.
        _coefficients: not used; here for the signature that the normsys codes share.
    """
    rate = jnp.where(alpha > 0, log_hi, -log_lo)
    value = jnp.exp(rate * alpha)
    slope = jnp.where(alpha == 0, 0.5 * (log_hi - log_lo), rate)
    curvature = jnp.where(alpha == 0, 0.5 * (log_hi**2 + log_lo**2), rate**2)
    return value, slope * value, curvature * value


def code4(alpha: Array, log_hi: Array, log_lo: Array, coefficients: Array) -> tuple[Array, Array, Array]:
    """Factor of a normsys (polynomial inside |alpha| < 1, exponential outside) and two derivatives.

    Args:
        alpha: parameters.
        log_hi, log_lo: logarithms of the factors at +1 and -1.
        coefficients: from `code4_coefficients`, the six powers first.
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


def code0(alpha: Array, up: Array, down: Array) -> tuple[Array, Array, Array]:
    """Shift of a histosys, linear on both sides of alpha = 0, and two derivatives.

    Args:
        alpha: parameters.
        up, down: slopes above and below 0.
    """
    side = jnp.where(alpha > 0, up, down)
    value = side * alpha
    slope = jnp.where(alpha == 0, 0.5 * (up + down), side)
    return value, slope, jnp.zeros_like(value)


def code2(alpha: Array, up: Array, down: Array) -> tuple[Array, Array, Array]:
    """Shift of a histosys (parabola inside |alpha| <= 1, linear outside) and two derivatives.

    The straight pieces are pyhf's, to the number: with S the mean and A half the difference of `up` and
    `down`, `(S + 2 A) (alpha - 1)` above 1 and `(S - 2 A) alpha` below -1. They do not join the parabola:
    the shift jumps at both ends, unlike ROOT's.

    Args:
        alpha: parameters.
        up, down: shift at +1 sigma, and minus the shift at -1 sigma.
    """
    mean, half = 0.5 * (up + down), 0.5 * (up - down)
    above, below = alpha > 1, alpha < -1
    outer = jnp.where(above, mean + 2 * half, mean - 2 * half)
    outside = outer * jnp.where(above, alpha - 1, alpha)
    inside = ~(above | below)
    return (
        jnp.where(inside, alpha * (mean + alpha * half), outside),
        jnp.where(inside, mean + 2 * alpha * half, outer),
        jnp.where(inside, 2 * half, 0.0),
    )


def code4p(alpha: Array, up: Array, down: Array) -> tuple[Array, Array, Array]:
    """Shift of a histosys (polynomial inside |alpha| < 1, linear outside) and two derivatives.

    Args:
        alpha: parameters.
        up, down: slopes above +1 and below -1.
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


NORMSYS: Mapping[str, Callable[[Array, Array, Array, Array], tuple[Array, Array, Array]]] = MappingProxyType(
    {"code1": code1, "code4": code4}
)
"""The normsys codes that pyhf knows: `f(alpha, log_hi, log_lo, coefficients)`."""

HISTOSYS: Mapping[str, Callable[[Array, Array, Array], tuple[Array, Array, Array]]] = MappingProxyType(
    {"code0": code0, "code2": code2, "code4p": code4p}
)
"""The histosys codes that pyhf knows: `f(alpha, up, down)`; up = hi - nominal, down = nominal - lo."""


def shifting(code: str, alpha: Array) -> tuple[tuple[Array, Array, Array], tuple[Array, Array, Array]]:
    """What multiplies the mean of a histosys' two shifts, and their difference, at `alpha`.

    Every code is linear in the shifts: value, slope and curvature of each.
    """
    one, half = jnp.ones_like(alpha), jnp.full_like(alpha, 0.5)
    return HISTOSYS[code](alpha, one, one), HISTOSYS[code](alpha, half, -half)
