"""A bundle as a function: the one number of a global fit, and derivatives by differences."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest

from llb.runtime import ProfileLikelihood, gradients, load
from llb_conformance import counting_model, write_quadratic
from llb_schema import FindingError

MODEL = counting_model()
SIGNAL = {"SRlow": 1.5, "SRhigh[0]": 2.0, "SRhigh[1]": 0.25, "CR[0]": 0.0}


@pytest.fixture(params=["float64", "float32"])
def model(request: pytest.FixtureRequest, tmp_path: Path) -> ProfileLikelihood:
    return load(write_quadratic(MODEL.with_precision(request.param), tmp_path / "toy.llb"))


def test_the_ratio_is_that_of_the_likelihoods(model: ProfileLikelihood) -> None:
    tolerance = 1e-12 if model.dtype == np.float64 else 1e-5
    for name in model.curve_names:
        expected = -float(MODEL.curve(name).delta(list(SIGNAL.values())))
        assert model.log_likelihood_ratio(SIGNAL, curve=name) == pytest.approx(expected, rel=tolerance)
    assert model.log_likelihood_ratio(SIGNAL) == model.log_likelihood_ratio(SIGNAL, curve="observed")


def test_without_signal_it_is_zero_and_not_minus_zero(model: ProfileLikelihood) -> None:
    found = model.log_likelihood_ratio(dict.fromkeys(SIGNAL, 0.0))
    assert (found, math.copysign(1.0, found)) == (0.0, 1.0)


def test_bins_are_named(model: ProfileLikelihood) -> None:
    with pytest.raises(FindingError, match="LLB-Y002"):
        model.log_likelihood_ratio({"SRlow": 1.0})
    with pytest.raises(KeyError):
        model.log_likelihood_ratio(SIGNAL, curve="expected")


def test_differences_are_derivatives(model: ProfileLikelihood) -> None:
    points = np.array([[0.0, 0.0, 0.0, 0.0], [1.0, 2.0, 0.5, 3.0]])
    tolerance = 1e-9 if model.dtype == np.float64 else 1e-3
    for name, found in gradients(model, points).items():
        curve = MODEL.curve(name)
        expected = curve.slope + points @ curve.root @ curve.root.T
        np.testing.assert_allclose(found, expected, rtol=tolerance, atol=tolerance)
    with pytest.raises(FindingError, match="LLB-Y005"):
        gradients(model, points[0])
