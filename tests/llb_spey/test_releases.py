"""The plugin in old releases of Spey, each in an environment of its own."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from outside import fetching, uv

from llb_conformance import parabola_model, write_quadratic

ROOT = Path(__file__).resolve().parents[2]
# setuptools: Spey 0.1 imports pkg_resources without asking for it.
OURS = ("onnx", "onnxruntime", "jsonpatch", "jsonschema", "referencing", "scipy>=1.15", "setuptools<81")


@pytest.fixture(scope="module", params=["0.1.11", "0.2.6"])
def python(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> str:
    """The interpreter of an environment with that release of Spey."""
    home = tmp_path_factory.mktemp("spey") / "env"
    fetching(uv(), "venv", "--quiet", "--python", sys.executable, str(home))
    python = str(home / "bin/python")
    fetching(uv(), "pip", "install", "--quiet", "--python", python, f"spey=={request.param}", *OURS)
    return python


def ask(python: str, bundles: list[Path], signal: dict[str, float]) -> list[dict[str, Any]]:
    """What that release answers, for all bundles from one process: starting it takes longest."""
    paths = os.pathsep.join(str(ROOT / wing) for wing in ("schema", "reference", "plugins"))
    environment = {**os.environ, "PYTHONPATH": paths, "SPEY_CHECKUPDATE": "OFF"}
    command = [python, str(Path(__file__).with_name("probe.py")), json.dumps(signal), *map(str, bundles)]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    return json.loads(next(line for line in done.stdout.splitlines() if line.startswith("[{")))


def test_limits_equal_the_closed_form(python: str, tmp_path: Path) -> None:
    models = [parabola_model().with_precision(dtype) for dtype in ("float64", "float32")]
    bundles = [write_quadratic(model, tmp_path / f"{number}.llb") for number, model in enumerate(models)]
    for model, found in zip(models, ask(python, bundles, {"SR": 1.0}), strict=True):
        exact = model.exact([1.0])
        assert found["cls_observed"] == pytest.approx([exact.cls_observed], rel=1e-4)
        assert found["cls_apriori"] == pytest.approx(exact.cls_apriori, rel=1e-4)
        assert found["upper_limit_observed"] == pytest.approx(exact.upper_limit_observed, rel=1e-4)
        np.testing.assert_allclose(found["upper_limit_expected"], exact.upper_limit_expected, rtol=1e-4)
        assert found["upper_limit_apriori"] == pytest.approx(exact.upper_limit_apriori[2], rel=1e-4)
        # Two equal likelihoods: parabolas with twice the curvature.
        assert found["combined"] == pytest.approx(1.196146, rel=1e-5)
