"""Errors of CLs and limits against the limits of curves that are shifted by the stated error."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from llb.runtime import Limits, limits, load, rays
from llb.runtime.asymptotics import (
    N_SIGMA,
    log_cls_expected,
    log_cls_expected_slope,
    log_cls_observed,
    log_cls_observed_slopes,
)
from llb_conformance import QuadraticCurve, QuadraticModel, counting_model, parabola_model, write_quadratic

SPREAD = 1e-4
ERRORS = (
    "cls_observed_error",
    "cls_expected_error",
    "cls_apriori_error",
    "upper_limit_observed_error",
    "upper_limit_expected_error",
    "upper_limit_apriori_error",
)


def spreading(exact: QuadraticModel, *curves: str) -> QuadraticModel:
    return exact.with_spread(**dict.fromkeys(curves, SPREAD))


def found(exact: QuadraticModel, path: Path, signal: list[float], **options: float) -> Limits:
    return limits(load(write_quadratic(exact, path / f"{exact.id}.llb")), np.array([signal]), **options)[0]


def shifted(exact: QuadraticModel, name: str, by: float) -> QuadraticModel:
    """The model with `by` added to Delta NLL of one curve for every event of signal."""

    def shift(curve: QuadraticCurve) -> QuadraticCurve:
        return replace(curve, slope=curve.slope + by) if curve.name == name else curve

    return replace(exact, curves=tuple(map(shift, exact.curves)), id=f"{exact.id}-shifted-{name}")


@pytest.mark.requirement("UNCERTAINTY-4")
@pytest.mark.parametrize("name", ["observed_asimov", "apriori_asimov", "observed"])
def test_errors_are_those_of_shifted_curves(name: str, tmp_path: Path) -> None:
    # Without a preferred signal the minimum is at zero, where a shift per event leaves it.
    exact = parabola_model(mu_hat=-0.3)
    stated = found(spreading(exact, name), tmp_path, [1.0], mu=0.8)
    plain = found(exact, tmp_path, [1.0], mu=0.8)
    moved = found(shifted(exact, name, SPREAD), tmp_path, [1.0], mu=0.8)
    for error in ERRORS:
        number = error.removesuffix("_error")
        difference = np.abs(np.subtract(getattr(moved, number), getattr(plain, number)))
        # Beyond first order is what the shift does to itself: relative 1e-4 of its size.
        np.testing.assert_allclose(getattr(stated, error), difference, rtol=3e-3, atol=3e-10, err_msg=error)
    assert np.any(np.atleast_1d(stated.upper_limit_observed_error) > 0.0) or name == "apriori_asimov"


@pytest.mark.requirement("UNCERTAINTY-4")
def test_several_curves_add_in_quadrature(tmp_path: Path) -> None:
    exact = counting_model()
    signal = [4.0, 2.0, 3.0, 0.5]
    one, other, both = (
        found(replace(spreading(exact, *names), id="-".join(names)), tmp_path, signal)
        for names in (("observed",), ("observed_asimov",), ("observed", "observed_asimov"))
    )
    for error in ("cls_observed_error", "upper_limit_observed_error"):
        assert getattr(both, error) == pytest.approx(np.hypot(getattr(one, error), getattr(other, error)))
    assert both.cls_expected_error == pytest.approx(other.cls_expected_error)


def test_the_minimum_has_an_error_of_its_own(tmp_path: Path) -> None:
    exact = parabola_model(mu_hat=0.6, sigma=0.5)
    stated = found(spreading(exact, "observed"), tmp_path, [1.0], mu=1.2)

    def log_cls(at_mu: float, at_best: float) -> float:
        observed, asimov = exact.curve("observed"), exact.curve("observed_asimov")
        q = 2.0 * (observed.delta([1.2]) + at_mu - observed.delta([0.6]) - at_best)
        return float(log_cls_observed(q, 2.0 * asimov.delta([1.2])))

    moved = [log_cls(1.2 * SPREAD, 0.0), log_cls(0.0, 0.6 * SPREAD)]
    expected = stated.cls_observed * np.hypot(*(item - log_cls(0.0, 0.0) for item in moved))
    assert stated.cls_observed_error == pytest.approx(expected, rel=1e-3)


def test_below_the_best_fit_only_the_asimov_curve_matters(tmp_path: Path) -> None:
    stated = found(spreading(parabola_model(mu_hat=0.6), "observed"), tmp_path, [1.0], mu=0.3)
    assert stated.cls_observed_error == 0.0


@pytest.mark.parametrize("mu", [0.600001, 1e-9])
def test_errors_stay_finite_where_the_statistic_vanishes(mu: float, tmp_path: Path) -> None:
    exact = spreading(parabola_model(mu_hat=0.6), "observed", "observed_asimov", "apriori_asimov")
    stated = found(exact, tmp_path, [1.0], mu=mu)
    assert 0.0 <= stated.cls_observed_error < 0.1
    assert np.all(np.isfinite(stated.cls_expected_error))


@pytest.mark.requirement("UNCERTAINTY-2", "UNCERTAINTY-4")
def test_no_error_without_a_statement_or_beyond_the_domain(tmp_path: Path) -> None:
    exact = parabola_model(upper=1.3)
    plain = found(exact, tmp_path, [1.0])
    assert all(np.all(np.isnan(getattr(plain, error))) for error in ERRORS)
    stated = found(spreading(exact, "observed", "observed_asimov"), tmp_path, [1.0], mu=1.2)
    assert stated.cls_observed_error > 0.0
    assert "beyond_domain:upper_limit_observed" in stated.flags
    assert np.isnan(stated.upper_limit_observed_error)
    assert np.isfinite(stated.upper_limit_expected_error).tolist() == [
        limit <= 1.3 for limit in stated.upper_limit_expected
    ]


def test_zero_signal_has_no_error(tmp_path: Path) -> None:
    stated = found(spreading(counting_model(), "observed", "observed_asimov", "apriori"), tmp_path, [0.0] * 4)
    assert (stated.cls_observed, stated.cls_observed_error) == (1.0, 0.0)
    assert np.isnan(stated.upper_limit_observed_error)


def test_sigma_by_curve_and_in_one_call(tmp_path: Path) -> None:
    exact = counting_model().with_spread(observed=1e-3, observed_asimov=2e-3, apriori=3e-3)
    model = load(write_quadratic(exact, tmp_path / "toy.llb"))
    signals = np.random.default_rng(1).uniform(0.0, 9.0, (50, 4))
    assert model.has_uncertainty
    sigma = model.sigma(signals)
    assert set(sigma) == set(model.curve_names)
    for name, values in sigma.items():
        # An alias has the error of its target.
        np.testing.assert_allclose(values, exact.curve(name).sigma(signals), rtol=1e-12)
    delta, columns = model.columns_with_sigma(signals)
    np.testing.assert_array_equal(delta, model.columns(signals))
    np.testing.assert_array_equal(columns[:, 2], sigma["apriori_asimov"])
    ray = rays(model, signals[:2])
    np.testing.assert_array_equal(
        ray.sigma(np.array([1]), np.array([1.0])), model.columns_with_sigma(signals[1:2])[1]
    )
    without = load(write_quadratic(counting_model(), tmp_path / "without.llb"))
    assert not without.has_uncertainty
    assert np.isnan(without.sigma(signals)["observed"]).all()


@pytest.mark.parametrize("q_asimov", [1e-4, 0.7, 3.0, 40.0, 900.0])
def test_slopes_are_derivatives(q_asimov: float) -> None:
    r_a = np.sqrt(q_asimov)
    # On either side of q_A, where the two forms meet.
    r = r_a * np.array([0.01, 0.4, 0.98, 1.02, 1.7])
    step = 1e-5 * r_a
    by_r, by_r_a = log_cls_observed_slopes(r**2, r_a**2)
    for slope, dr, da in ((by_r, step, 0.0), (by_r_a, 0.0, step)):
        high, low = (log_cls_observed((r + s * dr) ** 2, (r_a + s * da) ** 2) for s in (1, -1))
        np.testing.assert_allclose(slope, (high - low) / (2 * step), rtol=2e-5, atol=1e-7)
    n = np.array(N_SIGMA)
    high, low = (log_cls_expected((r_a + s * step) ** 2, n) for s in (1, -1))
    np.testing.assert_allclose(
        log_cls_expected_slope(q_asimov, n), (high - low) / (2 * step), rtol=2e-5, atol=1e-7
    )


def test_without_power_nothing_moves() -> None:
    assert log_cls_observed_slopes(0.0, 0.0) == (0.0, 0.0)
