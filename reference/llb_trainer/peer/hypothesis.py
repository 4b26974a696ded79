"""Observed CLs and upper limit from pyhf's fits: q-tilde and its asymptotic distributions.

Formulas of Cowan, Cranmer, Gross and Vitells, arXiv:1007.1727, and CLs = CLsb / CLb.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final

from scipy.special import log_ndtr, ndtr, ndtri

from llb_trainer.peer.fits import ASIMOV, OBSERVED, ProfileFits

__all__ = ["HypothesisTest", "Tested"]

_MAX_TESTS: Final = 40
_LARGEST_MU: Final = 1e6


@dataclass(frozen=True)
class Tested:
    """The outcome at one signal strength.

    Attributes:
        mu: signal strength.
        log_cls: natural logarithm of the observed CLs; finite where CLs itself underflows.
        statistic: observed test statistic in units of standard deviations, `-mu_hat / sigma`.
        sqrt_q_asimov: square root of q-tilde on the Asimov data, `mu / sigma`.
    """

    mu: float
    log_cls: float
    statistic: float
    sqrt_q_asimov: float

    def wald_limit(self, level: float) -> float:
        """The upper limit if the profile were the parabola of these two numbers; inf without slope."""
        if self.sqrt_q_asimov <= 0.0:
            return math.inf
        pull = -self.statistic
        sigma = self.mu / self.sqrt_q_asimov
        return sigma * (pull + float(ndtri(1.0 - (1.0 - level) * float(ndtr(pull)))))


class HypothesisTest:
    """Tests signal strengths of one problem; the fits that all of them share are made once.

    Args:
        fits: the problem's fits.

    Attributes:
        mu_hat: best-fit signal strength of the data, not below 0.
    """

    def __init__(self, fits: ProfileFits) -> None:
        self._fits = fits
        self._best = {curve: fits.free(curve) for curve in (OBSERVED, ASIMOV)}
        self._mu_hat = {curve: fits.poi_value(best) for curve, best in self._best.items()}
        self.mu_hat = self._mu_hat[OBSERVED]

    def at(self, mu: float) -> Tested:
        """Two fits with fixed POI: on the data and on the Asimov data."""
        root, root_asimov = self._sqrt_q_tilde(OBSERVED, mu), self._sqrt_q_tilde(ASIMOV, mu)
        if root <= root_asimov:
            statistic = root - root_asimov
        elif root_asimov > 0.0:
            statistic = (root**2 - root_asimov**2) / (2.0 * root_asimov)
        else:
            # No sensitivity at all: both hypotheses look alike.
            return Tested(mu, 0.0, 0.0, 0.0)
        log_cls = float(log_ndtr(-statistic - root_asimov) - log_ndtr(-statistic))
        return Tested(mu, log_cls, statistic, root_asimov)

    def _sqrt_q_tilde(self, curve: str, mu: float) -> float:
        fixed = self._fits.fixed(curve, mu)
        if self._mu_hat[curve] > mu:
            return 0.0
        return math.sqrt(max(2.0 * (fixed.nll - self._best[curve].nll), 0.0))

    def upper_limit(
        self, first: Tested, guess: float | None = None, level: float = 0.95, relative: float = 2e-4
    ) -> float:
        """The mu at which CLs falls to `1 - level`.

        Args:
            first: a test already made; its parabola is the first estimate.
            guess: a better first estimate, where the caller has one.
            level: confidence level.
            relative: the search ends with a secant step shorter than this share of mu; the error
                that remains is of the order of its square.

        Returns:
            The limit; inf where CLs stays above `1 - level` up to 1e6.
        """
        goal = math.log1p(-level)
        # CLs(0) = 1 by definition: the lower end of the bracket costs nothing.
        low, high = 0.0, math.inf
        points: list[tuple[float, float]] = []
        test, estimate = first, guess
        for _ in range(_MAX_TESTS):
            value = test.log_cls - goal
            points.append((test.mu, value))
            low, high = (max(low, test.mu), high) if value > 0.0 else (low, min(high, test.mu))
            if len(points) > 1:
                estimate = _secant(*sorted(points, key=_distance)[:2])
            elif estimate is None:
                estimate = test.wald_limit(level)
            estimate = _inside(estimate, low, high)
            if len(points) > 1 and abs(estimate - test.mu) <= relative * test.mu:
                return estimate
            if estimate > _LARGEST_MU:
                return math.inf
            test = self.at(estimate)
        return math.nan


def _secant(one: tuple[float, float], two: tuple[float, float]) -> float:
    rise = one[1] - two[1]
    return one[0] - one[1] * (one[0] - two[0]) / rise if rise else math.nan


def _distance(point: tuple[float, float]) -> float:
    return abs(point[1])


def _inside(estimate: float, low: float, high: float) -> float:
    """The estimate where it lies in the bracket and not too far out; else a safe step."""
    if math.isinf(high):
        return estimate if low < estimate <= 8.0 * low or (low == 0.0 < estimate) else 4.0 * low
    return estimate if low < estimate < high else 0.5 * (low + high)
