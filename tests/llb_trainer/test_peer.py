"""The peer gives pyhf's own numbers, and proves pyhf's fits wrong where they are."""

from __future__ import annotations

import json
import math
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pyhf
import pytest

from llb_schema import FindingError
from llb_trainer.peer import (
    KnownOptimum,
    PeerJob,
    PeerSearch,
    compare_point,
    compare_points,
    patch_yields,
    patched_problem,
    signal_problem,
    signal_systematics_effect,
)
from llb_trainer.quickstart import load_patchset, load_workspace

STAU_CHANNELS = ("QCR1cut_cuts", "QCR2cut_cuts", "SR1cut_cuts", "SR2cut_cuts", "WCRcut_cuts")


@pytest.fixture(scope="module")
def search() -> PeerSearch:
    return PeerSearch(load_workspace())


@pytest.fixture(scope="module")
def patches() -> dict[str, list[dict[str, Any]]]:
    return {item["metadata"]["name"]: item["patch"] for item in load_patchset()["patches"]}


def test_cls_and_limit_equal_pyhf_itself(search: PeerSearch, patches: dict[str, Any]) -> None:
    yields = patch_yields(search, patches["PP_500_1"])
    result = compare_point(search, PeerJob("PP_500_1", yields))
    problem = signal_problem(search, yields)
    theirs = pyhf.infer.hypotest(1.0, problem.data, problem.model, test_stat="qtilde")
    assert result.cls_observed == pytest.approx(float(theirs), rel=1e-9)
    # pyhf's own scan over a narrow grid around our limit must cross 5 % at our limit.
    limit = result.upper_limit_observed
    grid = np.linspace(0.98 * limit, 1.02 * limit, 3)
    scanned, _ = pyhf.infer.intervals.upper_limits.upper_limit(
        problem.data, problem.model, grid, level=0.05, test_stat="qtilde"
    )
    assert limit == pytest.approx(float(scanned), rel=2e-4)
    assert (result.restarted, result.failure, result.fits.failed) == (False, "", 0)
    assert 0.0 < result.seconds_cls < result.seconds_limit


def test_the_limit_lies_beyond_the_usual_poi_bound_for_a_faint_signal(
    search: PeerSearch, patches: dict[str, Any]
) -> None:
    full = {name: np.asarray(values) for name, values in patch_yields(search, patches["PP_600_1"]).items()}
    strong = compare_point(search, PeerJob("strong", {name: tuple(v) for name, v in full.items()}))
    faint = compare_point(search, PeerJob("faint", {name: tuple(v / 50) for name, v in full.items()}))
    assert faint.upper_limit_observed > 10.0
    assert faint.upper_limit_observed == pytest.approx(50 * strong.upper_limit_observed, rel=1e-3)
    assert faint.mu_hat == pytest.approx(50 * strong.mu_hat, rel=1e-2)


def test_a_signal_of_nothing_is_never_excluded(search: PeerSearch) -> None:
    result = compare_point(search, PeerJob("nothing", {}))
    assert result.cls_observed == pytest.approx(1.0, abs=1e-3)
    assert math.isinf(result.upper_limit_observed)


def test_workers_give_the_same_numbers(search: PeerSearch, patches: dict[str, Any]) -> None:
    names = ("PP_400_1", "PP_600_1", "PP_800_1")
    jobs = [PeerJob(name, patch_yields(search, patches[name]), limit=False) for name in names]
    found = [
        {result.name: result.cls_observed for result in compare_points(search, jobs, processes=processes)}
        for processes in (0, 1, 2)
    ]
    here, alone, together = found
    assert alone == together
    # Workers have one BLAS thread: SLSQP stops where it gains less than 1e-6 in NLL, not always at one place.
    assert alone == pytest.approx(here, rel=1e-4)
    assert set(here) == set(names)


def test_a_finding_crosses_the_process_border_whole(search: PeerSearch) -> None:
    with pytest.raises(FindingError) as caught:
        list(compare_points(search, [PeerJob("wrong", {"SR": (1.0,)})], processes=1))
    assert [item.code for item in caught.value.findings] == ["LLB-W052"]


def test_unknown_channels_and_measurements_are_findings(search: PeerSearch) -> None:
    with pytest.raises(FindingError, match="LLB-W052"):
        signal_problem(search, {"nowhere": (1.0,)})
    with pytest.raises(FindingError, match="LLB-W051"):
        signal_problem(PeerSearch(search.workspace, measurement="nothing"), {})


def test_the_signal_carries_exactly_the_signal_model(search: PeerSearch, patches: dict[str, Any]) -> None:
    yields = patch_yields(search, patches["PP_500_1"])
    luminous = signal_problem(search, yields)
    bare = signal_problem(PeerSearch(search.workspace, signal_modifiers=()), yields)
    parameters = luminous.model.config.suggested_init()
    assert luminous.model.config.par_names == bare.model.config.par_names
    lumi = luminous.model.config.par_slice("lumi").start
    nominal = bare.model.expected_actualdata(parameters)
    assert luminous.model.expected_actualdata(parameters) == pytest.approx(nominal)
    parameters[lumi] = 1.05
    gain = luminous.model.expected_actualdata(parameters) - bare.model.expected_actualdata(parameters)
    expected = [0.05 * v for channel in luminous.model.config.channels for v in yields[channel]]
    assert gain == pytest.approx(expected)


def test_the_patch_with_its_systematics_is_a_weaker_statement(
    search: PeerSearch, patches: dict[str, Any]
) -> None:
    effect = signal_systematics_effect(search, "PP_500_1", patches["PP_500_1"])
    problem = patched_problem(search, patches["PP_500_1"])
    assert "signal_acceptance" in problem.model.config.par_names
    theirs = pyhf.infer.hypotest(1.0, problem.data, problem.model, test_stat="qtilde")
    assert effect.cls_full == pytest.approx(float(theirs), rel=1e-9)
    assert effect.cls_yields_only < effect.cls_full < 1.5 * effect.cls_yields_only


def test_known_optima_carry_over_to_the_published_model_by_name(
    search: PeerSearch, patches: dict[str, Any]
) -> None:
    patch = patches["PP_500_1"]
    alone = signal_problem(search, patch_yields(search, patch))
    best = pyhf.infer.mle.fixed_poi_fit(1.0, alone.data, alone.model)
    optimum = KnownOptimum("observed", 1.0, tuple(best.tolist()))
    plain = signal_systematics_effect(search, "PP_500_1", patch)
    guarded = signal_systematics_effect(search, "PP_500_1", patch, optima=(optimum,))
    assert guarded.cls_full == pytest.approx(plain.cls_full, rel=1e-4)
    assert guarded.cls_yields_only == pytest.approx(plain.cls_yields_only, rel=1e-4)
    short = KnownOptimum("observed", 1.0, optimum.parameters[:-1])
    with pytest.raises(ValueError, match="shorter"):
        signal_systematics_effect(search, "PP_500_1", patch, optima=(short,))


def test_a_fit_in_the_wrong_minimum_is_found_out_and_repeated(shared_data: Path) -> None:
    """ATLAS-SUSY-2018-04: the lower basin has mu_QCD at 0, and pyhf's default start misses it."""
    workspace = json.loads((shared_data / "ATLAS-SUSY-2018-04" / "Region-combined_BkgOnly.json").read_text())
    search = PeerSearch(workspace, signal_modifiers=())
    values = (5.37, 3.08, 21.58, 23.51, 46.32)
    yields = {name: (value,) for name, value in zip(STAU_CHANNELS, values, strict=True)}

    problem = signal_problem(search, yields)
    config = problem.model.config
    start, fixed = config.suggested_init(), config.suggested_fixed()
    qcd = config.par_slice("mu_QCD").start
    start[qcd], fixed[qcd] = 0.0, True
    held = pyhf.infer.mle.fixed_poi_fit(1.0, problem.data, problem.model, start, fixed_params=fixed)

    optimum = KnownOptimum("observed", 1.0, tuple(held.tolist()))
    helped = compare_point(search, PeerJob("helped", yields, limit=False, optima=(optimum,)))

    assert helped.restarted
    assert helped.nll_excess == pytest.approx(127.3932 - 126.0677, abs=2e-4)
    assert helped.fits.nll_residual < 1e-6
    assert helped.fits.nll_shortfall < 1e-4


def test_a_known_point_that_is_no_optimum_shows_as_shortfall(
    search: PeerSearch, patches: dict[str, Any]
) -> None:
    yields = patch_yields(search, patches["PP_500_1"])
    anywhere = tuple(signal_problem(search, yields).model.config.suggested_init())
    job = PeerJob("x", yields, limit=False, optima=(KnownOptimum("observed", 1.0, anywhere),))
    result = compare_point(search, job)
    assert not result.restarted
    assert result.fits.nll_shortfall > 0.1


def test_a_failing_fit_is_reported_not_raised(search: PeerSearch, patches: dict[str, Any]) -> None:
    """A large negative signal leaves no positive rate anywhere near the start."""
    yields = {name: tuple(-400.0 * v for v in values) for name, values in _yields(search, patches).items()}
    result = compare_point(search, PeerJob("negative", yields))
    assert "LLB-W050" in result.failure
    assert math.isnan(result.cls_observed)
    assert result.fits.failed >= 1


def test_the_peer_leaves_jax_alone() -> None:
    """Workers import the peer; with jax they would each take its start-up time and memory."""
    code = "import sys, llb_trainer.peer, llb_trainer.quickstart; sys.exit('jax' in sys.modules)"
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    assert subprocess.run([sys.executable, "-c", code], env=environment, check=False).returncode == 0


def _yields(search: PeerSearch, patches: dict[str, Any]) -> dict[str, tuple[float, ...]]:
    return patch_yields(search, patches["PP_500_1"])
