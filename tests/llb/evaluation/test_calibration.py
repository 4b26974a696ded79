"""Ranks of true values among draws: uniform for the exact density, and not for wrong ones."""

from __future__ import annotations

import numpy as np
import pytest

from llb.evaluation import calibration_figure, rank_calibration, read_density_heldout
from llb.evaluation.density_truth import DensityHeldOut
from llb.runtime import Density, load_density
from llb_conformance.gaussian import conditional_model
from llb_conformance.gaussian_bundle import write_gaussian

Opened = tuple[Density, DensityHeldOut]


@pytest.fixture(scope="module")
def opened(tmp_path_factory: pytest.TempPathFactory) -> Opened:
    path = write_gaussian(conditional_model(), tmp_path_factory.mktemp("calibration") / "x.llb")
    density = load_density(path)
    return density, read_density_heldout(density.bundle)


def test_the_exact_density_is_calibrated(opened: Opened) -> None:
    density, heldout = opened
    assert heldout.conditions is not None
    found = rank_calibration(density, heldout.points, heldout.conditions, draws=63)
    assert found.ranks.shape == (2000, 4)
    assert (found.ranks.min(), found.ranks.max()) == (0, 63)
    assert found.p_values.min() > 1e-3
    assert found.common_p_value > 1e-3
    again = rank_calibration(density, heldout.points, heldout.conditions, draws=63)
    np.testing.assert_array_equal(found.ranks, again.ranks)


def test_a_density_that_forgets_its_condition_is_not(opened: Opened) -> None:
    density, heldout = opened
    assert heldout.conditions is not None
    elsewhere = heldout.conditions[::-1]
    found = rank_calibration(density, heldout.points, elsewhere, draws=63)
    assert found.p_values.min() < 1e-8


def test_ranks_of_many_draws_are_fractions_of_the_distribution(opened: Opened) -> None:
    density, heldout = opened
    assert heldout.conditions is not None
    model = conditional_model()
    found = rank_calibration(density, heldout.points[:100], heldout.conditions[:100], draws=2000)
    from scipy.stats import norm

    # The first parameter is a monotonous function of a normal number of known mean and width.
    base = model.parameters[0].inverse(heldout.points[:100, 0])
    mean = model.mean[0] + heldout.conditions[:100] @ model.shift[:, 0]
    exact = norm.cdf((base - mean) / model.root[0, 0])
    np.testing.assert_allclose(found.ranks[:, 0] / 2000, exact, atol=0.06)


def test_too_few_are_no_test(opened: Opened) -> None:
    density, heldout = opened
    assert heldout.conditions is not None
    with pytest.raises(ValueError, match="too few"):
        rank_calibration(density, heldout.points[:79], heldout.conditions[:79])


def test_it_can_be_looked_at(opened: Opened) -> None:
    density, heldout = opened
    assert heldout.conditions is not None
    found = rank_calibration(density, heldout.points[:200], heldout.conditions[:200], draws=31)
    assert calibration_figure(found, "mu").startswith(b"\x89PNG")
