"""CLs and upper limits of parabolas, from closed forms and the standard library alone.

A parabola along a ray, Delta NLL = slope*mu + curvature*mu^2/2, is what the asymptotic formulae of
G. Cowan et al., arXiv:1007.1727, were derived for. Whatever a loader returns on an analytic bundle can be
held against these numbers, which share no code with any loader.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from statistics import NormalDist

__all__ = ["Band", "ExactLimits", "Parabola", "exact_limits"]

Band = tuple[float, float, float, float, float]
"""Five numbers for N = -2, -1, 0, +1, +2 standard deviations of background-only data, in this order."""

_SIGMAS = (-2, -1, 0, 1, 2)


@dataclass(frozen=True)
class Parabola:
    """Delta NLL along a ray: slope*mu + curvature*mu^2/2, curvature > 0."""

    slope: float
    curvature: float

    def __call__(self, mu: float) -> float:
        """Delta NLL at mu."""
        return mu * (self.slope + 0.5 * self.curvature * mu)

    @property
    def mu_hat(self) -> float:
        """Where it is lowest over mu >= 0."""
        return max(0.0, -self.slope / self.curvature)


@dataclass(frozen=True)
class ExactLimits:
    """The exact answer for one signal; attributes as in the reference implementation's limits."""

    cls_observed: float
    cls_expected: Band
    cls_apriori: Band
    upper_limit_observed: float
    upper_limit_expected: Band
    upper_limit_apriori: Band
    mu_hat: float


def exact_limits(
    observed: Parabola,
    observed_asimov: Parabola,
    apriori_asimov: Parabola,
    *,
    mu: float = 1.0,
    level: float = 0.95,
) -> ExactLimits:
    """CLs at mu and upper limits for three parabolas along one ray; the Asimov ones have slope 0."""
    alpha = 1.0 - level
    return ExactLimits(
        cls_observed=_cls_observed(observed, observed_asimov, mu),
        cls_expected=_cls_band(observed_asimov, mu),
        cls_apriori=_cls_band(apriori_asimov, mu),
        upper_limit_observed=_bisect(lambda value: _cls_observed(observed, observed_asimov, value) - alpha),
        upper_limit_expected=_upper_band(observed_asimov, alpha),
        upper_limit_apriori=_upper_band(apriori_asimov, alpha),
        mu_hat=observed.mu_hat,
    )


def _tail(x: float) -> float:
    """The normal distribution below x, precise in both tails."""
    return 0.5 * math.erfc(-x / math.sqrt(2.0))


def _cls_observed(observed: Parabola, asimov: Parabola, mu: float) -> float:
    q = 0.0 if mu < observed.mu_hat else max(0.0, 2.0 * (observed(mu) - observed(observed.mu_hat)))
    q_asimov = 2.0 * asimov(mu)
    r, r_asimov = math.sqrt(q), math.sqrt(q_asimov)
    if q <= q_asimov:
        return _tail(-r) / _tail(r_asimov - r)
    return _tail(-(q + q_asimov) / (2.0 * r_asimov)) / _tail(-(q - q_asimov) / (2.0 * r_asimov))


def _cls_band(asimov: Parabola, mu: float) -> Band:
    r_asimov = mu * math.sqrt(asimov.curvature)
    a, b, c, d, e = (_tail(n - r_asimov) / _tail(n) for n in _SIGMAS)
    return a, b, c, d, e


def _upper_band(asimov: Parabola, alpha: float) -> Band:
    """Solves _cls_band = alpha: mu*sqrt(curvature) = N - quantile(alpha * Phi(N))."""
    scale = math.sqrt(asimov.curvature)
    a, b, c, d, e = ((n - NormalDist().inv_cdf(alpha * _tail(n))) / scale for n in _SIGMAS)
    return a, b, c, d, e


def _bisect(excess: Callable[[float], float]) -> float:
    """The root of a function that falls from above to below zero over mu > 0."""
    low, high = 0.0, 1.0
    while excess(high) > 0.0:
        low, high = high, 2.0 * high
    for _ in range(200):
        middle = 0.5 * (low + high)
        low, high = (middle, high) if excess(middle) > 0.0 else (low, middle)
    return 0.5 * (low + high)
