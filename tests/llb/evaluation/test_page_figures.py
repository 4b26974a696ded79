"""Figures of pages: drawn of whatever there is, as PNG or SVG, the same bytes for the same numbers."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import bundles
import numpy as np
import pytest

from llb.bundle import BundleFile, SampleMetric, read_bundle
from llb.evaluation import (
    Comparison,
    agreement_figure,
    benchmark_truth,
    corner_figure,
    coverage_figure,
    distance_figure,
    log_prob_figure,
    marginals_figure,
    ray_figure,
    signal_numbers,
)
from llb.runtime import limits, load, rays

RNG = np.random.default_rng(3)
POINTS = RNG.standard_normal((400, 5))
HOSTILE = "<b>$\\frac{\x07"


def comparisons() -> list[Comparison]:
    truth = np.linspace(0.0, 9.0, 50)
    noise = 1e-3 * RNG.standard_normal(50)
    return [
        Comparison("observed", truth, truth + noise, np.full(50, 1e-3)),
        Comparison("apriori", truth + 7.0, truth, np.zeros(50)),
        Comparison("apriori_asimov", truth, truth),
    ]


def metric(quantity: str, value: float, null: float) -> SampleMetric:
    return SampleMetric(quantity, value, null, 0.1 * null, 100, 20, 0)


DRAWN: dict[str, Callable[[Any], bytes]] = {
    "coverage": lambda form: coverage_figure(comparisons(), form=form),
    "coverage of nothing": lambda form: coverage_figure([], form=form),
    "marginals": lambda form: marginals_figure(["a", HOSTILE], POINTS[:, :2], POINTS[:, 2:4], form=form),
    "one constant": lambda form: marginals_figure(["a"], np.zeros((5, 1)), np.ones((5, 1)), form=form),
    "corner": lambda form: corner_figure(["a", "b", HOSTILE], POINTS[:, :3], POINTS[:, 2:], form=form),
    "corner of few": lambda form: corner_figure(["a", "b"], POINTS[:2, :2], POINTS[:1, :2], form=form),
    "errors": lambda form: log_prob_figure(POINTS[:, 0], 0.1 * POINTS[:, 1], form=form),
    "no errors": lambda form: log_prob_figure(np.zeros(3), np.zeros(3), form=form),
    "distances": lambda form: distance_figure(
        [metric("mean_ks", 0.1, 0.09), metric("new", 0.0, 0.0)], form=form
    ),
    "no distance": lambda form: distance_figure([metric("mean_ks", 0.0, 0.0)], form=form),
}


@pytest.mark.parametrize("name", DRAWN)
def test_what_there_is_is_drawn(name: str) -> None:
    draw = DRAWN[name]
    svg = draw("svg").decode()
    assert "</svg>" in svg
    assert not re.search("[\x00-\x08\x0b-\x1f]", svg)
    assert "<b>" not in svg
    assert draw("png").startswith(b"\x89PNG")


def test_the_same_numbers_give_the_same_drawing() -> None:
    draw = DRAWN["corner"]
    assert draw("svg") == draw("svg")


def test_rays_of_real_signals(tmp_path: Path) -> None:
    model = load(bundles.write(tmp_path / "x.llb"))
    signals = np.array([[1.0, 2.0, 0.5], [0.1, 0.0, 0.0], [0.0, 0.0, 0.0]])
    answers = limits(model, signals, names=["strong", "weak", HOSTILE])
    for count in (1, 2):
        svg = ray_figure(
            rays(model, signals[:count]), answers[:count], list(bundles.CURVES), form="svg"
        ).decode()
        assert all(name in svg for name in ("strong", "weak")[:count])
        assert "signal strength" in svg


def test_the_teachers_numbers_are_read_by_their_names(tmp_path: Path) -> None:
    header = f"name,{','.join(bundles.BIN_IDS)},cls_observed,upper_limit_observed,extra,cls_expected\n"
    table = BundleFile(f"{header}A,1.0,2.0,0.5,0.33,2.22,7.0,0.4\n".encode(), "benchmarks", "text/csv")
    bundle = read_bundle(bundles.write(tmp_path / "x.llb", replace={bundles.BENCHMARKS: table}))
    truth = benchmark_truth(bundle)
    assert truth is not None
    assert (truth.names, truth.cls_observed, truth.cls_expected) == (("A",), [0.33], [0.4])
    assert np.isnan(truth.upper_limit_expected).all()
    found = signal_numbers(limits(load(bundle), np.array([[1.0, 2.0, 0.5]]), names=["A"]))
    svg = agreement_figure(truth, found, form="svg").decode()
    assert svg.count("expected, median") == 1


def test_a_bundle_without_benchmarks_has_none(tmp_path: Path) -> None:
    bundle = bundles.write(tmp_path / "x.llb", lambda document: document["validation"].pop("benchmarks"))
    assert benchmark_truth(read_bundle(bundle)) is None
