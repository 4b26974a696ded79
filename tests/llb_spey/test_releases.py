"""The plugin in releases of Spey, each in an environment of its own, beside a full model of spey-pyhf."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pyhf
import pytest
from outside import fetching, uv
from scipy.optimize import brentq, minimize_scalar

from llb.runtime import cls_expected, cls_observed
from llb_conformance import parabola_model, write_quadratic
from llb_spey import ProfileLikelihoodBackend

ROOT = Path(__file__).resolve().parents[2]
# The newest spey-pyhf that each takes. setuptools: Spey 0.1 imports pkg_resources without asking for it.
RELEASES = {"0.1.11": "0.1.10", "0.2.6": "0.2.2", "0.2.7": "0.2.2"}
OURS = ("onnx", "onnxruntime", "jsonpatch", "jsonschema", "referencing", "scipy>=1.15", "setuptools<81")

UNCERTAIN = {"name": "u", "type": "normsys", "data": {"hi": 1.2, "lo": 0.8}}
WORKSPACE: dict[str, Any] = {
    "channels": [{"name": "SR", "samples": [{"name": "b", "data": [9.0], "modifiers": [UNCERTAIN]}]}],
    "observations": [{"name": "SR", "data": [11.0]}],
    "measurements": [{"name": "m", "config": {"poi": "mu", "parameters": []}}],
    "version": "1.0.0",
}
PATCH = [
    {
        "op": "add",
        "path": "/channels/0/samples/1",
        "value": {
            "name": "s",
            "data": [7.0],
            "modifiers": [{"name": "mu", "type": "normfactor", "data": None}],
        },
    }
]


@pytest.fixture(scope="module", params=RELEASES)
def python(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> str:
    """The interpreter of an environment with that release of Spey."""
    home = tmp_path_factory.mktemp("spey") / "env"
    fetching(uv(), "venv", "--quiet", "--python", sys.executable, str(home))
    python = str(home / "bin/python")
    theirs = (f"spey=={request.param}", f"spey-pyhf=={RELEASES[request.param]}")
    fetching(uv(), "pip", "install", "--quiet", "--python", python, *theirs, *OURS)
    return python


def ask(python: str, bundles: list[Path], signal: dict[str, float]) -> list[dict[str, Any]]:
    """What that release answers, for all bundles from one process: starting it takes longest."""
    paths = os.pathsep.join(str(ROOT / wing) for wing in ("schema", "reference", "plugins"))
    environment = {**os.environ, "PYTHONPATH": paths, "SPEY_CHECKUPDATE": "OFF"}
    documents = map(json.dumps, (signal, WORKSPACE, PATCH))
    command = [python, str(Path(__file__).with_name("probe.py")), *documents, *map(str, bundles)]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    return json.loads(next(line for line in done.stdout.splitlines() if line.startswith("[{")))


def full_model() -> tuple[Callable[[float], float], Callable[[float], float]]:
    """-ln L of the pyhf model by mu, on the observed and on the background-only Asimov data."""
    model = pyhf.Workspace(WORKSPACE).model(patches=[PATCH])
    observed = pyhf.Workspace(WORKSPACE).data(model)
    asimov = pyhf.infer.calculators.generate_asimov_data(0.0, observed, model, None, None, None)

    def nll(data: Any, mu: float) -> float:
        # Not a fit with a fixed parameter: SLSQP is not exact enough to be the truth.
        return float(
            minimize_scalar(
                lambda alpha: -model.logpdf(pars_of(model, mu, alpha), data)[0],
                bounds=(-5, 5),
                method="bounded",
                options={"xatol": 1e-10},
            ).fun
        )

    return partial(nll, observed), partial(nll, asimov)


def pars_of(model: pyhf.Model, mu: float, alpha: float) -> list[float]:
    pars = [0.0, 0.0]
    pars[model.config.poi_index], pars[model.config.par_order.index("u")] = mu, alpha
    return pars


def mixed_cls(mu: float, sigma: float, sigma_asimov: float, mu_hat: float) -> tuple[float, list[float]]:
    """CLs and expected band of the sum of two likelihoods: parabolas of the bundle, and pyhf's model."""
    observed, asimov = full_model()

    def total(x: float) -> float:
        return 0.5 * ((x - mu_hat) / sigma) ** 2 + observed(x)

    def total_asimov(x: float) -> float:
        return 0.5 * (x / sigma_asimov) ** 2 + asimov(x)

    best = minimize_scalar(total, bounds=(0.0, 5.0), method="bounded", options={"xatol": 1e-9})
    q = 0.0 if best.x > mu else max(0.0, 2.0 * (total(mu) - best.fun))
    q_asimov = 2.0 * (total_asimov(mu) - total_asimov(0.0))
    numbers = np.array([q]), np.array([q_asimov])
    return float(cls_observed(*numbers)[0]), np.asarray(cls_expected(numbers[1]))[0].tolist()


def test_releases_are_those_that_the_plugin_names() -> None:
    assert ProfileLikelihoodBackend.spey_requires == ">=0.1.11,<0.3.0"


def test_numbers_equal_the_closed_form(python: str, tmp_path: Path) -> None:
    models = [parabola_model().with_precision(dtype) for dtype in ("float64", "float32")]
    bundles = [write_quadratic(model, tmp_path / f"{number}.llb") for number, model in enumerate(models)]
    mixed, mixed_band = mixed_cls(1.2, 0.5, 0.55, 0.6)
    mixed_limit = brentq(lambda mu: mixed_cls(mu, 0.5, 0.55, 0.6)[0] - 0.05, 0.7, 2.0, rtol=1e-7)
    for model, found in zip(models, ask(python, bundles, {"SR": 1.0}), strict=True):
        exact, beyond = model.exact([1.0]), model.exact([1.2])
        assert found["cls"]["observed"] == pytest.approx([beyond.cls_observed], rel=1e-4)
        assert found["cls"]["apriori"] == pytest.approx(beyond.cls_apriori, rel=1e-4)
        assert found["cls"]["aposteriori"] == pytest.approx(beyond.cls_expected, rel=1e-4)
        assert found["upper_limit_observed"] == pytest.approx(exact.upper_limit_observed, rel=1e-4)
        np.testing.assert_allclose(found["bands"]["aposteriori"], exact.upper_limit_expected, rtol=1e-4)
        np.testing.assert_allclose(found["bands"]["apriori"], exact.upper_limit_apriori, rtol=1e-4)
        assert found["sigma_mu"] == {
            "observed": pytest.approx(0.5, rel=1e-5),
            "apriori": pytest.approx(0.45, rel=1e-5),
        }
        assert found["chi2"] == pytest.approx((0.6 / 0.5) ** 2, rel=1e-5)
        assert found["best"][0] == pytest.approx(0.6, rel=1e-4)
        # Two equal likelihoods: parabolas with twice the curvature.
        assert found["combined"] == pytest.approx(1.196146, rel=1e-5)
        assert found["mixed_cls"]["observed"] == pytest.approx([mixed], rel=1e-4)
        np.testing.assert_allclose(found["mixed_cls"]["aposteriori"], mixed_band, rtol=1e-4)
        assert found["mixed_upper_limit"] == pytest.approx(mixed_limit, rel=1e-4)
