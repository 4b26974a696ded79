"""The plugin in old releases of Spey, each in an environment of its own; not in CI, which has no network."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from llb_conformance import QuadraticModel, parabola_model, write_quadratic

ROOT = Path(__file__).resolve().parents[2]
# setuptools: Spey 0.1 imports pkg_resources without asking for it.
OURS = ("onnx", "onnxruntime", "jsonpatch", "jsonschema", "referencing", "scipy>=1.15", "setuptools<81")


@pytest.fixture(scope="module", params=["0.1.11", "0.2.6"])
def python(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> str:
    """The interpreter of an environment with that release of Spey."""
    uv = shutil.which("uv", path=f"{Path(sys.executable).parent}{os.pathsep}{os.environ.get('PATH', '')}")
    if os.environ.get("CI") or uv is None:
        pytest.skip("needs uv and a package index")
    home = tmp_path_factory.mktemp("spey") / "env"
    for step in (
        ["venv", "--quiet", "--python", sys.executable, str(home)],
        ["pip", "install", "--quiet", "--python", str(home / "bin/python"), f"spey=={request.param}", *OURS],
    ):
        try:
            done = subprocess.run([uv, *step], capture_output=True, text=True, timeout=120)
        except subprocess.TimeoutExpired:
            pytest.skip(f"uv {step[0]} takes too long")
        if done.returncode:
            pytest.skip(f"uv {step[0]} failed: {(done.stderr.splitlines() or ['?'])[-1]}")
    return str(home / "bin/python")


def ask(python: str, bundle: Path, signal: dict[str, float]) -> dict[str, Any]:
    paths = os.pathsep.join(str(ROOT / wing) for wing in ("schema", "reference", "plugins"))
    environment = {**os.environ, "PYTHONPATH": paths, "SPEY_CHECKUPDATE": "OFF"}
    command = [python, str(Path(__file__).with_name("probe.py")), str(bundle), json.dumps(signal)]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    return json.loads(next(line for line in done.stdout.splitlines() if line.startswith("{")))


@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_limits_equal_the_closed_form(python: str, dtype: str, tmp_path: Path) -> None:
    model: QuadraticModel = parabola_model().with_precision(dtype)
    found = ask(python, write_quadratic(model, tmp_path / "toy.llb"), {"SR": 1.0})
    exact = model.exact([1.0])
    assert found["cls_observed"] == pytest.approx([exact.cls_observed], rel=1e-4)
    assert found["cls_apriori"] == pytest.approx(exact.cls_apriori, rel=1e-4)
    assert found["upper_limit_observed"] == pytest.approx(exact.upper_limit_observed, rel=1e-4)
    np.testing.assert_allclose(found["upper_limit_expected"], exact.upper_limit_expected, rtol=1e-4)
    assert found["upper_limit_apriori"] == pytest.approx(exact.upper_limit_apriori[2], rel=1e-4)
    # Two equal likelihoods: parabolas with twice the curvature.
    assert found["combined"] == pytest.approx(1.196146, rel=1e-5)
