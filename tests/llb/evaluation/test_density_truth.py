"""The held-out points of a density, and a density compared with them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from gaussians import HELDOUT, write_changed

from llb.bundle import read_density_bundle
from llb.evaluation import density_accuracy, density_distances, density_errors, read_density_heldout
from llb.runtime import load_density
from llb_conformance.gaussian import GaussianModel, conditional_model, mixed_model, regression_model
from llb_conformance.gaussian_bundle import gaussian_files, write_gaussian


@pytest.mark.requirement("HELDOUT-4", "CLAIM-6")
@pytest.mark.parametrize(
    "model", [mixed_model(), conditional_model(), regression_model()], ids=lambda model: model.id
)
def test_the_exact_graph_makes_no_errors(model: GaussianModel, tmp_path: Path) -> None:
    density = load_density(write_gaussian(model, tmp_path / "x.llb"))
    heldout = read_density_heldout(density.bundle)
    assert heldout.points.shape == (2000, 4)
    assert (heldout.conditions is None) == (not model.conditions)
    errors = density_errors(density, heldout)
    assert errors is not None
    assert np.abs(errors).max() < 1e-11
    (metric,) = density_accuracy(density, heldout)
    assert (metric.count, metric.max) == (2000, np.abs(errors).max())


def test_without_the_teachers_number_there_is_no_error(tmp_path: Path) -> None:
    path = write_changed(
        tmp_path / "x.llb",
        heldout=lambda text: "\n".join(line.rpartition(",")[0] for line in text.splitlines()) + "\n",
    )
    heldout = read_density_heldout(read_density_bundle(path))
    assert heldout.log_prob is None
    assert density_accuracy(load_density(path), heldout) == ()


@pytest.mark.requirement("CLAIM-4")
def test_two_hands_give_the_same_distances(tmp_path: Path) -> None:
    """The analytic bundle computes two of them by itself, in other words."""
    density = load_density(write_gaussian(mixed_model(), tmp_path / "x.llb"))
    claimed = density.manifest.validation.sample_metrics
    heldout = read_density_heldout(density.bundle)
    names = [item.quantity for item in claimed]
    found = density_distances(density, heldout, quantities=names, seed=claimed[0].seed)
    for mine, theirs in zip(found, claimed, strict=True):
        assert mine.value == pytest.approx(theirs.value, rel=1e-9)
        assert mine.null == pytest.approx(theirs.null, abs=3.0 * theirs.null_std)


@pytest.mark.requirement("CLAIM-4")
def test_distances_of_another_density_are_far_above_their_null(tmp_path: Path) -> None:
    model = mixed_model()
    wider = GaussianModel(model.id, model.parameters, model.mean, 1.3 * model.root)
    truth = gaussian_files(model)[HELDOUT].decode()
    density = load_density(write_changed(tmp_path / "x.llb", wider, heldout=lambda _: truth))
    found = density_distances(density, read_density_heldout(density.bundle))
    off = {item.quantity: (item.value - item.null) / item.null_std for item in found}
    assert off["mean_ks"] > 5.0
    assert off["log_prob_ks"] > 5.0
    assert abs(off["correlation"]) < 5.0
