"""Densities in Spey: what one data set is enough for, against closed forms; the rest refused by name."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest

os.environ["SPEY_CHECKUPDATE"] = "OFF"

import spey
from gaussians import write_changed

from llb.runtime import load_density, log_prior, profile_density
from llb_conformance.gaussian import conditional_model, mixed_model, regression_model
from llb_conformance.gaussian_bundle import write_gaussian
from llb_schema import FindingError

NAME = "llb.full_likelihood"


def model_of(bundle: Any, **options: Any) -> Any:
    return spey.get_backend(NAME)(bundle=bundle, **options)


def test_spey_finds_it() -> None:
    assert NAME in spey.AvailableBackends()


@pytest.mark.parametrize("exact", [mixed_model(), regression_model()], ids=lambda item: item.id)
def test_profiles_are_those_of_the_density(exact: Any, tmp_path: Path) -> None:
    density = load_density(write_gaussian(exact, tmp_path / "x.llb"))
    model = model_of(density)
    values = [0.4, 0.9, 1.7, 2.6]
    known = profile_density(density, "mu", values, divide_prior=density.manifest.density.kind == "posterior")
    found = [-float(model.likelihood(value)) for value in values]
    np.testing.assert_allclose(found, known.log_density, atol=2e-4)
    best, height = model.maximize_likelihood(allow_negative_signal=False)
    assert height <= min(-value for value in found) + 1e-6
    assert float(model.chi2(poi_test=1.7)) == pytest.approx(2.0 * (-found[2] - height), abs=2e-3)
    assert density.lower[0] <= best <= density.upper[0]


def test_a_posterior_is_freed_of_its_prior(tmp_path: Path) -> None:
    density = load_density(write_gaussian(mixed_model(), tmp_path / "x.llb"))
    points = density.sample(5, 2)
    function = model_of(density).backend.get_logpdf_func()
    expected = density.log_prob(points) - log_prior(density.manifest, points)
    np.testing.assert_allclose([function(point) for point in points], expected, rtol=1e-12)


def test_gradients_are_those_of_the_value(tmp_path: Path) -> None:
    density = load_density(write_gaussian(mixed_model(), tmp_path / "x.llb"))
    backend = model_of(density).backend
    point, step = density.sample(1, 3)[0], 1e-6
    value, slope = backend.get_objective_function()(point)
    plain = backend.get_objective_function(do_grad=False)
    assert plain(point) == value
    for column in range(len(point)):
        aside = step * np.eye(len(point))[column]
        difference = (plain(point + aside) - plain(point - aside)) / (2.0 * step)
        assert slope[column] == pytest.approx(difference, rel=1e-5, abs=1e-5)


def test_a_conditional_density_takes_its_counts(tmp_path: Path) -> None:
    exact = conditional_model()
    density = load_density(write_gaussian(exact, tmp_path / "x.llb"))
    given = dict(zip(density.conditions, (0.5, -0.5), strict=True))
    function = model_of(density, condition=given).backend.get_logpdf_func()
    points = density.sample(4, 1, given)
    expected = density.log_prob(points, given) - log_prior(density.manifest, points)
    np.testing.assert_allclose([function(point) for point in points], expected, rtol=1e-12)
    with pytest.raises(FindingError, match="LLB-Y105"):
        model_of(density)


def test_two_densities_combine(tmp_path: Path) -> None:
    density = load_density(write_gaussian(mixed_model(), tmp_path / "x.llb"))
    one, two = (model_of(density, analysis=name) for name in ("one", "two"))
    both = spey.UnCorrStatisticsCombiner(one, two)
    assert float(both.likelihood(1.2)) == pytest.approx(2.0 * float(one.likelihood(1.2)), rel=1e-6)


@pytest.mark.parametrize("expected", ["apriori", "aposteriori"])
def test_expected_results_are_refused_by_name(expected: str, tmp_path: Path) -> None:
    model = model_of(write_gaussian(mixed_model(), tmp_path / "x.llb"))
    with pytest.raises(NotImplementedError, match="no Asimov data"):
        model.likelihood(1.0, expected=spey.ExpectationType[expected]) if expected == "apriori" else (
            model.exclusion_confidence_level(expected=spey.ExpectationType[expected])
        )


def test_what_is_not_there_is_said(tmp_path: Path) -> None:
    path = write_gaussian(mixed_model(), tmp_path / "x.llb")
    with pytest.raises(FindingError, match="LLB-Y101"):
        model_of(path, parameter="nu")

    def words(document: Any) -> None:
        document["density"]["prior"][1] = {"parameter": "rate", "kind": "other", "text": "by hand"}

    with pytest.raises(FindingError, match="LLB-Y108"):
        model_of(write_changed(tmp_path / "y.llb", manifest=words))
