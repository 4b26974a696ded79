"""Asymptotic CLs: the statistic q-tilde, observed CLs, and the expected band.

Source: G. Cowan, K. Cranmer, E. Gross, O. Vitells, "Asymptotic formulae for likelihood-based tests of
new physics", arXiv:1007.1727: q-tilde is eq. (16), its asymptotic distributions are eqs. (64) to (66), the
Asimov relation sigma = mu / sqrt(q_A) is eq. (30). CLs = p_{s+b} / p_b is A. L. Read, J. Phys. G 28 (2002)
2693.

Everything works on arrays and in logarithms: root finders ask for CLs at signal strengths where its value
underflows, and the logarithm is nearly parabolic there instead of flat.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import erfcx, log_ndtr

__all__ = [
    "N_SIGMA",
    "cls_expected",
    "cls_observed",
    "log_cls_expected",
    "log_cls_expected_slope",
    "log_cls_observed",
    "log_cls_observed_slopes",
    "q_tilde",
]

Array = NDArray[np.float64]

N_SIGMA: tuple[int, int, int, int, int] = (-2, -1, 0, 1, 2)
"""The expected band: N standard deviations that background-only data fluctuate upwards.

N = -2 is the smallest CLs and the smallest upper limit.
"""

# Below this q_A the test has no power at all; sqrt(q_A) would no longer be a normal number to divide by.
_NO_POWER = np.finfo(np.float64).tiny
# Far beyond any q that can be told from certainty; infinity would turn differences into NaN.
_HUGE = 1e300


def q_tilde(delta: ArrayLike, delta_min: ArrayLike, mu: ArrayLike, mu_hat: ArrayLike) -> Array:
    """The statistic q-tilde of eq. (16), for a minimum taken over mu >= 0.

    Args:
        delta: NLL at `mu`, relative to any constant, natural-log units.
        delta_min: lowest NLL over mu >= 0, relative to the same constant.
        mu: signal strength under test, >= 0.
        mu_hat: where the minimum is, >= 0.

    Returns:
        2 (delta - delta_min) where mu >= mu_hat, between 0 and 1e300, and 0 where mu < mu_hat; NaN stays NaN.
    """
    q = 2.0 * (np.asarray(delta, dtype=np.float64) - np.asarray(delta_min, dtype=np.float64))
    above = np.asarray(mu, dtype=np.float64) >= np.asarray(mu_hat, dtype=np.float64)
    return np.where(above | np.isnan(q), np.clip(q, 0.0, _HUGE), 0.0)


def log_cls_observed(q: ArrayLike, q_asimov: ArrayLike) -> Array:
    """ln CLs of observed data.

    For q <= q_A, with r = sqrt(q), CLs = Phi(-r) / Phi(r_A - r); for q > q_A, CLs = Phi(-a) / Phi(-b) with
    a = (q + q_A) / (2 r_A) and b = (q - q_A) / (2 r_A). Since a^2 - b^2 = q, the Gaussian factors of the
    second form combine to exp(-q/2) before anything underflows, and a ratio of scaled complementary error
    functions is left.

    Args:
        q: q-tilde of the data, >= 0.
        q_asimov: q-tilde of the background-only Asimov data, same shape; negative values count as 0.

    Returns:
        ln CLs; 0 (CLs = 1) where q_A is 0, since such a test cannot exclude; NaN where an argument is NaN.
    """
    q, q_a = np.broadcast_arrays(np.asarray(q, dtype=np.float64), np.asarray(q_asimov, dtype=np.float64))
    blind = q_a < _NO_POWER
    r_a = np.sqrt(np.where(blind, 1.0, q_a))
    r = np.sqrt(q)
    near = log_ndtr(-r) - log_ndtr(np.maximum(r_a - r, 0.0))
    root8 = np.sqrt(8.0) * r_a
    far = np.log(erfcx((q + q_a) / root8)) - np.log(erfcx(np.maximum(q - q_a, 0.0) / root8)) - 0.5 * q
    value = np.where(q <= q_a, near, far)
    return np.where(blind & ~np.isnan(q), 0.0, value)


def cls_observed(q: ArrayLike, q_asimov: ArrayLike) -> Array:
    """CLs of observed data; see `log_cls_observed`."""
    return np.exp(log_cls_observed(q, q_asimov))


def log_cls_expected(q_asimov: ArrayLike, n_sigma: ArrayLike) -> Array:
    """ln CLs for background-only data that fluctuate by N standard deviations.

    Such data have r = r_A - N, so CLs(N) = Phi(N - r_A) / Phi(N).

    Args:
        q_asimov: q-tilde of the background-only Asimov data; negative values count as 0.
        n_sigma: N, broadcast against `q_asimov`.

    Returns:
        ln CLs; 0 where q_A is 0; NaN where an argument is NaN.
    """
    n = np.asarray(n_sigma, dtype=np.float64)
    r_a = np.sqrt(np.maximum(np.asarray(q_asimov, dtype=np.float64), 0.0))
    return log_ndtr(n - r_a) - log_ndtr(n)


def cls_expected(q_asimov: ArrayLike) -> Array:
    """The expected CLs for N = -2, -1, 0, +1, +2 on a new last axis; see `log_cls_expected`."""
    q_a = np.asarray(q_asimov, dtype=np.float64)
    return np.exp(log_cls_expected(q_a[..., np.newaxis], N_SIGMA))


def log_cls_observed_slopes(q: ArrayLike, q_asimov: ArrayLike) -> tuple[Array, Array]:
    """The derivatives of `log_cls_observed` with respect to sqrt(q) and to sqrt(q_A), same shape.

    In the roots they are bounded; with respect to q they are not at q = 0. Both are 0 where q_A is 0.
    """
    q, q_a = np.broadcast_arrays(np.asarray(q, dtype=np.float64), np.asarray(q_asimov, dtype=np.float64))
    blind = q_a < _NO_POWER
    r_a = np.sqrt(np.where(blind, 1.0, q_a))
    r = np.sqrt(q)
    power = _mills(r_a - r)
    near = power - _mills(-r), -power
    ratio = r / r_a
    with_signal, without = _mills(-0.5 * (ratio * r + r_a)), _mills(-0.5 * (ratio * r - r_a))
    far = (
        ratio * (without - with_signal),
        0.5 * ((ratio**2 - 1.0) * with_signal - (ratio**2 + 1.0) * without),
    )
    first, second = (np.where(q <= q_a, *both) for both in zip(near, far, strict=True))
    return np.where(blind, 0.0, first), np.where(blind, 0.0, second)


def log_cls_expected_slope(q_asimov: ArrayLike, n_sigma: ArrayLike) -> Array:
    """The derivative of `log_cls_expected` with respect to sqrt(q_A), same shape."""
    r_a = np.sqrt(np.maximum(np.asarray(q_asimov, dtype=np.float64), 0.0))
    return -_mills(np.asarray(n_sigma, dtype=np.float64) - r_a)


def _mills(x: Array) -> Array:
    """d ln Phi(x) / dx = phi(x) / Phi(x), the inverse Mills ratio, precise in both tails."""
    return np.sqrt(2.0 / np.pi) / erfcx(-x / np.sqrt(2.0))
