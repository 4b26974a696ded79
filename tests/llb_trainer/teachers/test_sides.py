"""Other minima as they are seen from a known one, and the changes of the events behind it."""

from __future__ import annotations

import json
import tempfile
from dataclasses import replace
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from workspaces import INTERPOLATIONS, workspaces

from llb_schema import FindingError
from llb_trainer.teachers.histfactory import histfactory_teacher, read_workspace
from llb_trainer.teachers.histfactory.compile import compile_workspace, with_signal
from llb_trainer.teachers.histfactory.curvefits import CurveFits, curve_fits
from llb_trainer.teachers.histfactory.datasets import observed
from llb_trainer.teachers.histfactory.fit import FitSettings
from llb_trainer.teachers.histfactory.likelihood import Likelihood
from llb_trainer.teachers.histfactory.view import View, grid_of, view

Floats = NDArray[np.float64]


def tilted(*, both: bool) -> dict[str, Any]:
    """Systematics that raise one channel each, whatever their sign; with `both`, the second one too."""

    def channel(name: str, events: float, systematic: str, hi: float, lo: float) -> dict[str, Any]:
        modifiers = [
            {"name": systematic, "type": "normsys", "data": {"hi": hi, "lo": lo}},
            {"name": "k", "type": "normfactor", "data": None},
        ]
        return {"name": name, "samples": [{"name": "b", "data": [events], "modifiers": modifiers}]}

    second = (1.02, 1.3) if both else (1.2, 0.8)
    return {
        "version": "1.0.0",
        "channels": [
            channel("first", 100.0, "tilt", 1.02, 1.3),
            channel("second", 100.0, "lean", *second),
            channel("third", 4000.0, "nothing", 1.001, 0.999),
        ],
        "observations": [
            {"name": "first", "data": [145]},
            {"name": "second", "data": [145]},
            {"name": "third", "data": [4000]},
        ],
        "measurements": [{"name": "m", "config": {"poi": "mu", "parameters": []}}],
    }


def made(document: dict[str, Any], codes: dict[str, str] | None = None) -> CurveFits:
    """Fits to the observed data."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "workspace.json"
        path.write_text(json.dumps(document))
        workspace = read_workspace(path) if codes is None else read_workspace(path, interpolation=codes)
    model = with_signal(compile_workspace(workspace), lumi=False, uncertainty=0.0)
    likelihood = Likelihood.of(model)
    return curve_fits(likelihood, [observed(model, workspace.observed)], FitSettings())[0]


def seen(fits: CurveFits, start: Floats, margin: float = 5.0) -> tuple[Floats, Floats, NDArray[np.bool_]]:
    """The minimum (P,) that a fit reaches from there, what is seen from it (k, P), and what left a bound."""
    nothing = np.zeros((1, len(fits.item.main)))
    found = fits.fit(nothing, start[None])
    assert found.converged.all()
    row, places, left = fits.sides.beyond(
        found.theta, nothing, fits.fitter.data.take(np.array([0])), 9, margin
    )
    assert (row == 0).all()
    return found.theta[0], places, left


@pytest.mark.parametrize("both", [False, True])
def test_the_other_side_is_seen_and_fits_go_there(both: bool) -> None:
    with jax.enable_x64(True):
        fits = made(tilted(both=both))
        names = list(fits.likelihood.moving_names)
        tilt, lean = names.index("tilt"), names.index("lean")
        start = fits.likelihood.start.copy()
        start[tilt] = start[lean] = 0.8  # the weak side of both
        here, places, _ = seen(fits, start)
        assert here[tilt] > 0
        crossed = [(bool(place[tilt] < 0), bool(place[lean] < 0)) for place in places]
        # two at once, where each has another side
        assert set(crossed) == ({(True, False), (False, True), (True, True)} if both else {(True, False)})
        # right across, and where the valley is deepest; none of these behind a pair
        alone = [place for place, sides in zip(places, crossed, strict=True) if sides != (True, True)]
        assert all((place == other).all() for place, other in zip(places, alone, strict=False))
        moved = np.sort([min(place[tilt], place[lean]) for place in alone])
        assert moved[0] < -0.3
        assert moved[-1] == pytest.approx(-0.1)
        ends = fits.fit(np.zeros((len(places), 3)), places)
        lowest = np.array([sides == (True, both) for sides in crossed])
        assert ends.nll[lowest].min() == pytest.approx(ends.nll.min(), abs=1e-8)
        assert ends.nll.min() < fits.fit(np.zeros((1, 3)), here[None]).nll[0] - 1.0


def test_nothing_is_seen_from_the_only_minimum() -> None:
    document = tilted(both=False)
    for channel in document["channels"]:
        channel["samples"][0]["modifiers"][0]["data"] = {"hi": 1.1, "lo": 0.9}
    with jax.enable_x64(True):
        fits = made(document)
        assert len(seen(fits, fits.likelihood.start)[1]) == 0


def test_a_normalisation_at_its_bound_is_tried_before_it() -> None:
    document = tilted(both=False)
    document["observations"][0]["data"] = [88]
    sample = {
        "name": "a_free_one",
        "data": [50.0],
        "modifiers": [{"name": "free", "type": "normfactor", "data": None}],
    }
    document["channels"][0]["samples"].append(sample)
    with jax.enable_x64(True):
        fits = made(document)
        free = list(fits.likelihood.moving_names).index("free")
        here, places, left = seen(fits, fits.likelihood.start)
        assert here[free] == 0.0
        assert left.sum() == 2
        # 0.3 and 1 standard deviations of 200 events, of which `free` makes 50
        unit = np.sqrt(150.0) / 50.0
        np.testing.assert_allclose(np.sort(places[left, free]), [0.3 * unit, unit], rtol=1e-12)
        assert len(seen(fits, fits.likelihood.start, margin=1e-3)[1]) == 0


def looked(fits: CurveFits, theta: Floats, signal: Floats) -> tuple[View, list[int], Floats]:
    """The view along every parameter, the parameters, and their places."""
    likelihood = fits.likelihood
    chosen = list(range(len(likelihood.order)))
    low, high = np.maximum(likelihood.lower, -3.0), np.minimum(likelihood.upper, 3.0)
    place = low[:, None] + (high - low)[:, None] * np.array([0.0, 0.3, 0.5, 0.9])
    t = likelihood.device_tables
    grid = grid_of(t, jnp.asarray(chosen), jnp.asarray(place))
    columns = fits.fitter.data.take(np.zeros(len(theta), dtype=np.int64))
    free = np.ones(theta.shape, dtype=bool)
    return view(t, grid, theta.T, signal.T, columns, free.T), chosen, place


@settings(max_examples=30, deadline=None, suppress_health_check=list(HealthCheck))
@given(workspaces(), st.sampled_from(INTERPOLATIONS), st.integers(0, 2**32 - 1))
def test_changes_of_the_events_are_exact(document: dict[str, Any], codes: dict[str, str], seed: int) -> None:
    """One parameter moved at a time, all others left: as the model says."""
    rng = np.random.default_rng(seed)
    with jax.enable_x64(True):
        try:
            fits = made(document, codes)
        except FindingError:
            return
        likelihood = fits.likelihood
        if not len(likelihood.order):
            return
        signal = rng.exponential(5.0, size=(2, len(fits.item.main)))
        theta = likelihood.start + 0.3 * rng.standard_normal((2, len(likelihood.order)))
        theta = np.clip(theta, likelihood.lower, likelihood.upper)
        found, chosen, place = looked(fits, theta, signal)
        events, scale = likelihood.background(theta)
        before = events + scale[:, None] * signal
        for j in chosen:
            for g in range(place.shape[1]):
                moved = theta.copy()
                moved[:, j] = place[j, g]
                after, factor = likelihood.background(moved)
                change = after + factor[:, None] * signal - before
                size = np.abs(before) + np.abs(after) + 1.0
                assert (np.abs(np.asarray(found.change)[:, :, j, g] - change) < 1e-10 * size).all()


def test_heights_are_the_profiled_nll_where_others_follow_linearly() -> None:
    """Many events and small variations: all but the bent parameter is linear, and the NLL quadratic."""
    document = tilted(both=False)
    for channel, (hi, lo) in zip(
        document["channels"], ((1.002, 1.004), (1.003, 0.997), (1.001, 0.999)), strict=True
    ):
        channel["samples"][0]["data"] = [1e6]
        channel["samples"][0]["modifiers"][0]["data"] = {"hi": hi, "lo": lo}
    for number, item in enumerate(document["observations"]):
        item["data"] = [1_002_500 - 1500 * number]
    with jax.enable_x64(True):
        fits = made(document)
        nothing = np.zeros((1, 3))
        best = fits.fit(nothing, fits.likelihood.start[None])
        found, _, place = looked(fits, best.theta, nothing)
        tilt = list(fits.likelihood.moving_names).index("tilt")
        for g in range(place.shape[1]):
            start = best.theta.copy()
            start[0, tilt] = place[tilt, g]
            problem = fits.problem(nothing, start)
            problem.fixed[0, tilt] = True
            profiled = fits.fitter.fit(problem)
            assert np.asarray(found.height)[0, tilt, g] == pytest.approx(
                profiled.nll[0] - best.nll[0], rel=0.02, abs=0.02
            )


def test_labels_go_to_the_other_side(tmp_path: Path) -> None:
    """An atlas that knows the wrong side only: the label is on the right one."""
    path = tmp_path / "tilted.json"
    path.write_text(json.dumps(tilted(both=True)))
    teacher = histfactory_teacher(read_workspace(path))
    pilots = np.random.default_rng(0).uniform(0.0, 5.0, size=(8, 3))
    right = teacher.explored(pilots)
    atlas = right.atlases["observed"]
    tilt = teacher.likelihood.moving_names.index("tilt")
    wrong = atlas.take(np.flatnonzero(atlas.minima.theta[:, tilt] > 0))
    assert 0 < len(wrong.owner) < len(atlas.owner)
    blind = replace(right, atlases={**right.atlases, "observed": wrong})
    signals = np.random.default_rng(1).uniform(0.0, 5.0, size=(6, 3))
    np.testing.assert_allclose(
        blind.label(signals).curves[0].delta, right.label(signals).curves[0].delta, atol=1e-8
    )
