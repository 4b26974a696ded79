"""What the graph's stated error of Delta NLL does to CLs and upper limits, to first order.

CLs is a smooth function of the roots r = sqrt(q) and r_A = sqrt(q_A) of the two test statistics (not of q
itself, whose derivative diverges at q = 0), so errors are carried over in them. With
D the Delta NLL of a curve, q = 2 (D(mu) - D(mu_hat)) and q_A = 2 D_A(mu):

    error of r     sqrt(q + 2 s) - sqrt(q),  s^2 = sigma(mu)^2 + sigma(mu_hat)^2;  no error where mu < mu_hat
    error of ln CLs     sqrt((d ln CLs/d r * error of r)^2 + (d ln CLs/d r_A * error of r_A)^2)
    error of an upper limit     error of ln CLs / |d ln CLs / d mu|, at the limit

To first order the error of a minimum is that of the curve at mu_hat. Errors of different curves, and of one
curve at mu and mu_hat, are taken as uncorrelated: bundles do not state correlations (UNCERTAINTY-4).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from llb.runtime.asymptotics import log_cls_expected_slope, log_cls_observed_slopes
from llb.runtime.log_cls import ASIMOV, N_SIGMA_OF, OBSERVED, POSTERIOR, PRIOR, LogCls
from llb.runtime.profile import Rays

__all__ = ["propagate"]

Array = NDArray[np.float64]


def propagate(test: LogCls, mu: float, cls: Array, upper: Array) -> tuple[Array, Array]:
    """One standard deviation of CLs at mu and of upper limits, each of shape (N, 11).

    The graph is asked once, for all points of all signals.

    Args:
        test: ln CLs along the rays.
        mu: signal strength of the CLs values.
        cls: those, shape (N, 11).
        upper: upper limits, shape (N, 11).

    Returns:
        NaN where the bundle states no error, a number is not finite, or comes from beyond the domain.
    """
    unknown = np.full(upper.shape, np.nan)
    if test.ray.stated is None or not len(test.ray):
        return unknown, unknown
    numbers = upper.shape[1]
    asked = np.column_stack([np.full(len(upper), mu), upper, test.mu_hat])
    index = np.repeat(np.arange(len(asked)), asked.shape[1])
    sigma = test.ray.sigma(index, asked.ravel()).reshape(*asked.shape, -1)
    at_best = sigma[:, -1]
    cls_relative, _ = _ln_cls(test, np.repeat(asked[:, :1], numbers, 1), sigma[:, :1], at_best)
    with np.errstate(divide="ignore", invalid="ignore"):
        upper_relative, slope = _ln_cls(test, upper, sigma[:, 1:-1], at_best)
        upper_error = upper_relative / np.abs(slope)
    return cls * cls_relative, np.where(np.isfinite(upper_error), upper_error, np.nan)


def _ln_cls(test: LogCls, mu: Array, sigma: Array, at_best: Array) -> tuple[Array, Array]:
    """Error of ln CLs and d ln CLs / d mu of the eleven numbers at mu, both (N, 11).

    `sigma` is the error of Delta NLL there, (N, 11, C) or (N, 1, C), and `at_best`, (N, C), that at mu_hat.
    """
    ray = test.ray
    known = np.isfinite(mu)
    mu = np.where(known, mu, 1.0)
    index = np.repeat(np.arange(len(mu)), mu.shape[1])
    error, slope = np.full(mu.shape, np.nan), np.full(mu.shape, np.nan)
    roots = {
        curve: _root(test.q_asimov(curve, index, mu.ravel()), ray, curve, mu)
        for curve in ASIMOV
        if curve in ray.columns
    }
    spreads = {curve: np.broadcast_to(sigma[:, :, column], mu.shape) for curve, column in ray.columns.items()}
    for curve, part in zip(ASIMOV, (POSTERIOR, PRIOR), strict=True):
        if curve in roots:
            q, change = roots[curve]
            by_root = log_cls_expected_slope(q[:, part], N_SIGMA_OF[part])
            error[:, part] = np.abs(by_root) * _spread(q, spreads[curve])[:, part]
            slope[:, part] = by_root * change[:, part]
    if "observed" in ray.columns and ASIMOV[0] in roots:
        q_a, change_a = (item[:, OBSERVED] for item in roots[ASIMOV[0]])
        q, change = _root(test.q_observed(index, mu.ravel()), ray, "observed", mu)
        q, change = q[:, OBSERVED], change[:, OBSERVED]
        both = np.hypot(spreads["observed"][:, OBSERVED], at_best[:, ray.columns["observed"]])
        below = mu[:, OBSERVED] < test.mu_hat
        by_root, by_root_a = log_cls_observed_slopes(q, q_a)
        moved = np.where(below, 0.0, _spread(q, both))
        moved_a = _spread(q_a, spreads[ASIMOV[0]][:, OBSERVED])
        error[:, OBSERVED] = np.hypot(by_root * moved, by_root_a * moved_a)
        slope[:, OBSERVED] = by_root * np.where(below, 0.0, change) + by_root_a * change_a
    return np.where(known, error, np.nan), slope


def _root(q: Array, ray: Rays, curve: str, mu: Array) -> tuple[Array, Array]:
    """q in the shape of mu, and d sqrt(q) / d mu, which is that of Delta NLL over sqrt(q)."""
    q = q.reshape(mu.shape)
    derivative = ray.derivative(curve, mu)
    with np.errstate(divide="ignore", invalid="ignore"):
        return q, derivative / np.sqrt(q)


def _spread(q: Array, sigma: Array) -> Array:
    """How far sqrt(q) moves when Delta NLL rises by sigma: sigma / sqrt(q) far from 0, and finite at 0."""
    total = np.sqrt(q + 2.0 * sigma) + np.sqrt(q)
    return np.where(
        total > 0.0, 2.0 * sigma / np.where(total > 0.0, total, 1.0), np.where(sigma == 0, 0.0, np.nan)
    )
