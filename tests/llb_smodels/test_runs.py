"""SModelS itself on bundles: its r and its limits are those of `llb limit` and of closed forms."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from llb.runtime import limits as llb_limits
from llb.runtime import load
from llb_conformance import (
    CURVES,
    QuadraticBin,
    QuadraticModel,
    counting_model,
    exact_limits,
    parabola_model,
    write_quadratic,
)

ROOT = Path(__file__).resolve().parents[2]
EXAMPLE = ROOT / "examples" / "in_other_tools" / "smodels_run"
PROBE = Path(__file__).with_name("probe.py")
# SModelS stops at 0.1 % of the limit.
PRECISION = 1e-3


def halves(model: QuadraticModel) -> QuadraticModel:
    """A model of one bin as one of two that add up: of one dataset alone SModelS makes no combination."""
    curves = tuple(
        replace(curve, slope=np.repeat(curve.slope, 2), root=np.outer([1.0, 1.0], [*curve.root[0], 0.0]))
        for curve in model.curves
    )
    bins = (QuadraticBin("SRa"), QuadraticBin("SRb"))
    return replace(model, bins=bins, curves=curves, lower=model.lower * 2, upper=model.upper * 2)


PARABOLA = halves(parabola_model())
COUNTING = counting_model()
TWO_BINS_IN_CR = counting_model(channels=(("SR", 2, "SR"), ("CR", 2, "CR"), ("VR", 1, "VR")), seed=4)
EVENTS = {"SRlow[0]": 8.0, "SRhigh[0]": 6.0, "SRhigh[1]": 5.0}
WITH_CR = EVENTS | {"CR[0]": 7.0}
MANY = {"SR[0]": 5.0, "SR[1]": 6.0, "CR[0]": 9.0, "CR[1]": 3.0, "VR[0]": 1.0}
WITHOUT_CRS = ["includeCRs: True", "includeCRs: False"]


def both(events: float) -> dict[str, float]:
    """A signal of the two halves."""
    return {"SRa[0]": 0.5 * events, "SRb[0]": 0.5 * events}


MODELS: dict[str, tuple[QuadraticModel, dict[str, float]]] = {
    "parabola": (PARABOLA, both(1.0)),
    "parabola in float32": (PARABOLA.with_precision("float32"), both(1.0)),
    "parabola, weak": (PARABOLA, both(0.05)),
    "parabola, strong": (PARABOLA, both(50.0)),
    "parabola, limit beyond the domain": (halves(parabola_model(upper=1.1)), both(1.0)),
    "parabola, signal beyond the domain": (halves(parabola_model(upper=1.1)), both(4.0)),
    "parabola, deficit": (halves(parabola_model(mu_hat=-0.4)), both(1.0)),
    "NLL of zero signal is negative": (halves(parabola_model(baseline=-60.0)), both(1.0)),
    "NLL of zero signal is zero": (halves(parabola_model(baseline=0.0)), both(1.0)),
    "NLL of the best fit would be negative": (halves(parabola_model(mu_hat=3.0, baseline=10.0)), both(1.0)),
    "states its error": (PARABOLA.with_spread(observed=0.1, observed_asimov=0.02), both(1.0)),
    "control region without signal": (COUNTING, EVENTS),
    "control region with signal": (COUNTING, WITH_CR),
    "control region with signal, float32": (COUNTING.with_precision("float32"), WITH_CR),
    "control region, its signal left out": (COUNTING, WITH_CR),
    "control region of two bins": (TWO_BINS_IN_CR, MANY),
    "control region of two bins, its signal left out": (TWO_BINS_IN_CR, MANY),
}
LEFT_OUT = [name for name in MODELS if name.endswith("left out")]
Answers = Mapping[str, dict[str, Any]]


def asked(cases: list[dict[str, Any]]) -> list[dict[str, Any]]:
    command = [sys.executable, "-W", "error", str(PROBE), json.dumps(cases)]
    environment = {**os.environ, "PYTHONPATH": str(EXAMPLE)}
    done = subprocess.run(command, capture_output=True, text=True, timeout=600, env=environment)
    assert done.returncode == 0, done.stderr
    assert done.stdout, done.stderr
    return json.loads(done.stdout.splitlines()[-1])


@pytest.fixture(scope="module")
def answers(tmp_path_factory: pytest.TempPathFactory) -> Answers:
    """All cases of closed forms in one run of SModelS."""
    folder = tmp_path_factory.mktemp("runs")
    cases: list[dict[str, Any]] = []
    for number, (name, (model, signal)) in enumerate(MODELS.items()):
        bundle = write_quadratic(model, folder / f"{number}.llb")
        case = {"bundle": str(bundle), "signal": signal, "database": str(folder / f"database{number}")}
        cases.append(case | ({"edits": [WITHOUT_CRS]} if name in LEFT_OUT else {}))
    return dict(zip(MODELS, asked(cases), strict=True))


def expected(name: str) -> tuple[QuadraticModel, np.ndarray[Any, Any]]:
    """The model of a case and the signal that SModelS is to find in it, by column."""
    model, signal = MODELS[name]
    kept = {key: value for key, value in signal.items() if name not in LEFT_OUT or not key.startswith("CR")}
    return model, model.vector(dict.fromkeys(model.bin_ids, 0.0) | kept)


@pytest.mark.parametrize("name", MODELS)
def test_limits_are_those_of_closed_forms(name: str, answers: Answers) -> None:
    model, signal = expected(name)
    exact, found = model.exact(signal), answers[name]
    assert found["adapter"] == "BundleAdapter"
    assert found["limit"]["observed"] == pytest.approx(exact.upper_limit_observed, rel=PRECISION)
    assert found["limit"]["aposteriori"] == pytest.approx(exact.upper_limit_expected[2], rel=PRECISION)
    assert found["r"]["observed"] == pytest.approx(1.0 / exact.upper_limit_observed, rel=PRECISION)
    assert found["r"]["aposteriori"] == pytest.approx(1.0 / exact.upper_limit_expected[2], rel=PRECISION)
    # SModelS finds best fits to 1e-8 of an NLL.
    assert found["cls"]["observed"] == pytest.approx(exact.cls_observed, rel=1e-4, abs=1e-9)
    assert found["cls"]["aposteriori"] == pytest.approx(exact.cls_expected[2], rel=1e-4, abs=1e-9)
    assert found["lowest"]["muhat"] == pytest.approx(exact.mu_hat, abs=1e-3)


@pytest.mark.parametrize("name", [name for name in MODELS if "beyond" not in name])
def test_limits_are_those_of_llb_limit(name: str, answers: Answers, tmp_path: Path) -> None:
    model, signal = expected(name)
    ours = llb_limits(load(write_quadratic(model, tmp_path / "toy.llb")), signal[np.newaxis])[0]
    found = answers[name]["limit"]
    assert found["observed"] == pytest.approx(ours.upper_limit_observed, rel=PRECISION)
    assert found["aposteriori"] == pytest.approx(ours.upper_limit_expected[2], rel=PRECISION)


@pytest.mark.parametrize("name", MODELS)
def test_a_priori_limits_take_the_asimov_curve_of_the_observed_data(name: str, answers: Answers) -> None:
    model, signal = expected(name)
    curves = [model.curve(curve).along(signal) for curve in ("apriori", "observed_asimov", "apriori_asimov")]
    mixed, ours = exact_limits(*curves), model.exact(signal)
    found = answers[name]
    assert found["limit"]["apriori"] == pytest.approx(mixed.upper_limit_observed, rel=PRECISION)
    assert found["cls"]["apriori"] == pytest.approx(mixed.cls_observed, rel=1e-4, abs=1e-9)
    # And that is another number than the expected limit of a-priori data.
    assert abs(mixed.upper_limit_observed / ours.upper_limit_apriori[2] - 1.0) > 2.0 * PRECISION


@pytest.mark.parametrize("name", MODELS)
def test_nlls_are_full_and_positive(name: str, answers: Answers) -> None:
    model, signal = expected(name)
    curve, found = model.curve("observed"), answers[name]
    baseline = curve.baseline + found["constant"]
    assert found["nll"]["0.0"] == pytest.approx(baseline, rel=1e-12)
    assert found["nll"]["1.0"] == pytest.approx(baseline + float(curve.delta(signal)), rel=1e-6)
    assert found["lowest"]["nll_min"] > 0.0
    least = min(item.baseline for item in model.curves)
    assert found["constant"] == pytest.approx(max(0.0, 50.0 - least))


def test_stated_errors_become_those_of_smodels(answers: Answers) -> None:
    found = answers["states its error"]
    assert found["error"] == pytest.approx(0.1)
    low, high = found["limit_with_error"]
    assert low < found["limit"]["observed"] * 0.99
    assert high > found["limit"]["observed"] * 1.01


def test_without_stated_errors_the_limits_with_errors_are_the_limits(answers: Answers) -> None:
    found = answers["parabola"]
    assert found["error"] == 0.0
    assert found["limit_with_error"] == pytest.approx([found["limit"]["observed"]] * 2, rel=PRECISION)


def test_likelihoods_that_are_no_parabolas(tmp_path: Path) -> None:
    signals = {
        # Written by hand: counts of two bins of one channel.
        ROOT / "examples" / "by_hand" / "two-bins.llb": {"SR[0]": 4.0, "SR[1]": 3.0},
        # An archive, with its error stated, and a domain that ends at a Delta NLL.
        ROOT / "tests" / "golden" / "format-1.0.0.llb.zip": {"SR[0]": 7.0, "SR[1]": 2.5, "CR[0]": 1.0},
    }
    found = asked(
        [
            {"bundle": str(bundle), "signal": signal, "database": str(tmp_path / f"database{number}")}
            for number, (bundle, signal) in enumerate(signals.items())
        ]
    )
    for (bundle, signal), answer in zip(signals.items(), found, strict=True):
        model = load(bundle)
        ours = llb_limits(model, model.signal(signal)[np.newaxis])[0]
        assert answer["limit"]["observed"] == pytest.approx(ours.upper_limit_observed, rel=PRECISION)
        assert answer["limit"]["aposteriori"] == pytest.approx(ours.upper_limit_expected[2], rel=PRECISION)
        assert answer["r"]["observed"] == pytest.approx(1.0 / ours.upper_limit_observed, rel=PRECISION)
        assert answer["cls"]["observed"] == pytest.approx(ours.cls_observed, rel=1e-3)


def test_what_cannot_be_used_ends_in_findings(tmp_path: Path) -> None:
    counting = write_quadratic(COUNTING, tmp_path / "counting.llb")
    expected_only = replace(PARABOLA, curves=PARABOLA.curves[:2])
    no_apriori = write_quadratic(expected_only, tmp_path / "posterior.llb")
    onnx = tmp_path / "plain.onnx"
    onnx.write_bytes((counting / "graphs" / "delta_nll.onnx").read_bytes())
    broken = tmp_path / "broken.zip"
    broken.write_bytes(b"PK\x03\x04" + bytes(100))
    whole = {"bundle": str(counting), "signal": EVENTS}
    several = "'onnx': 'SRhigh[0]'"
    cases: dict[str, tuple[dict[str, Any], str, str]] = {
        "not a bundle": (whole | {"model": str(onnx)}, "LLB-A001", "model.llb.zip is not a bundle"),
        "damaged": (whole | {"model": str(broken)}, "LLB-A002", "zip"),
        "no a-priori curves": (
            {"bundle": str(no_apriori), "signal": both(1.0)},
            "LLB-L005",
            "has no apriori, apriori_asimov",
        ),
        "a channel of two bins by its bare name": (
            whole | {"edits": [[several, "'onnx': 'SRhigh'"]]},
            "LLB-Y002",
            "SRhigh[0]",
        ),
        "a bin of another name": (
            whole | {"edits": [["'onnx': 'SRlow'", "'onnx': 'SRmid'"]]},
            "LLB-Y002",
            "SRlow[0]",
        ),
        "a signal region called a control region": (
            whole | {"edits": [[f"{several}, 'type': 'SR'", f"{several}, 'type': 'CR'"]]},
            "LLB-Y002",
            "SRhigh[0]",
        ),
    }
    found = asked(
        [
            case | {"database": str(tmp_path / f"database{number}")}
            for number, (case, _, _) in enumerate(cases.values())
        ]
    )
    for (name, (_, code, text)), answer in zip(cases.items(), found, strict=True):
        assert answer.get("findings") == [code], (name, answer)
        assert text in answer["text"], name


def test_the_curves_of_the_format_are_those_that_smodels_is_given() -> None:
    from llb_smodels.adapter import CURVES as NAMES

    assert tuple(NAMES) == CURVES
