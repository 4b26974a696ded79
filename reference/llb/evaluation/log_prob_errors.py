"""How good a density is where the true one is known: errors of its logarithm, and what they cost."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

__all__ = ["BaseSpaceTest", "base_space_test", "effective_fraction", "log_prob_error"]

Array = NDArray[np.float64]


def log_prob_error(found: Array, truth: Array, *, is_normalized: bool = True) -> Array:
    """found - truth, both (n,) logarithms of densities; without the median where truth lacks a constant.

    Its standard deviation over draws of the truth is the sharpest number that there is: it sees every joint
    deformation, and does not depend on the number of draws.
    """
    difference = found - truth
    return difference if is_normalized else difference - np.median(difference)


def effective_fraction(error: Array) -> float:
    """The effective fraction of importance sampling from a density q of draws x of the truth p.

    With weights w = p / q it is E_q[w]^2 / E_q[w^2] = 1 / (E_p[w] E_p[1/w]), which needs draws of p only and
    no constant of either.

    Args:
        error: (n,) ln q(x) - ln p(x) at independent draws x of p, up to a constant.

    Returns:
        Between 0 and 1; 1 for q = p. Where q misses a part of p the estimate is too high, as that of any
        importance sampling: nothing is drawn there.
    """
    if not np.isfinite(error).all():
        return 0.0
    shifted = error - np.median(error)
    up, down = (np.logaddexp.reduce(sign * shifted) - np.log(len(shifted)) for sign in (1.0, -1.0))
    return float(np.exp(-(up + down)))


@dataclass(frozen=True)
class BaseSpaceTest:
    """Whether |z|^2 follows chi^2 with one degree of freedom for each column (arXiv:2502.09494).

    Attributes:
        ks_pvalue: of the Kolmogorov-Smirnov test.
        binned_pvalue: of Pearson's test in bins of equal probability.
    """

    ks_pvalue: float
    binned_pvalue: float


def base_space_test(noise: Array, *, bins: int = 20) -> BaseSpaceTest:
    """The joint test of held-out points that were mapped back to base noise, (n, columns)."""
    # Imported here: validation recomputes other numbers and starts sooner without scipy.
    from scipy import stats

    size = noise.shape[1]
    probabilities = stats.chi2.cdf(np.sum(noise**2, axis=1), size)
    counts, _ = np.histogram(probabilities, bins=bins, range=(0.0, 1.0))
    return BaseSpaceTest(
        float(stats.kstest(probabilities, "uniform").pvalue), float(stats.chisquare(counts).pvalue)
    )
