"""Chains of densities that are known exactly, and of the toy whose moments are published."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from known_densities import TwoModes, Walls

from llb_schema import FindingError, has_errors
from llb_trainer.chains import sample_findings
from llb_trainer.mcmc import DensitySampler, NutsSettings, SampledDensity, sample_density
from llb_trainer.teachers.densities import read_toy

QUICK = NutsSettings(warm_up=250)


@cache
def sampler() -> DensitySampler:
    return DensitySampler(Walls(), QUICK)


@cache
def run() -> SampledDensity:
    return sampler().run(16_000, seed=2)


def test_moments_and_tails_of_a_density_with_walls() -> None:
    found, truth = run().samples.values, Walls().draws(200_000, seed=1)
    assert sample_findings(run().samples) == ()
    assert not has_errors(run().findings)
    assert run().diagnostics.r_hat.max() < 1.01
    width = truth.std(axis=0)
    np.testing.assert_allclose((found.mean(axis=0) - truth.mean(axis=0)) / width, 0.0, atol=0.04)
    np.testing.assert_allclose(found.std(axis=0) / width, 1.0, atol=0.05)
    # the share below the first and above the last per cent of the truth, where walls are
    for place in (0.01, 0.99):
        np.testing.assert_allclose((found < np.quantile(truth, place, axis=0)).mean(0), place, atol=0.004)


def test_the_samples_carry_their_log_density_and_chain() -> None:
    samples = run().samples
    assert len(samples) == 16_000
    assert samples.by_chain().shape == (16, 1000, 5)
    with jax.enable_x64(True):
        expected = jax.jit(jax.vmap(Walls().log_density))(jnp.asarray(samples.values))
    assert samples.log_density is not None
    np.testing.assert_allclose(samples.log_density, expected, rtol=1e-12)
    assert 0.6 < run().acceptance < 1.0
    assert run().steps > len(samples)


def test_the_seed_decides() -> None:
    told: list[tuple[int, int]] = []

    def tell(done: int, total: int) -> None:
        told.append((done, total))

    one, same, other = (sampler().run(1001, seed=seed, keep=True, progress=tell) for seed in (1, 1, 3))
    np.testing.assert_array_equal(one.samples.values, same.samples.values)
    assert not np.array_equal(one.samples.values, other.samples.values)
    assert len(one.samples) == 16 * 63
    assert told[:2] == [(16 * 50, 16 * 63), (16 * 63, 16 * 63)]


def test_few_draws_are_not_handed_on_silently() -> None:
    with pytest.raises(FindingError) as error:
        sampler().run(160, seed=1)
    assert "LLB-L222" in [item.code for item in error.value.findings]
    kept = sampler().run(160, seed=1, keep=True)
    assert len(kept.samples) == 160
    assert has_errors(kept.findings)


def test_chains_in_different_modes_are_refused() -> None:
    starts = np.repeat([[0.0], [12.0]], 4, axis=0)
    with pytest.raises(FindingError) as error:
        sample_density(TwoModes(), 4000, settings=QUICK, starts=starts)
    assert "LLB-L221" in [item.code for item in error.value.findings]


def test_a_start_outside() -> None:
    starts = np.tile(Walls().start, (16, 1))
    starts[3, 0] = -1.0
    with pytest.raises(FindingError) as error:
        sampler().run(160, starts=starts)
    assert [item.code for item in error.value.findings] == ["LLB-L220"]


def test_the_toy_has_its_published_moments(shared_data: Path) -> None:
    """95 means and standard deviations of the original two million samples."""
    folder = shared_data / "toy"
    toy = read_toy(folder / "toy_likelihood_data.json")
    published = json.loads((folder / "nflikelihoods_preprocess_means_stds.json").read_bytes())["toy"]
    means, widths = np.asarray(published["means"]), np.asarray(published["stds"])
    found = sample_density(toy, 32_000, chains=16, seed=1, settings=NutsSettings(warm_up=250))
    values = found.samples.values
    assert np.abs((values.mean(axis=0) - means) / widths).max() < 0.02
    assert np.abs(values.std(axis=0) / widths - 1).max() < 0.02
    assert found.diagnostics.r_hat.max() < 1.01
    assert min(found.diagnostics.ess_bulk.min(), found.diagnostics.ess_tail.min()) > 4000
    with jax.enable_x64(True):
        density = jax.jit(jax.vmap(toy.log_density))(jnp.asarray(values[:100]))
    np.testing.assert_allclose(found.samples.log_density[:100], density, rtol=1e-12)  # pyright: ignore[reportOptionalSubscript]
