"""The programs of examples/in_other_tools run, and give the numbers that are exact."""

from __future__ import annotations

import csv
import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from outside import compiled

from llb.runtime import load
from llb_conformance import QuadraticModel, counting_model, exact_limits, parabola_model, write_quadratic

EXAMPLES = Path(__file__).resolve().parents[2] / "examples" / "in_other_tools"
COUNTING = counting_model()
SIGNALS = {"weak": (2.0, 1.0, 1.5, 0.5), "strong": (8.0, 6.0, 5.0, 0.0)}
NUMBER = r"(?<![\w=.])([0-9]+(?:\.[0-9]+)?(?:e[+-]?[0-9]+)?)"


def ran(name: str, *arguments: object) -> str:
    command = [sys.executable, str(EXAMPLES / name), *map(str, arguments)]
    environment = {**os.environ, "SPEY_CHECKUPDATE": "OFF"}
    done = subprocess.run(command, capture_output=True, text=True, timeout=300, env=environment)
    assert done.returncode == 0, done.stderr
    return done.stdout


def written(signal: tuple[float, ...], model: QuadraticModel, path: Path) -> Path:
    path.write_text(json.dumps(dict(zip(model.bin_ids, signal, strict=True))), encoding="utf-8")
    return path


def test_a_scan_through_spey(tmp_path: Path) -> None:
    bundle = write_quadratic(COUNTING, tmp_path / "counting.llb")
    lines = [
        f"{name},{bin_id},{value}"
        for name, signal in SIGNALS.items()
        for bin_id, value in zip(COUNTING.bin_ids, signal, strict=True)
    ]
    signals = tmp_path / "signals.csv"
    signals.write_text("\n".join(["name,bin,yield", *lines]) + "\n", encoding="utf-8")
    ran("spey_scan.py", bundle, signals, tmp_path / "limits.csv")
    with (tmp_path / "limits.csv").open(encoding="utf-8", newline="") as stream:
        rows = {row["name"]: row for row in csv.DictReader(stream)}
    assert list(rows) == list(SIGNALS)
    for name, signal in SIGNALS.items():
        exact = COUNTING.exact(signal)
        assert float(rows[name]["observed"]) == pytest.approx(exact.upper_limit_observed, rel=1e-3)
        assert float(rows[name]["expected"]) == pytest.approx(exact.upper_limit_expected[2], rel=1e-3)


def test_two_analyses_and_one_signal_strength(tmp_path: Path) -> None:
    other = parabola_model(mu_hat=0.2, sigma=0.8, sigma_asimov=0.7)
    models = {"counting": (COUNTING, SIGNALS["weak"]), "parabola": (other, (1.0,))}
    arguments: list[Path] = []
    for name, (model, signal) in models.items():
        arguments += [
            write_quadratic(model, tmp_path / f"{name}.llb"),
            written(signal, model, tmp_path / f"{name}.json"),
        ]
    found = {
        line.partition(":")[0]: [float(item) for item in re.findall(NUMBER, line.split("<")[1])]
        for line in ran("spey_combination.py", *arguments).splitlines()
        if "mu <" in line
    }
    parabolas = {
        curve: [model.curve(curve).along(signal) for model, signal in models.values()]
        for curve in ("observed", "observed_asimov")
    }
    both = {
        curve: type(parts[0])(sum(p.slope for p in parts), sum(p.curvature for p in parts))
        for curve, parts in parabolas.items()
    }
    exact = exact_limits(both["observed"], both["observed_asimov"], both["observed_asimov"])
    assert set(found) == {"counting", "parabola", "both"}
    assert found["both"] == pytest.approx(
        [exact.upper_limit_observed, exact.upper_limit_expected[2]], rel=1e-3
    )
    for name, (model, signal) in models.items():
        alone = model.exact(signal)
        expected = [alone.upper_limit_observed, alone.upper_limit_expected[2]]
        assert found[name] == pytest.approx(expected, rel=1e-3)


def test_pyhf_on_a_bundle(tmp_path: Path) -> None:
    bundle = write_quadratic(COUNTING, tmp_path / "counting.llb")
    signal = SIGNALS["weak"]
    text = ran("pyhf_drop_in.py", bundle, written(signal, COUNTING, tmp_path / "signal.json"))
    best, cls, limit = text.splitlines()
    exact = COUNTING.exact(signal)
    assert float(re.findall(NUMBER, best.split("=")[1])[0]) == pytest.approx(exact.mu_hat, abs=1e-4)
    observed, expected = (float(item) for item in re.findall(NUMBER, cls.partition(":")[2]))
    assert (observed, expected) == pytest.approx((exact.cls_observed, exact.cls_expected[2]), rel=1e-3)
    observed, expected = (float(item) for item in re.findall(NUMBER, limit.partition("<")[2]))
    limits = (exact.upper_limit_observed, exact.upper_limit_expected[2])
    assert (observed, expected) == pytest.approx(limits, rel=1e-3)


def test_smodels_on_a_bundle(tmp_path: Path) -> None:
    bundle = write_quadratic(COUNTING, tmp_path / "counting.llb")
    signal = SIGNALS["strong"]
    path = written(signal, COUNTING, tmp_path / "signal.json")
    found = [
        [float(item) for item in re.findall(NUMBER, line.partition(":")[2])]
        for line in ran("smodels_run/run.py", bundle, path, tmp_path / "database").splitlines()
    ]
    exact = COUNTING.exact(signal)
    upper = [exact.upper_limit_observed, exact.upper_limit_expected[2]]
    for line, numbers in zip(found, ([1.0 / item for item in upper], upper, upper), strict=True):
        assert line == pytest.approx(numbers, rel=1e-3)


def test_a_log_likelihood_in_cpp(tmp_path: Path) -> None:
    program = compiled(EXAMPLES / "cpp", tmp_path / "build", "loglike")
    bundle = write_quadratic(COUNTING, tmp_path / "counting.llb")
    model = load(bundle)

    def asked(signal: dict[str, float]) -> subprocess.CompletedProcess[str]:
        lines = "".join(f"{name} {events!r}\n" for name, events in signal.items())
        return subprocess.run([str(program), str(bundle)], input=lines, capture_output=True, text=True)

    for signal in SIGNALS.values():
        events = dict(zip(COUNTING.bin_ids, signal, strict=True))
        done = asked(events)
        assert done.returncode == 0, done.stderr
        assert float(done.stdout) == pytest.approx(model.log_likelihood_ratio(events), rel=1e-12)
    assert "outside" in asked(dict.fromkeys(COUNTING.bin_ids, 1e6)).stderr
    missing = asked({COUNTING.bin_ids[0]: 1.0})
    assert (missing.returncode, missing.stdout) == (2, "")
    assert asked({"nothing": 1.0}).returncode == 1
