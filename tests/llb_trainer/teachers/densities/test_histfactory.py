"""Workspaces in parameter space against pyhf's own logpdf."""

from __future__ import annotations

from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from numpy.typing import NDArray
from pyhf_models import Pyhf

from llb_schema import FindingError
from llb_trainer.chains.parameters import lower_bounds, upper_bounds
from llb_trainer.quickstart import patchset_path, workspace_path
from llb_trainer.teachers.densities import HistFactoryDensity, histfactory_density

Floats = NDArray[np.float64]

STAU = ("Region-combined_BkgOnly.json", "Region-combined_patchset.json", "DS_100_1_Staus")


def agreement(density: HistFactoryDensity, peer: Pyhf, points: int) -> None:
    lower, upper = lower_bounds(density.parameters), upper_bounds(density.parameters)
    names = [item.name for item in density.parameters]
    generator, compared = np.random.default_rng(0), 0
    with jax.enable_x64(True):
        value = jax.jit(density.log_likelihood)
        for width in np.linspace(0.01, 0.15, points):
            theta = density.start + width * (upper - lower) * generator.standard_normal(len(lower))
            theta = np.clip(theta, lower, upper)
            found = float(value(jnp.asarray(theta)))
            if np.isfinite(found):
                compared += 1
                expected = peer.logpdf(dict(zip(names, theta, strict=True)))
                assert found == pytest.approx(expected, rel=1e-9)
    assert compared > points / 2


@pytest.mark.parametrize("patched", [True, False])
def test_the_embedded_search(patched: bool) -> None:
    patchset, patch = (patchset_path(), "PP_300_1") if patched else (None, "")
    density = histfactory_density(workspace_path(), patchset=patchset, patch=patch)
    assert [item.name for item in density.parameters if item.role == "poi"] == ["mu_SIG"] * patched
    agreement(density, Pyhf(workspace_path(), patchset, patch), 30)


def test_a_published_search_with_a_published_signal(shared_data: Path) -> None:
    folder = shared_data / "ATLAS-SUSY-2018-04"
    density = histfactory_density(folder / STAU[0], patchset=folder / STAU[1], patch=STAU[2])
    # mu, the 118 nuisances of the background, and one that the published signal brings
    assert [item.role for item in density.parameters].count("poi") == 1
    assert len(density.parameters) == 120
    agreement(density, Pyhf(folder / STAU[0], folder / STAU[1], STAU[2]), 20)
    assert [file.name for file in density.source.files] == list(STAU[:2])
    digest = "956aef2f8ba24ff49ac328757e1689c03be73c0ef846744555257eb98e894d10"
    assert density.source.details["pyhf_digest"] == digest
    assert [channel.bins for channel in density.source.channels] == [1] * 5
    assert not any(STAU[2] in sample for channel in density.source.channels for sample in channel.samples)


def embedded() -> HistFactoryDensity:
    return histfactory_density(workspace_path(), patchset=patchset_path(), patch="PP_300_1")


def test_the_prior_is_flat_where_nothing_constrains() -> None:
    density = embedded()
    kinds = {item.parameter: item.kind for item in density.prior}
    widths = {item.name: item.upper - item.lower for item in density.parameters}
    flat = [name for name, kind in kinds.items() if kind == "uniform"]
    assert "mu_SIG" in flat
    assert kinds["lumi"] == "constraint"
    with jax.enable_x64(True):
        start = jnp.asarray(density.start)
        expected = -sum(np.log(widths[name]) for name in flat)
        assert float(density.log_prior(start)) == pytest.approx(expected)
        both = jax.jit(jax.value_and_grad(density.log_density))
        value, slope = both(start)
        assert float(value) == pytest.approx(float(jax.jit(density.log_likelihood)(start)) + expected)
        place = [item.name for item in density.parameters].index("mu_SIG")
        assert float(both(start.at[place].set(-0.1))[0]) == -np.inf
    assert np.isfinite(np.asarray(slope)).all()


def test_parameters_that_change_no_events_keep_their_constraint(shared_data: Path) -> None:
    folder = shared_data / "ATLAS-SUSY-2018-04"
    density = histfactory_density(folder / STAU[0])
    assert all(item.role == "nuisance" for item in density.parameters)
    moving = set(density.likelihood.moving_names)
    idle = [i for i, item in enumerate(density.parameters) if item.name not in moving]
    assert idle
    with jax.enable_x64(True):
        start = jnp.asarray(density.start)
        value = jax.jit(density.log_likelihood)
        change = float(value(start.at[idle[0]].add(1.0)) - value(start))
    assert change == pytest.approx(-0.5)


def test_patches_that_do_not_fit(tmp_path: Path, shared_data: Path) -> None:
    broken = tmp_path / "patchset.json"
    broken.write_text("{}", encoding="utf-8")
    foreign = shared_data / "ATLAS-SUSY-2018-04" / STAU[1]
    for patchset, patch in ((patchset_path(), "PP_300_2"), (broken, "PP_300_1"), (foreign, STAU[2])):
        with pytest.raises(FindingError) as error:
            histfactory_density(workspace_path(), patchset=patchset, patch=patch)
        assert [item.code for item in error.value.findings] == ["LLB-W081"]
    with pytest.raises(FindingError, match="LLB-X003"):
        histfactory_density(workspace_path(), patchset=tmp_path / "none.json", patch="PP_300_1")
