"""What is said about one signal: CLs, upper limits, their errors, and what to know about them."""

from __future__ import annotations

import math
from dataclasses import dataclass

from llb_schema import Finding

__all__ = ["Band", "Limits"]

Band = tuple[float, float, float, float, float]
"""Five numbers for N = -2, -1, 0, +1, +2 standard deviations of background-only data."""

_UNKNOWN: Band = (math.nan, math.nan, math.nan, math.nan, math.nan)


@dataclass(frozen=True)
class Limits:
    """The answer for one signal. Numbers that need a curve which the bundle does not have are NaN.

    Attributes:
        name: the signal's name.
        mu: signal strength of the CLs values.
        level: confidence level of the upper limits, e.g. 0.95.
        cls_observed: CLs of the observed data.
        cls_expected: a-posteriori expected CLs.
        cls_apriori: a-priori expected CLs.
        upper_limit_observed: signal strength excluded at `level`; infinity when no signal strength is.
        upper_limit_expected: a-posteriori expected limits, smallest first.
        upper_limit_apriori: a-priori expected limits, smallest first.
        mu_hat: best-fit signal strength of the observed data, >= 0 and at most the edge of the domain.
        in_domain: whether all the numbers come from inside the domain.
        flags: which do not (`beyond_domain:upper_limit_observed`, ...), `zero_signal`, `no_limit:...`
            (infinite), `no_curve:...`, `not_a_number`.
        findings: what is to be said about this signal.
        cls_observed_error: one standard deviation of what the graph's stated error does to `cls_observed`;
            NaN where the bundle states none, and where the number comes from beyond the domain. So for all
            that follow; see `llb.runtime.propagation`. `mu_hat` has none: it depends on the error of the
            slope, which is not stated.
        cls_expected_error: of `cls_expected`.
        cls_apriori_error: of `cls_apriori`.
        upper_limit_observed_error: of `upper_limit_observed`, in mu.
        upper_limit_expected_error: of `upper_limit_expected`.
        upper_limit_apriori_error: of `upper_limit_apriori`.
    """

    name: str
    mu: float
    level: float
    cls_observed: float
    cls_expected: Band
    cls_apriori: Band
    upper_limit_observed: float
    upper_limit_expected: Band
    upper_limit_apriori: Band
    mu_hat: float
    in_domain: bool
    flags: tuple[str, ...]
    findings: tuple[Finding, ...]
    cls_observed_error: float = math.nan
    cls_expected_error: Band = _UNKNOWN
    cls_apriori_error: Band = _UNKNOWN
    upper_limit_observed_error: float = math.nan
    upper_limit_expected_error: Band = _UNKNOWN
    upper_limit_apriori_error: Band = _UNKNOWN
