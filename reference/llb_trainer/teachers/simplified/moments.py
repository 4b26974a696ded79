"""From the moments of the background to the expansion that has them.

The background of bin `i` is `nu_i = a_i + b_i theta_i + c_i theta_i^2` with `theta` normally distributed, of
unit variances and correlations `rho`. Demanding that its mean, covariance and third central moments be those
published fixes all coefficients (A. Buckley, M. Citron, S. Fichet, S. Kraml, W. Waltenberger, N. Wardle, JHEP
04 (2019) 064, arXiv:1809.05548, section 2). Without third moments `c` is zero, and what is left is the
simplified likelihood of CMS-NOTE-2017-001.

The paper's formulas divide by the third moments; those below are the same numbers, and hold at zero as well.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

__all__ = ["Expansion", "correlation", "expansion", "skewness_ratio"]

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Expansion:
    """Coefficients of the background in its nuisance parameters, each (n_bins,), in events."""

    constant: Floats
    linear: Floats
    quadratic: Floats


def skewness_ratio(variance: Floats, third: Floats) -> Floats:
    """(n_bins,) `m_i / sqrt(8 V_ii^3)`: an expansion exists where its absolute value is at most 1."""
    return third / np.sqrt(8.0 * variance**3)


def expansion(mean: Floats, variance: Floats, third: Floats) -> Expansion:
    """The expansion with these moments; of the two solutions for `c`, the one that vanishes with `m`.

    `6 V c - 4 c^3 = m` is the equation of the sine of a third of an angle. It is equation 2.10 of the paper,
    which takes a cosine instead; `b` and `a` are its 2.11 and 2.12.

    Args:
        mean, variance, third: (n_bins,) central moments of the background of each bin, with
            `8 V^3 >= m^2`, up to rounding.
    """
    # at the edge rounding must not lead out of it
    ratio = np.clip(skewness_ratio(variance, third), -1.0, 1.0)
    quadratic = np.sqrt(2.0 * variance) * np.sin(np.arcsin(ratio) / 3.0)
    linear = np.sqrt(np.maximum(variance - 2.0 * quadratic**2, 0.0))
    return Expansion(mean - quadratic, linear, quadratic)


def correlation(terms: Expansion, covariance: Floats) -> Floats:
    """(n_bins, n_bins) correlations of `theta` that give the covariance, equation 2.13 of the paper.

    They solve `b_i b_j rho + 2 c_i c_j rho^2 = V_ij`. An element is NaN where nothing does.

    Args:
        terms: the expansion.
        covariance: (n_bins, n_bins) of the background.
    """
    product = np.outer(terms.linear, terms.linear)
    bend = np.outer(terms.quadratic, terms.quadratic)
    with np.errstate(invalid="ignore", divide="ignore"):
        rho = 2.0 * covariance / (product + np.sqrt(product**2 + 8.0 * bend * covariance))
    # what the diagonal has by construction, rounding must not disturb
    np.fill_diagonal(rho, 1.0)
    return rho
