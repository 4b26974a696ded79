"""The analytic part: exact where it must be, and the minimum that it says it is."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.optimize import minimize

from llb_trainer.labels import Origin
from llb_trainer.training.analytic import AnalyticProfile, analytic_profile, with_gradients

Floats = NDArray[np.float64]

DATA, RATE = np.array([12.0, 3.0, 240.0]), np.array([10.0, 4.5, 250.0])
SHAPE = np.array([[0.1, 0.3, 0.04], [0.2, -0.1, 0.05]])
PRIOR = (RATE[:, None] * SHAPE.T) @ (RATE[:, None] * SHAPE.T).T + np.diag((0.05 * RATE) ** 2)
"""Covariance of a log-normal background."""


def near_zero(data: Floats, curvature: Floats) -> Origin:
    """One curve with these data, whose background is fitted at `RATE`."""
    return Origin(data[None], (1.0 - data / RATE)[None], curvature[None], np.array([False]))


def origin(data: Floats = DATA) -> Origin:
    """Behaviour at zero signal of Poisson counts over that background, which is fitted at `RATE`."""
    response = np.linalg.inv(np.linalg.inv(PRIOR) + np.diag(1.0 / RATE))
    bend = np.diag(data / RATE**2)
    return near_zero(data, bend - bend @ response @ bend)


def profiled(signal: Floats, data: Floats = DATA) -> float:
    """The same likelihood, minimised by SciPy."""
    inverse = np.linalg.inv(PRIOR)

    def value(u: Floats) -> float:
        nu = signal + RATE * np.exp(u / RATE)
        poisson = nu - RATE - data * np.log(nu / RATE) - (1.0 - data / RATE) * u
        return float(poisson.sum() + 0.5 * u @ inverse @ u)

    found = minimize(value, np.zeros(3), method="BFGS", options={"gtol": 1e-9})
    return float(found.fun)


@pytest.mark.parametrize(
    "signal",
    [[1.0, 0.0, 0.0], [4.0, 2.0, 10.0], [15.0, 0.0, 30.0], [0.0, 9.0, 0.0], [-1.0, -0.5, -8.0]],
)
def test_it_is_the_profile_of_a_log_normal_background(signal: list[float]) -> None:
    found = analytic_profile(origin())(np.array([signal]))[0, 0]
    assert found == pytest.approx(profiled(np.array(signal)), abs=2e-3, rel=1e-3)


def test_without_freedom_of_the_background_it_is_poisson() -> None:
    bend = np.diag(DATA / RATE**2)
    exact = analytic_profile(near_zero(DATA, bend))
    signals = np.random.default_rng(1).exponential(RATE, size=(20, 3))
    poisson = np.sum(signals - DATA * np.log1p(signals / RATE), axis=1)
    np.testing.assert_allclose(exact(signals)[:, 0], poisson, rtol=1e-12)


def test_a_bin_without_data_adds_its_slope_alone() -> None:
    data = np.array([12.0, 0.0, 240.0])
    found = analytic_profile(origin(data))
    np.testing.assert_allclose(found(np.array([[0.0, 2.5, 0.0]])), 2.5 * (1.0 - 0.0 / RATE[1]))


def test_a_bin_that_expects_next_to_nothing_leaves_the_others_alone() -> None:
    # The Asimov data of a fit to no events; differences of gradients say nothing there.
    nothing = 1e-9
    bend = origin().curvature[0]
    bend[1] = bend[:, 1] = [40.0, -3e8, 700.0]
    data, rate = np.array([12.0, nothing, 240.0]), np.array([10.0, nothing, 250.0])
    found = analytic_profile(Origin(data[None], (1.0 - data / rate)[None], bend[None], np.array([False])))
    others = np.array([0, 2])
    alone = analytic_profile(
        Origin(
            data[None, others],
            (1.0 - data / rate)[None, others],
            bend[None][:, others][:, :, others],
            np.array([False]),
        )
    )
    signals = np.array([[4.0, 0.0, 10.0], [4.0, 2.5, 10.0]])
    np.testing.assert_allclose(found(signals) - alone(signals[:, others]), [[0.0], [2.5]], atol=1e-7)


def test_zero_is_exact_and_so_are_slope_and_curvature() -> None:
    known, exact = analytic_profile(origin()), origin()
    assert (known(np.zeros((5, 3))) == 0.0).all()
    step = 1e-3 * np.eye(3)
    up, down = known(step)[:, 0], known(-step)[:, 0]
    np.testing.assert_allclose((up - down) / 2e-3, exact.slope[0], atol=1e-6)
    np.testing.assert_allclose((up + down) / 1e-6, np.diag(exact.curvature[0]), atol=1e-5)


def test_gradients_are_those_of_the_values() -> None:
    known = analytic_profile(origin())
    signals = np.random.default_rng(2).exponential(0.5 * RATE, size=(10, 3))
    values, gradients = with_gradients(known, signals)
    np.testing.assert_allclose(values, known(signals), rtol=1e-12, atol=1e-12)
    for b in range(3):
        shift = 1e-5 * RATE * np.eye(3)[b]
        slope = (known(signals + shift) - known(signals - shift)) / (2 * shift[b])
        np.testing.assert_allclose(gradients[:, :, b], slope, rtol=1e-6, atol=1e-8)


def test_a_curvature_that_no_background_has_does_no_harm() -> None:
    wild = np.array([[-5.0, 80.0, 0.0], [80.0, 0.0, 3.0], [0.0, 3.0, 1e9]])
    known = analytic_profile(near_zero(DATA, wild))
    signals = np.random.default_rng(3).exponential(20.0 * RATE, size=(50, 3))
    assert isinstance(known, AnalyticProfile)
    assert np.isfinite(known(signals)).all()
    assert np.isfinite(known(-2.0 * RATE[None])).all()
