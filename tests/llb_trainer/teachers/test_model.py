"""The compiled model against pyhf, on every real workspace and on the embedded one."""

from __future__ import annotations

import copy
import json
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from numpy.typing import NDArray

from llb_schema import FindingError
from llb_trainer.quickstart import load_workspace, workspace_path
from llb_trainer.teachers.histfactory import read_workspace
from llb_trainer.teachers.histfactory.compile import CompiledModel, compile_workspace
from llb_trainer.teachers.histfactory.datasets import observed
from llb_trainer.teachers.histfactory.rates import (
    Data,
    constraint_slopes,
    events,
    expectation,
    hessian,
    nll,
    tables,
)

REAL = [
    "ATLAS-SUSY-2018-04/Region-combined_BkgOnly.json",
    "ATLAS-SUSY-2018-16/EWKinos_BkgOnly.json",
    "ATLAS-SUSY-2018-31/RegionA_BkgOnly.json",
    "ATLAS-SUSY-2018-32/BkgOnly.json",
    "ATLAS-SUSY-2019-08/BkgOnly.json",
]


def random_parameters(model: CompiledModel, rng: np.random.Generator) -> NDArray[np.float64]:
    """Parameters about two sigma around their nominal values, inside the bounds."""
    spread = np.where(model.constraints.kind == 1, 2 * model.constraints.width, 0.3)
    moved = np.clip(model.init + spread * rng.standard_normal(model.n_parameters), model.lower, model.upper)
    return np.where(model.fixed, model.init, moved)


@pytest.mark.parametrize("name", ["embedded", *REAL])
def test_model_is_pyhfs(name: str, shared_data: Path) -> None:
    workspace = read_workspace(workspace_path() if name == "embedded" else shared_data / name)
    model = compile_workspace(workspace)
    rng = np.random.default_rng(1)
    with jax.enable_x64(True):
        t = tables(model, lumi_on_signal=False)
        data = observed(model, workspace.observed)
        value, expected = jax.jit(nll), jax.jit(events)
        for _ in range(10):
            theta, nothing = random_parameters(model, rng), jnp.zeros(model.n_bins)
            theirs = workspace.model.expected_actualdata(theta)
            np.testing.assert_allclose(expected(t, theta, nothing), theirs, rtol=1e-10)
            if np.min(theirs) > 0:
                full = [*data.main, *workspace.model.config.auxdata]
                ours = float(
                    value(t, theta, nothing, Data(jnp.asarray(data.main), jnp.asarray(data.auxiliary)))
                )
                assert ours == pytest.approx(-float(workspace.model.logpdf(theta, full)[0]), rel=1e-10)


def test_hessian_and_gradient_are_automatic_ones() -> None:
    workspace = read_workspace(workspace_path())
    model = compile_workspace(workspace)
    rng = np.random.default_rng(2)
    with jax.enable_x64(True):
        t = tables(model, lumi_on_signal=True)
        data = Data(*map(jnp.asarray, (observed(model, workspace.observed).main, model.constraints.nominal)))
        theta = jnp.asarray(random_parameters(model, rng))
        signal = jnp.asarray(rng.uniform(0, 20, model.n_bins))
        found = jax.jit(expectation)(t, theta, signal)
        slope, curvature = constraint_slopes(t, theta, data.auxiliary)
        gradient = found.jacobian.T @ (1 - data.main / found.events) + slope
        np.testing.assert_allclose(
            gradient, jax.jit(jax.grad(nll, 1))(t, theta, signal, data), rtol=1e-9, atol=1e-9
        )
        exact = jax.jit(jax.hessian(nll, 1))(t, theta, signal, data)
        np.testing.assert_allclose(jax.jit(hessian)(t, found, data, curvature), exact, rtol=1e-8, atol=1e-8)


def test_a_factor_of_zero_is_no_obstacle() -> None:
    """A free normalisation at its bound 0 makes a whole product vanish; its derivative must not."""
    workspace = read_workspace(workspace_path())
    model = compile_workspace(workspace)
    with jax.enable_x64(True):
        t = tables(model, lumi_on_signal=False)
        theta = jnp.asarray(model.init).at[model.free_norms[0]].set(0.0)
        found = jax.jit(expectation)(t, theta, jnp.zeros(model.n_bins))
        exact = jax.jit(jax.jacobian(events, 1))(t, theta, jnp.zeros(model.n_bins))
    np.testing.assert_allclose(found.jacobian, exact, rtol=1e-10, atol=1e-10)
    assert np.abs(exact[:, model.free_norms[0]]).max() > 1


def changed(change: Any) -> bytes:
    document = copy.deepcopy(load_workspace())
    change(document)
    return json.dumps(document).encode()


def _first_normsys(document: dict[str, Any]) -> dict[str, Any]:
    modifiers = (m for c in document["channels"] for s in c["samples"] for m in s["modifiers"])
    return next(m for m in modifiers if m["type"] == "normsys")


BAD = {
    "empty file": (b"", "LLB-W001"),
    "not JSON": (b"PK\x03\x04", "LLB-W001"),
    "a list": (b"[]", "LLB-W002"),
    "no channels": (changed(lambda d: d.pop("channels")), "LLB-W002"),
    "no observation": (changed(lambda d: d["observations"].pop()), "LLB-W006"),
    "template too short": (changed(lambda d: d["channels"][0]["samples"][0]["data"].append(1.0)), "LLB-W002"),
    "unknown modifier": (changed(lambda d: _first_normsys(d).update(type="magic")), "LLB-W002"),
    "NaN yield": (
        changed(lambda d: d["channels"][0]["samples"][0]["data"].__setitem__(0, float("nan"))),
        "LLB-W005",
    ),
    "infinite observation": (
        changed(lambda d: d["observations"][0]["data"].__setitem__(0, float("inf"))),
        "LLB-W005",
    ),
    "holds a signal": (
        changed(
            lambda d: d["channels"][0]["samples"][0]["modifiers"].append(
                {"name": "mu_SIG", "type": "normfactor", "data": None}
            )
        ),
        "LLB-W004",
    ),
    "normsys of zero": (changed(lambda d: _first_normsys(d)["data"].update(lo=0.0)), "LLB-W011"),
}


@pytest.mark.parametrize("name", BAD)
def test_bad_workspace_is_one_finding(name: str, tmp_path: Path) -> None:
    content, code = BAD[name]
    path = tmp_path / "workspace.json"
    path.write_bytes(content)
    with pytest.raises(FindingError) as caught:
        compile_workspace(read_workspace(path))
    assert [item.code for item in caught.value.findings] == [code]


def test_unknown_measurement_names_those_there_are() -> None:
    with pytest.raises(FindingError) as caught:
        read_workspace(workspace_path(), "nothing")
    assert caught.value.findings[0].code == "LLB-W003"
    assert caught.value.findings[0].expected
