"""The analytic densities are what they say: normalised, and their own derivatives and samples."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import integrate

from llb_conformance.gaussian import GaussianModel, GaussianParameter, conditional_model

ONES = {
    "normal": GaussianParameter("a"),
    "lognormal": GaussianParameter("a", "lognormal"),
    "bounded": GaussianParameter("a", "bounded", -1.0, 5.0),
}


@pytest.mark.requirement("DENSITY-1", "DENSITY-3")
@pytest.mark.parametrize("kind", ONES)
def test_every_kind_of_parameter_has_integral_one(kind: str) -> None:
    model = GaussianModel("one", (ONES[kind],), np.array([0.3]), np.array([[0.7]]))
    low, high = {"normal": (-9, 9), "lognormal": (1e-9, 200), "bounded": (-1 + 1e-9, 5 - 1e-9)}[kind]
    density = lambda value: float(np.exp(model.log_prob(np.array([value]))))  # noqa: E731
    found, _ = integrate.quad(density, low, high, points=[float(model.sample([0.0])[0])], limit=200)
    assert found == pytest.approx(1.0, abs=1e-6)


def test_samples_go_back_to_their_noise_and_the_score_is_the_derivative() -> None:
    model, generator = conditional_model(), np.random.default_rng(1)
    noise, conditions = generator.standard_normal((50, 4)), generator.uniform(-1, 1, (50, 2))
    points = model.sample(noise, conditions)
    np.testing.assert_allclose(model.base(points, conditions), noise, atol=1e-9)
    for column in range(4):
        step = 1e-6 * np.maximum(1.0, np.abs(points[:, column]))
        shift = np.zeros_like(points)
        shift[:, column] = step
        ends = [model.log_prob(points + side * shift, conditions) for side in (1, -1)]
        slope = (ends[0] - ends[1]) / (2.0 * step)
        np.testing.assert_allclose(model.score(points, conditions)[:, column], slope, rtol=1e-4, atol=1e-4)
