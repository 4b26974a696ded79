"""The benchmark scripts as they are called, on tiny sizes: the reports have the promised shape."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

BENCHMARKS = Path(__file__).resolve().parents[2] / "benchmarks"
PROMISED = {
    "id",
    "bins",
    "parameters",
    "fits_per_second",
    "peer_fits_per_second",
    "ratio",
    "max_nll_excess",
    "failed_fraction",
    "compile_seconds",
    "exploring_seconds",
    "peak_rss_mb",
    "peer_local_minimum_fraction",
    "peer_local_minimum_max",
    "second_look_excess",
    "pyhf_logpdf_difference",
}


def call(script: str, *arguments: object) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, str(BENCHMARKS / script), *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True)


def report(script: str, *arguments: object) -> Any:
    done = call(script, *arguments, "--format", "json")
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def test_labels_beside_pyhf() -> None:
    sizes = ("--labels", 8, "--peer-fits", 3, "--minuit-fits", 1, "--second-look", 4, "--starts", 2)
    which = ("--analysis", "LLB-QUICKSTART", "--pilot", 8, "--cores", 2, "--peer-curves", "all")
    [entry] = report("labels.py", *which, *sizes)["analyses"]
    assert entry.keys() >= PROMISED
    assert (entry["id"], entry["bins"], entry["parameters"]) == ("LLB-QUICKSTART", 7, 21)
    n_curves = len(entry["curves"])
    [engine], [slsqp, minuit] = entry["engine"], entry["peers"]
    assert (engine["labels"], engine["proven"], entry["failed_fraction"]) == (8 * n_curves, 8 * n_curves, 0.0)
    assert (slsqp["fits"], minuit["fits"], entry["compared"]) == (3 * n_curves, n_curves, 3 * n_curves)
    assert entry["ratio"] == pytest.approx(entry["fits_per_second"] / entry["peer_fits_per_second"])
    # the embedded search has one minimum: everybody must find it, through every process border
    assert entry["pyhf_logpdf_difference"] < 1e-8
    assert entry["max_nll_excess"] < 1e-6
    assert entry["second_look_excess"] < 1e-6
    assert entry["peer_local_minimum_fraction"] == 0.0


def test_scaling_over_synthetic_searches(tmp_path: Path) -> None:
    grid = ("--analysis", "synthetic", "--bins", 5, "--parameters", 12)
    [entry] = report("scaling.py", *grid, "--labels", 8, "--pilot", 4)["models"]
    assert (entry["bins"], entry["parameters"], entry["failed_fraction"]) == (5, 12, 0.0)
    assert entry["seconds_per_fit"] <= entry["seconds_per_label"]
    assert entry["peak_rss_mb"] > 0

    earlier, picture = tmp_path / "scaling.json", tmp_path / "scaling.png"
    models = [entry, entry | {"id": "ATLAS-SUSY-2018-04", "parameters": 118}]
    earlier.write_text(json.dumps({"models": models}), encoding="utf-8")
    done = call("scaling.py", "--from", earlier, "--figure", picture)
    assert done.returncode == 0, done.stderr
    assert "ATLAS-SUSY-2018-04" in done.stdout
    assert picture.read_bytes().startswith(b"\x89PNG")


def test_a_missing_model_is_one_line(tmp_path: Path) -> None:
    done = call("labels.py", "--analysis", "ATLAS-SUSY-2018-04", "--data", tmp_path)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith("[LLB-W001]")
    assert done.stderr.count("\n") == 1
