"""Samples of a file, of a teacher and of experiments, on their way to a flow."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from llb_trainer.chains import Parameter, ParameterSamples, write_samples
from llb_trainer.density_sources import experiments_of_workspace, samples_of_file, samples_of_teacher
from llb_trainer.quickstart import patchset_path, workspace_path
from llb_trainer.teachers.densities import electroweak_like, histfactory_density

PARAMETERS = (Parameter("mu", "poi"), Parameter("alpha"))


def written(path: Path, chains: int, each: int = 500) -> ParameterSamples:
    """Samples whose second column is the number of their chain."""
    chain = np.repeat(np.arange(max(chains, 1), dtype=np.int64), each)
    values = np.column_stack([np.random.default_rng(1).standard_normal(len(chain)), chain])
    samples = ParameterSamples(PARAMETERS, values, -0.5 * values[:, 0] ** 2, chain if chains else None)
    write_samples(path, samples)
    return samples


def test_whole_chains_are_held_out(tmp_path: Path) -> None:
    samples = written(tmp_path / "chain.npz", 8)
    found = samples_of_file(tmp_path / "chain.npz", heldout=700)
    training, heldout = (set(part.values[:, 1].tolist()) for part in (found.training, found.heldout))
    assert training | heldout == set(range(8))
    assert not training & heldout
    assert len(found.heldout) == 700
    assert len(found.training) == 3000
    assert found.heldout.log_density is not None
    np.testing.assert_array_equal(found.heldout.log_density, -0.5 * found.heldout.values[:, 0] ** 2)
    assert samples.names == tuple(item.parameter for item in found.prior)
    assert [file.name for file in found.source.files] == ["chain.npz"]


@pytest.mark.parametrize("chains", [0, 1])
def test_of_one_chain_the_end_is_held_out(chains: int, tmp_path: Path) -> None:
    samples = written(tmp_path / "chain.npz", chains, 1000)
    found = samples_of_file(tmp_path / "chain.npz", heldout=400)
    assert (len(found.training), len(found.heldout)) == (750, 250)
    np.testing.assert_array_equal(found.training.values, samples.values[:750])
    assert set(found.heldout.values[:, 0]) == set(samples.values[750:, 0])


def test_an_exact_teacher_draws_by_itself() -> None:
    teacher = electroweak_like()
    found = samples_of_teacher(teacher, 300, 100, seed=4)
    np.testing.assert_array_equal(found.training.values, teacher.samples(300, 4).values)
    assert len(found.heldout) == 100
    assert found.log_normalisation == 0.0
    assert not set(found.training.values[:, 0]) & set(found.heldout.values[:, 0])


def test_a_workspace_is_sampled_by_chains_that_are_told_of() -> None:
    teacher = histfactory_density(workspace_path(), patchset=patchset_path(), patch="PP_300_1")
    told: list[tuple[int, int]] = []
    found = samples_of_teacher(
        teacher, 400, 160, chains=8, keep=True, progress=lambda done, total: told.append((done, total))
    )
    assert (len(found.training), len(found.heldout)) == (400, 160)
    for name in ("training_chains", "heldout_chains"):
        record = found.record[name]
        assert record["chains"] == 8
        assert 0.9 < record["r_hat"] < 1.5
        assert record["ess_bulk"] > 10
    assert told[-1] == (560, 560)
    assert sorted(told) == told


def test_experiments_have_counts_as_conditions() -> None:
    density = histfactory_density(workspace_path(), patchset=patchset_path(), patch="PP_300_1")
    found = experiments_of_workspace(density, 200, 50, seed=1)
    assert found.conditions is not None
    assert found.conditions.names == density.bins
    assert found.conditions.training.shape == (200, len(density.bins))
    assert found.conditions.heldout.shape == (50, len(density.bins))
    said = found.conditions.to_json()
    assert [item["unit"] for item in said] == ["events"] * len(density.bins)
    assert said[0]["bounds"]["upper"] == found.conditions.training[:, 0].max()
