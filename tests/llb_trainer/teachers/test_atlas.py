"""Minima on both sides of a systematic: found at pilots, predicted at other signals, the lowest labelled."""

from __future__ import annotations

import json
from typing import Any

import jax
import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.special import gammaln

from llb_trainer.teachers.histfactory import HistFactoryTeacher, histfactory_teacher, read_workspace

Floats = NDArray[np.float64]

SIGNALS = np.random.default_rng(3).uniform(0.0, (40.0, 80.0), size=(40, 2))


def workspace() -> dict[str, Any]:
    """Each bin has an excess, which a side of the systematic explains: the signal decides between them."""

    def channel(name: str, events: float, hi: float, lo: float) -> dict[str, Any]:
        modifier = {"name": "tilt", "type": "normsys", "data": {"hi": hi, "lo": lo}}
        return {"name": name, "samples": [{"name": "b", "data": [events], "modifiers": [modifier]}]}

    return {
        "version": "1.0.0",
        "channels": [channel("first", 100.0, 1.3, 1.02), channel("second", 400.0, 1.02, 1.17)],
        "observations": [{"name": "first", "data": [145]}, {"name": "second", "data": [490]}],
        "measurements": [{"name": "m", "config": {"poi": "mu", "parameters": []}}],
    }


@pytest.fixture(scope="module")
def teacher(tmp_path_factory: pytest.TempPathFactory) -> HistFactoryTeacher:
    path = tmp_path_factory.mktemp("workspace") / "two_sides.json"
    path.write_text(json.dumps(workspace()))
    return histfactory_teacher(read_workspace(path))


@pytest.fixture(scope="module")
def explored(teacher: HistFactoryTeacher) -> HistFactoryTeacher:
    pilots = np.random.default_rng(4).uniform(0.0, (40.0, 80.0), size=(60, 2))
    return teacher.explored(pilots, draws=6)


def lowest_on_a_grid(teacher: HistFactoryTeacher, signals: Floats) -> Floats:
    """(n,) lowest NLL over the only parameter."""
    grid, n = np.linspace(-4.0, 4.0, 40001), teacher.sets[0].main
    with jax.enable_x64(True):
        events, _ = teacher.likelihood.background(grid[:, None])
    constant = gammaln(n + 1.0).sum() + 0.5 * np.log(2 * np.pi)
    lowest = []
    for signal in signals:
        expected = events + signal
        poisson = np.sum(expected - n * np.log(expected), axis=1)
        lowest.append(np.min(poisson + 0.5 * grid**2) + constant)
    return np.array(lowest)


def test_both_sides_are_known(explored: HistFactoryTeacher) -> None:
    theta = explored.atlases["observed"].minima.theta
    assert (theta > 0.3).any()
    assert (theta < -0.3).any()


def test_the_label_is_the_lowest_of_all_sides(explored: HistFactoryTeacher) -> None:
    labels = explored.label(SIGNALS)
    assert labels.usable.all()
    curve = labels.curves[0]
    baseline = explored.curves[0].baseline_nll
    # on the grid a minimum is missed by half a step at most
    np.testing.assert_allclose(curve.delta + baseline, lowest_on_a_grid(explored, SIGNALS), atol=1e-6)
    assert 5 < np.sum(curve.parameters > 0) < 35, "no competition"


def test_starts_are_near_where_fits_end(explored: HistFactoryTeacher) -> None:
    atlas, curve = explored.atlases["observed"], explored.label(SIGNALS).curves[0]
    owner, start = atlas.choose(SIGNALS, most=4, margin=8.0)
    assert set(owner) == set(range(len(SIGNALS)))
    assert np.bincount(owner).max() <= 4
    assert (np.diff(owner) >= 0).all()
    end = curve.parameters[:, explored.likelihood.order.parameters]
    nearest = [np.abs(start[owner == row] - end[row]).max(axis=1).min() for row in range(len(SIGNALS))]
    assert max(nearest) < 0.1
    for row in range(len(SIGNALS)):
        own = start[owner == row]
        apart = np.linalg.norm(own[:, None] - own[None], axis=2) + 9.0 * np.eye(len(own))
        assert apart.min() > 0.1, "the same start twice"


def test_fewer_starts_and_a_smaller_margin_leave_the_best(explored: HistFactoryTeacher) -> None:
    atlas = explored.atlases["observed"]
    owner, start = atlas.choose(SIGNALS, most=4, margin=8.0)
    first = start[np.searchsorted(owner, np.arange(len(SIGNALS)))]
    _, one = atlas.choose(SIGNALS, most=1, margin=8.0)
    np.testing.assert_array_equal(one, first)
    few, _ = atlas.choose(SIGNALS, most=4, margin=0.5)
    assert len(SIGNALS) <= len(few) < len(owner)
    assert len(atlas.choose(SIGNALS[:0], most=4, margin=8.0)[0]) == 0


def test_labels_do_not_depend_on_company(explored: HistFactoryTeacher) -> None:
    together = explored.label(SIGNALS).curves[0]
    alone = explored.label(SIGNALS[7:8]).curves[0]
    assert alone.delta[0] == pytest.approx(together.delta[7], abs=1e-9)
    assert alone.starts[0] == together.starts[7]


def test_signals_below_zero_have_neighbours_too(explored: HistFactoryTeacher) -> None:
    below = np.array([[-5.0, -200.0], [-30.0, 10.0]])
    curve = explored.label(below).curves[0]
    assert curve.converged.all()
    truth = lowest_on_a_grid(explored, below)
    np.testing.assert_allclose(curve.delta + explored.curves[0].baseline_nll, truth, atol=1e-6)
