"""The compiled model against pyhf: generated workspaces and the real ones, every interpolation code.

Values are pyhf's to 1e-10; derivatives are held to differences of pyhf's own values along random directions.
"""

from __future__ import annotations

import json
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import HealthCheck, Phase, example, given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from workspaces import INTERPOLATIONS, workspaces

from llb_trainer.quickstart import workspace_path
from llb_trainer.teachers.histfactory import Workspace, curvature, rates, read_workspace
from llb_trainer.teachers.histfactory.compile import CompiledModel, compile_workspace, with_signal
from llb_trainer.teachers.histfactory.datasets import asimov, observed
from llb_trainer.teachers.histfactory.likelihood import Likelihood
from llb_trainer.teachers.histfactory.tables import Tables

Floats = NDArray[np.float64]

REAL = [
    "ATLAS-SUSY-2018-04/Region-combined_BkgOnly.json",
    "ATLAS-SUSY-2018-16/EWKinos_BkgOnly.json",
    "ATLAS-SUSY-2018-31/RegionA_BkgOnly.json",
    "ATLAS-SUSY-2018-32/BkgOnly.json",
    "ATLAS-SUSY-2019-08/BkgOnly.json",
]
CODES = [pytest.param(codes, id="-".join(codes.values())) for codes in INTERPOLATIONS]


def corners() -> dict[str, Any]:
    """A staterror over two channels, a modifier twice (pyhf takes the last), a template shifted for good."""
    scale = {"name": "scale", "inits": [0.7], "fixed": True}
    jes = [{"name": "jes", "type": "normsys", "data": {"hi": hi, "lo": 0.8}} for hi in (1.1, 1.4)]
    return {
        "version": "1.0.0",
        "channels": [
            {
                "name": name,
                "samples": [
                    {
                        "name": "top",
                        "data": data,
                        "modifiers": [
                            *jes,
                            {"name": "stat", "type": "staterror", "data": errors},
                            {
                                "name": "scale",
                                "type": "histosys",
                                "data": {"hi_data": errors, "lo_data": data},
                            },
                        ],
                    }
                ],
            }
            for name, data, errors in (("SR", [9.0, 4.0], [2.0, 1.0]), ("CR", [50.0], [3.0]))
        ],
        "observations": [{"name": "CR", "data": [47.0]}, {"name": "SR", "data": [10.0, 3.0]}],
        "measurements": [{"name": "m", "config": {"poi": "mu_SIG", "parameters": [scale]}}],
    }


@dataclass(frozen=True)
class Evaluated:
    """What the engine says of n parameter vectors, background only, all parameters of the model.

    Attributes:
        thetas: (n, n_parameters) where it was evaluated: parameters that do nothing follow their data.
        moving: (n_parameters,) those that fits move; derivatives by the others are left at zero.
        events: (n, n_bins).
        auxiliary: (n, n_auxiliary) expected auxiliary data in pyhf's order.
        nll: (n,).
        jacobian: (n, n_bins, n_parameters) of the events.
        gradient: (n, n_parameters) of the NLL.
        hessian: (n, n_parameters, n_parameters) of the NLL.
    """

    thetas: Floats
    moving: NDArray[np.bool_]
    events: Floats
    auxiliary: Floats
    nll: Floats
    jacobian: Floats
    gradient: Floats
    hessian: Floats


def evaluate(workspace: Workspace, model: CompiledModel, thetas: Floats) -> Evaluated:
    """The compiled model at `thetas` (n, n_parameters): the only place here that knows the engine."""
    likelihood = Likelihood.of(with_signal(model, lumi=False))
    item, order = observed(model, workspace.observed), likelihood.order.parameters
    thetas = likelihood.full(thetas[:, order], item)
    found = map(
        np.asarray, _batch(likelihood.tables, thetas[:, order].T, likelihood.data([item] * len(thetas)))
    )
    events, nll, jacobian, gradient, hessian = found
    n, size = thetas.shape
    full = np.zeros((n, model.n_bins, size)), np.zeros((n, size)), np.zeros((n, size, size))
    full[0][:, :, order] = jacobian.transpose(2, 0, 1)
    full[1][:, order] = gradient.T
    full[2][:, order[:, None], order] = hessian
    expected = np.stack([asimov(model, events[:, i], theta).auxiliary for i, theta in enumerate(thetas)])
    auxiliary = expected[:, [i for _, where in model.auxiliary for i in where]]
    moves = np.isin(np.arange(size), order)
    return Evaluated(thetas, moves, events.T, auxiliary, nll, *full)


@jax.jit
def _batch(t: Tables, theta: jax.Array, data: rates.Data) -> tuple[jax.Array, ...]:
    nothing = jnp.zeros((len(t.nominal), theta.shape[1]))
    found = rates.expectation(t, theta, nothing)
    slope, bend = rates.slopes(t, theta, data)
    gradient = jnp.einsum("bpn,bn->pn", found.jacobian, rates.shortfall(found.events, data)) + slope
    hessian = curvature.hessian(t, curvature.curvature(t, found, data, bend))
    return found.events, rates.nll(t, theta, found.events, data), found.jacobian, gradient, hessian


def opened(spec: dict[str, Any], codes: dict[str, str]) -> list[Workspace]:
    """The document as `read_workspace` sees it, once per measurement."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "workspace.json"
        path.write_text(json.dumps(spec), encoding="utf-8")
        names = [item["name"] for item in spec["measurements"]]
        return [read_workspace(path, name, interpolation=codes) for name in names]


def random_parameters(model: CompiledModel, rng: np.random.Generator, count: int) -> Floats:
    """Parameters inside the bounds, alphas out to three sigma and at a distance from the kinks at 0 and 1."""
    alpha = (model.constraints.kind == 1) & (model.constraints.width == 1) & (model.lower < 0)
    low = np.maximum(model.lower, np.where(alpha, -3.0, 0.05))
    high = np.minimum(model.upper, np.where(alpha, 3.0, 2.0))
    thetas = rng.uniform(low, high, (count, model.n_parameters))
    distance = thetas - np.round(thetas)
    near = alpha & (np.abs(distance) < 0.02) & (np.abs(thetas) < 1.5)
    thetas = np.where(near, thetas + np.where(thetas > 0, -0.05, 0.05), thetas)
    return np.where(model.fixed, model.init, thetas)


def assert_values_agree(
    workspace: Workspace, theta: Floats, counts: Floats, ours: Evaluated, row: int
) -> None:
    """Expected data and log density are pyhf's, to 1e-10 of the sum of the samples' sizes."""
    pdf = workspace.model
    theirs = np.asarray(pdf.expected_actualdata(theta))
    sizes = np.abs(np.asarray(pdf.main_model.expected_data(theta, return_by_sample=True))).sum(axis=0)
    assert (np.abs(ours.events[row] - theirs) <= 1e-10 * sizes).all()
    if pdf.config.auxdata:
        np.testing.assert_allclose(ours.auxiliary[row], pdf.expected_auxdata(theta), rtol=1e-10)
    # without an observed event pyhf's Poisson term is the expectation itself, below zero too
    if ((theirs > 0) | (counts == 0)).all():
        assert ours.nll[row] == pytest.approx(-log_density(workspace, theta, counts), rel=1e-10, abs=1e-9)
    else:
        assert ours.nll[row] == np.inf


def log_density(workspace: Workspace, theta: Floats, counts: Floats) -> float:
    data = [*counts, *workspace.model.config.auxdata]
    return float(np.asarray(workspace.model.logpdf(theta, data)).ravel()[0])


def assert_derivatives_agree(
    workspace: Workspace, theta: Floats, counts: Floats, ours: Evaluated, row: int
) -> None:
    """Along one random direction, and at steps that stay between the kinks."""
    rng = np.random.default_rng(row)
    direction = np.where(ours.moving, rng.uniform(-1, 1, len(theta)), 0.0)
    steps = {name: size * direction for name, size in (("first", 1e-5), ("second", 1e-4))}
    events = [np.asarray(workspace.model.expected_actualdata(theta + s * steps["first"])) for s in (1, -1)]
    jacobian = ours.jacobian[row] @ direction
    scale = np.abs(ours.jacobian[row]) @ np.abs(direction) + np.abs(events[0])
    assert (np.abs(jacobian - (events[0] - events[1]) / 2e-5) <= 1e-6 * scale).all()
    if not np.isfinite(ours.nll[row]) or (ours.events[row] < 0.02 * scale).any():
        return  # nearly empty bins bend the logarithm within a step
    first, second = (
        [-log_density(workspace, theta + s * steps[name], counts) for s in (1, 0, -1)]
        for name in ("first", "second")
    )
    gradient, curvature = ours.gradient[row] @ direction, direction @ ours.hessian[row] @ direction
    size = np.abs(ours.gradient[row]) @ np.abs(direction) + np.abs(first[1])
    assert gradient == pytest.approx((first[0] - first[2]) / 2e-5, abs=1e-6 * size)
    bend = np.abs(direction) @ np.abs(ours.hessian[row]) @ np.abs(direction) + size
    assert curvature == pytest.approx((second[0] - 2 * second[1] + second[2]) / 1e-8, abs=1e-4 * bend)


def assert_model_is_pyhfs(workspace: Workspace, seed: int, draws: int) -> None:
    model = compile_workspace(workspace)
    config = workspace.model.config
    counts = np.asarray([n for name in config.channels for n in workspace.observed[name]])
    with jax.enable_x64(True):
        thetas = random_parameters(model, np.random.default_rng(seed), draws)
        ours = evaluate(workspace, model, thetas)
        for row, theta in enumerate(ours.thetas):
            assert_values_agree(workspace, theta, counts, ours, row)
            assert_derivatives_agree(workspace, theta, counts, ours, row)


@pytest.mark.parametrize("codes", CODES)
@settings(max_examples=4, suppress_health_check=list(HealthCheck), phases=[Phase.explicit, Phase.generate])
@given(spec=workspaces(), seed=st.integers(0, 2**32 - 1))
@example(spec=corners(), seed=1)
def test_generated_model_is_pyhfs(codes: dict[str, str], spec: dict[str, Any], seed: int) -> None:
    for workspace in opened(spec, codes):
        assert_model_is_pyhfs(workspace, seed, draws=4)


@pytest.mark.parametrize("codes", CODES)
@pytest.mark.parametrize("name", ["embedded", *REAL])
def test_real_model_is_pyhfs(name: str, codes: dict[str, str], shared_data: Path) -> None:
    path = workspace_path() if name == "embedded" else shared_data / name
    assert_model_is_pyhfs(read_workspace(path, interpolation=codes), seed=7, draws=5)
