"""The answer: every number of one signal, with the precision it was found to."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from llb.runtime import Band
from llb.runtime.asymptotics import N_SIGMA

__all__ = ["ExactLimits"]

Floats = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class ExactLimits:
    """What the teacher says of one signal. Which curves serve which number: see `llb.runtime.limits`.

    A number is NaN where one of its labels is not proven; `reasons` says which. A limit is infinite where
    CLs stays above 1 - level however strong the signal is; `reasons` says up to where that was looked for.

    Attributes:
        name: of the signal.
        signal: (n_bins,) events at mu = 1, in the order of the teacher's bins.
        level: confidence level of the limits.
        mu_hat: best-fit signal strength of the observed data, >= 0.
        cls_observed: CLs of the observed data at mu = 1.
        cls_expected: a-posteriori expected CLs at mu = 1 for N = -2 to +2.
        cls_apriori: a-priori expected CLs at mu = 1.
        upper_limit_observed: signal strength excluded at `level`.
        upper_limit_expected: a-posteriori expected limits, smallest first.
        upper_limit_apriori: a-priori expected limits, smallest first.
        precision: by the name of a number (`mu_hat`, `cls_observed`, `upper_limit_expected[+1]`, ...): of a
            limit, how far it lies from a label, relative; of `mu_hat` that distance itself; of a CLs, its
            relative change if every minimum were lower by its estimated distance. The function between
            labels is known with its slopes, so that the error of limits and best fits is far smaller.
        reasons: why a number is no finite one, by its name.
        labels: signal strengths at which the teacher was asked, mu = 0 not counted.
        rounds: how often it was asked.
    """

    name: str
    signal: Floats
    level: float
    mu_hat: float
    cls_observed: float
    cls_expected: Band
    cls_apriori: Band
    upper_limit_observed: float
    upper_limit_expected: Band
    upper_limit_apriori: Band
    precision: Mapping[str, float] = field(default_factory=dict[str, float])
    reasons: Mapping[str, str] = field(default_factory=dict[str, str])
    labels: int = 0
    rounds: int = 0

    @property
    def cls_expected_median(self) -> float:
        """A-posteriori expected CLs at mu = 1, N = 0."""
        return self.cls_expected[N_SIGMA.index(0)]

    @property
    def upper_limit_expected_median(self) -> float:
        """A-posteriori expected limit, N = 0."""
        return self.upper_limit_expected[N_SIGMA.index(0)]
