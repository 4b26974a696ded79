"""Simulated experiments of a workspace: the prior that is meant, and counts at the parameters."""

from __future__ import annotations

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from pyhf_models import Pyhf
from scipy import stats

from llb_trainer.chains import lower_bounds, upper_bounds
from llb_trainer.quickstart import patchset_path, workspace_path
from llb_trainer.teachers.densities import HistFactoryDensity, draw_experiments, histfactory_density

PATCH = "PP_300_1"
N = 4000


@pytest.fixture(scope="module")
def density() -> HistFactoryDensity:
    return histfactory_density(
        workspace_path(), patchset=patchset_path(), patch=PATCH, limits={"mu_SIG": (0.0, 3.0)}
    )


def test_parameters_follow_the_prior(density: HistFactoryDensity) -> None:
    drawn = draw_experiments(density, N, 1)
    theta, terms = drawn.parameters.values, density.constraint_terms
    low, high = lower_bounds(density.parameters), upper_bounds(density.parameters)
    assert np.all((theta >= low) & (theta <= high))
    names = [item.name for item in density.parameters]
    assert (low[names.index("mu_SIG")], high[names.index("mu_SIG")]) == (0.0, 3.0)
    assert {0, 1, 2} == set(terms.kind.tolist())
    for column, kind in enumerate(terms.kind):
        mean, width, factor = terms.nominal[column], terms.width[column], terms.factor[column]
        prior = {
            0: stats.uniform(low[column], high[column] - low[column]),
            1: stats.norm(mean, width),
            2: stats.gamma(mean + 1.0, scale=1.0 / factor),
        }[int(kind)]
        below, above = prior.cdf([low[column], high[column]])
        part = (prior.cdf(theta[:, column]) - below) / (above - below)
        assert stats.kstest(part, "uniform").pvalue > 1e-4, names[column]


def test_counts_are_poisson_around_what_is_expected(density: HistFactoryDensity) -> None:
    drawn = draw_experiments(density, N, 2)
    assert drawn.bins == density.bins
    assert drawn.counts.shape == (N, len(density.bins))
    with jax.enable_x64(True):
        expected = np.asarray(jax.vmap(density.expected_events)(jnp.asarray(drawn.parameters.values)))
    assert np.all(drawn.counts == np.round(drawn.counts))
    pull = (drawn.counts - expected) / np.sqrt(expected)
    np.testing.assert_allclose(pull.mean(axis=0), 0.0, atol=5.0 / np.sqrt(N))
    np.testing.assert_allclose(pull.std(axis=0), 1.0, atol=0.06)


def test_the_same_seed_gives_the_same_experiments(density: HistFactoryDensity) -> None:
    one, two, other = (draw_experiments(density, 50, seed) for seed in (3, 3, 4))
    assert np.array_equal(one.parameters.values, two.parameters.values)
    assert np.array_equal(one.counts, two.counts)
    assert not np.array_equal(one.counts, other.counts)


def test_other_counts_are_other_data(density: HistFactoryDensity) -> None:
    """pyhf's logpdf of the same counts, with the nominal auxiliary data."""
    peer = Pyhf(workspace_path(), patchset_path(), PATCH)
    drawn = draw_experiments(density, 3, 5)
    names = [item.name for item in density.parameters]
    for theta, counts in zip(drawn.parameters.values, drawn.counts, strict=True):
        peer.data[: len(counts)] = counts.tolist()
        expected = peer.logpdf(dict(zip(names, theta, strict=True)))
        with jax.enable_x64(True):
            found = float(density.given(counts).log_likelihood(jnp.asarray(theta)))
        assert found == pytest.approx(expected, rel=1e-9)


def test_what_cannot_be_meant_is_refused(density: HistFactoryDensity) -> None:
    for counts in ([1.0], [-1.0] * len(density.bins), [np.nan] * len(density.bins)):
        with pytest.raises(ValueError, match="counts have to be"):
            density.given(counts)
    for limits in ({"nobody": (0.0, 1.0)}, {"mu_SIG": (-1.0, 1.0)}, {"mu_SIG": (2.0, 1.0)}):
        with pytest.raises(ValueError, match="limits"):
            histfactory_density(workspace_path(), patchset=patchset_path(), patch=PATCH, limits=limits)
