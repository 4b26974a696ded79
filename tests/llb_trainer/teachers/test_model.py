"""Derivatives of the compiled model, signal included, against automatic differentiation."""

from __future__ import annotations

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jax import Array
from numpy.typing import NDArray

from llb_trainer.quickstart import workspace_path
from llb_trainer.teachers.histfactory import read_workspace
from llb_trainer.teachers.histfactory.compile import compile_workspace, with_signal
from llb_trainer.teachers.histfactory.curvature import curvature, hessian, times
from llb_trainer.teachers.histfactory.datasets import observed
from llb_trainer.teachers.histfactory.likelihood import Likelihood
from llb_trainer.teachers.histfactory.rates import Data, events, expectation, nll, shortfall, slopes

Floats = NDArray[np.float64]
UNCERTAINTIES = [pytest.param(0.0, id="signal exact"), pytest.param(0.2, id="signal known to 20 %")]


def embedded(uncertainty: float) -> tuple[Likelihood, Data]:
    workspace = read_workspace(workspace_path())
    model = with_signal(compile_workspace(workspace), lumi=True, uncertainty=uncertainty)
    likelihood = Likelihood.of(model)
    return likelihood, likelihood.data([observed(model, workspace.observed)])


def random_theta(likelihood: Likelihood, rng: np.random.Generator) -> Array:
    spread = np.where(likelihood.lower < 0, 1.5, 0.2)
    theta = likelihood.start + spread * rng.standard_normal(len(likelihood.order))
    return jnp.asarray(np.clip(theta, likelihood.lower, likelihood.upper)[:, None])


@pytest.mark.parametrize("uncertainty", UNCERTAINTIES)
def test_gradient_and_hessian_are_the_automatic_ones(uncertainty: float) -> None:
    rng = np.random.default_rng(2)
    with jax.enable_x64(True):
        likelihood, data = embedded(uncertainty)
        t = likelihood.device_tables
        theta = random_theta(likelihood, rng)
        signal = jnp.asarray(rng.uniform(0, 20, (likelihood.model.n_bins, 1)))

        def value(theta: Array) -> Array:
            return nll(t, theta[:, None], events(t, theta[:, None], signal), data)[0]

        found = jax.jit(expectation)(t, theta, signal)
        force, second = slopes(t, theta, data)
        gradient = jnp.sum(found.jacobian * shortfall(found.events, data)[:, None], axis=0) + force
        np.testing.assert_allclose(
            gradient[:, 0], jax.jit(jax.grad(value))(theta[:, 0]), rtol=1e-9, atol=1e-9
        )
        at = curvature(t, found, data, second)
        exact = np.asarray(jax.jit(jax.hessian(value))(theta[:, 0]))
        np.testing.assert_allclose(hessian(t, at)[0], exact, rtol=1e-8, atol=1e-8)
        vector = rng.standard_normal((len(exact), 1))
        np.testing.assert_allclose(times(t, at, jnp.asarray(vector)), exact @ vector, rtol=1e-8, atol=1e-8)


def test_a_factor_of_zero_is_no_obstacle() -> None:
    """A free normalisation at its bound 0 makes a whole product vanish; its derivative must not."""
    with jax.enable_x64(True):
        likelihood, _ = embedded(0.0)
        t, model = likelihood.device_tables, likelihood.model
        column = likelihood.order.parameters.tolist().index(model.free_norms[0])
        zero, one = (jnp.asarray(likelihood.start).at[column].set(x)[:, None] for x in (0.0, 1.0))
        nothing = jnp.zeros((model.n_bins, 1))
        slope = jax.jit(expectation)(t, zero, nothing).jacobian[:, column, 0]
        # events are linear in a normalisation
        exact = (events(t, one, nothing) - events(t, zero, nothing))[:, 0]
    np.testing.assert_allclose(slope, exact, rtol=1e-10, atol=1e-10)
    assert np.abs(exact).max() > 1


@pytest.mark.requirement("SIGNAL-1")
def test_signal_uncertainty_scales_all_bins_alike() -> None:
    with jax.enable_x64(True):
        likelihood, _ = embedded(0.2)
        column = likelihood.moving_names.index("signal_uncertainty")
        theta = np.tile(likelihood.start, (3, 1))
        theta[:, column] = (-1.0, 0.0, 1.0)
        _, scale = likelihood.background(theta)
    np.testing.assert_allclose(scale, [1 / 1.2, 1.0, 1.2], rtol=1e-12)
