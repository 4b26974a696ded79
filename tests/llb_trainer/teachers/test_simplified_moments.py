"""The expansion has the moments that were asked for, and is the paper's."""

from __future__ import annotations

import numpy as np
import pytest
import simplifieds
from hypothesis import example, given
from hypothesis import strategies as st

from llb_trainer.teachers.simplified.moments import correlation, expansion

VARIANCE = simplifieds.SIGMA**2
COVARIANCE = simplifieds.CORRELATION * np.outer(simplifieds.SIGMA, simplifieds.SIGMA)
THIRD = simplifieds.SKEWNESS * simplifieds.SIGMA**3
MEAN = np.array([12.0, 3.5, 0.7, 58.0])


@pytest.mark.requirement("SOURCE-2")
def test_the_coefficients_are_those_of_the_paper() -> None:
    terms = expansion(MEAN, VARIANCE, THIRD)
    a, b, c, rho = simplifieds.coefficients(simplifieds.skewed())
    for ours, theirs in ((terms.constant, a), (terms.linear, b), (terms.quadratic, c)):
        np.testing.assert_allclose(ours, theirs, rtol=1e-12)
    np.testing.assert_allclose(correlation(terms, COVARIANCE), rho, rtol=1e-11, atol=1e-13)


def test_random_backgrounds_have_the_moments() -> None:
    terms = expansion(MEAN, VARIANCE, THIRD)
    rho = correlation(terms, COVARIANCE)
    n = 4_000_000
    theta = np.random.default_rng(3).standard_normal((n, 4)) @ np.linalg.cholesky(rho).T
    nu = terms.constant + terms.linear * theta + terms.quadratic * theta**2
    shift = nu - MEAN
    for sample, expected in (
        *((shift[:, i] + MEAN[i], MEAN[i]) for i in range(4)),
        *((shift[:, i] * shift[:, j], COVARIANCE[i, j]) for i in range(4) for j in range(i + 1)),
        *((shift[:, i] ** 3, THIRD[i]) for i in range(4)),
    ):
        assert abs(sample.mean() - expected) < 5.0 * sample.std() / np.sqrt(n)


@example(1.0, 7.0, 0.0)
@given(st.floats(-1.0, 1.0), st.floats(1e-3, 1e3), st.floats(0.0, 1e4))
def test_one_bin_has_its_moments_exactly(ratio: float, sigma: float, mean: float) -> None:
    variance, third = np.array([sigma**2]), np.array([ratio * np.sqrt(8.0) * sigma**3])
    terms = expansion(np.array([mean]), variance, third)
    b, c = terms.linear, terms.quadratic
    np.testing.assert_allclose(terms.constant + c, mean, rtol=1e-12, atol=1e-12 * sigma)
    np.testing.assert_allclose(b**2 + 2.0 * c**2, variance, rtol=1e-12)
    np.testing.assert_allclose(6.0 * b**2 * c + 8.0 * c**3, third, rtol=1e-9, atol=1e-12 * sigma**3)


def test_small_third_moments_change_little() -> None:
    flat = expansion(MEAN, VARIANCE, np.zeros(4))
    assert np.all(flat.quadratic == 0)
    np.testing.assert_allclose(flat.linear, simplifieds.SIGMA, rtol=1e-15)
    np.testing.assert_allclose(correlation(flat, COVARIANCE), simplifieds.CORRELATION, rtol=1e-14)
    small = expansion(MEAN, VARIANCE, 1e-12 * THIRD)
    np.testing.assert_allclose(small.quadratic, 1e-12 * THIRD / (6.0 * VARIANCE), rtol=1e-9)
    np.testing.assert_allclose(correlation(small, COVARIANCE), simplifieds.CORRELATION, rtol=1e-10)


def test_what_no_correlation_gives_is_not_a_number() -> None:
    terms = expansion(np.zeros(2), np.array([9.0, 9.0]), np.array([70.0, -70.0]))
    rho = correlation(terms, np.array([[9.0, 8.9], [8.9, 9.0]]))
    assert np.isnan(rho[0, 1])
    assert rho[0, 0] == pytest.approx(1.0)
