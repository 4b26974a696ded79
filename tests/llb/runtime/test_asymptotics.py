from __future__ import annotations

import math

import numpy as np
import pyhf
import pytest
from hypothesis import given
from hypothesis import strategies as st

from llb.runtime.asymptotics import (
    N_SIGMA,
    cls_expected,
    cls_observed,
    log_cls_expected,
    log_cls_observed,
    q_tilde,
)

statistic = st.floats(0.0, 60.0)


def normal_cdf(x: float) -> float:
    return 0.5 * math.erfc(-x / math.sqrt(2.0))


def plain_cls(q: float, q_a: float) -> float:
    """The textbook form, right only where nothing underflows."""
    r, r_a = math.sqrt(q), math.sqrt(q_a)
    if q <= q_a:
        return normal_cdf(-r) / normal_cdf(r_a - r)
    return normal_cdf(-(q + q_a) / (2 * r_a)) / normal_cdf(-(q - q_a) / (2 * r_a))


@pytest.mark.parametrize(
    ("q", "q_a"), [(1.0, 4.0), (4.0, 4.0), (9.0, 4.0), (0.0, 3.0), (30.0, 2.0), (5.0, 0.01)]
)
def test_observed_equals_the_textbook_form(q: float, q_a: float) -> None:
    assert cls_observed(q, q_a) == pytest.approx(plain_cls(q, q_a), rel=1e-9)


def test_both_branches_meet() -> None:
    below, above = cls_observed([4.0, 4.0 * (1 + 1e-12)], [4.0, 4.0])
    assert below == pytest.approx(above, rel=1e-11)


def test_no_power_means_no_exclusion() -> None:
    np.testing.assert_array_equal(cls_observed([0.0, 3.0, 50.0], 0.0), 1.0)
    np.testing.assert_array_equal(cls_observed([1.0], -1e-9), 1.0)
    np.testing.assert_array_equal(cls_expected(0.0), 1.0)


def test_logarithm_survives_where_cls_underflows() -> None:
    logs = log_cls_observed([1e4, 1e6, 1e12, 1e12], [1e4, 1e5, 1e12, 1e-3])
    assert np.all(np.isfinite(logs))
    assert np.all(logs < -1000)
    # q >> q_A: CLs -> exp(-q/2) (b/a), so ln CLs is about -q/2.
    assert logs[3] == pytest.approx(-5e11, rel=1e-9)
    assert np.all(np.isfinite(log_cls_expected(1e12, N_SIGMA)))


def test_nan_is_not_hidden() -> None:
    assert np.isnan(cls_observed(np.nan, 1.0))
    assert np.isnan(cls_observed(1.0, np.nan))
    assert np.isnan(q_tilde(np.nan, 0.0, 1.0, 0.5))
    assert np.isnan(q_tilde(np.nan, 0.0, 1.0, 1.5))


def test_expected_band_is_ordered_and_its_median_is_known() -> None:
    band = cls_expected(1.959963984540054**2)
    assert band[2] == pytest.approx(0.05, rel=1e-12)
    assert np.all(np.diff(band) > 0)


def test_q_tilde_is_zero_below_its_minimum() -> None:
    np.testing.assert_array_equal(
        q_tilde([2.0, 2.0, 1.0], [1.0, 1.0, 1.5], [0.5, 1.5, 2.0], 1.0), [0.0, 2.0, 0.0]
    )


@given(statistic, st.floats(1e-6, 60.0), st.floats(1e-3, 10.0))
def test_cls_falls_with_q_and_stays_in_the_unit_interval(q: float, q_a: float, step: float) -> None:
    low, high = cls_observed([q, q + step], q_a)
    assert 0.0 <= high < low <= 1.0


@pytest.mark.filterwarnings("ignore:jsonschema.RefResolver:DeprecationWarning")
@pytest.mark.parametrize("observed", [3, 8, 10, 16])
def test_equals_pyhf_on_a_counting_experiment(observed: int) -> None:
    model = pyhf.simplemodels.uncorrelated_background([5.0], [8.0], [1.5])
    data = [observed, *model.config.auxdata]
    mu = 1.3
    bounds = [(0.0, 10.0), *model.config.suggested_bounds()[1:]]
    q = float(
        pyhf.infer.test_statistics.qmu_tilde(
            mu, data, model, model.config.suggested_init(), bounds, [False, False]
        )
    )
    asimov = pyhf.infer.calculators.generate_asimov_data(
        0.0, data, model, model.config.suggested_init(), bounds, [False, False]
    )
    q_a = float(
        pyhf.infer.test_statistics.qmu_tilde(
            mu, asimov, model, model.config.suggested_init(), bounds, [False, False]
        )
    )
    expected, band = pyhf.infer.hypotest(
        mu, data, model, par_bounds=bounds, test_stat="qtilde", return_expected_set=True
    )
    assert cls_observed(q, q_a) == pytest.approx(float(expected), rel=1e-6)
    np.testing.assert_allclose(cls_expected(q_a), [float(value) for value in band], rtol=1e-6)
