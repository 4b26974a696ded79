"""The eleven CLs of a signal as functions of mu: observed, and the two expected bands.

Which curves serve which number (the convention of Spey and pyhf): observed CLs take `observed` and
`observed_asimov`; the a-posteriori band takes `observed_asimov` alone; the a-priori band `apriori_asimov`
alone.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from llb.runtime.asymptotics import N_SIGMA, log_cls_expected, log_cls_observed, q_tilde
from llb.runtime.profile import Rays

__all__ = ["ASIMOV", "N_SIGMA_OF", "OBSERVED", "POSTERIOR", "PRIOR", "LogCls"]

Array = NDArray[np.float64]
Index = NDArray[np.intp]

OBSERVED = 0
POSTERIOR = slice(1, 6)
PRIOR = slice(6, 11)
"""Which of the eleven numbers are which."""

N_SIGMA_OF = np.asarray((0, *N_SIGMA, *N_SIGMA))
"""N of each number."""

ASIMOV = ("observed_asimov", "apriori_asimov")
"""The curves of the a-posteriori and of the a-priori band."""


class LogCls:
    """ln CLs along rays; number 0 is observed, 1 to 5 are the a-posteriori band, 6 to 10 the a-priori one.

    Attributes:
        ray: the rays of N signals.
        mu_hat: best-fit signal strengths of the observed data, >= 0, shape (N,); NaN without that curve.
        lowest: Delta NLL there.
    """

    def __init__(self, ray: Rays) -> None:
        self.ray = ray
        nothing = np.full(len(ray), np.nan)
        self.mu_hat, self.lowest = (
            ray.minimum("observed") if "observed" in ray.columns else (nothing, nothing)
        )

    def scan(self, mu: Array) -> Array:
        """All numbers at mu of shape (N, M), as an array of shape (N, 11, M)."""
        index = np.repeat(np.arange(len(mu)), mu.shape[1])
        flat = mu.ravel()
        posterior, prior = (self.q_asimov(curve, index, flat).reshape(mu.shape) for curve in ASIMOV)
        q = self.q_observed(index, flat).reshape(mu.shape)
        n_sigma = np.asarray(N_SIGMA)[:, np.newaxis]
        return np.concatenate(
            [
                log_cls_observed(q, posterior)[:, np.newaxis],
                log_cls_expected(posterior[:, np.newaxis], n_sigma),
                log_cls_expected(prior[:, np.newaxis], n_sigma),
            ],
            axis=1,
        )

    def __call__(self, mu: Array, index: Index, number: Index) -> Array:
        """One number each: all arguments one-dimensional and of the same length."""
        q_asimov = np.empty(mu.shape)
        for curve, part in zip(ASIMOV, (number < PRIOR.start, number >= PRIOR.start), strict=True):
            q_asimov[part] = self.q_asimov(curve, index[part], mu[part])
        result = log_cls_expected(q_asimov, N_SIGMA_OF[number])
        seen = number == OBSERVED
        result[seen] = log_cls_observed(self.q_observed(index[seen], mu[seen]), q_asimov[seen])
        return result

    def q_asimov(self, curve: str, index: Index, mu: Array) -> Array:
        """q-tilde of an Asimov curve of signals `index` at `mu`, both (M,); NaN without that curve."""
        if curve not in self.ray.columns:
            return np.full(mu.shape, np.nan)
        return q_tilde(self.ray.at(curve, index, mu), 0.0, mu, 0.0)

    def q_observed(self, index: Index, mu: Array) -> Array:
        """q-tilde of the observed data of signals `index` at `mu`, both (M,); NaN without that curve."""
        if "observed" not in self.ray.columns:
            return np.full(mu.shape, np.nan)
        return q_tilde(self.ray.at("observed", index, mu), self.lowest[index], mu, self.mu_hat[index])
