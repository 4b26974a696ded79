"""The comparison asks both sides about the same signal, and hands pyhf the true minima in its own order."""

from __future__ import annotations

import math

import numpy as np
import pytest
from linearised import linearised_bundle

from llb.runtime import ProfileLikelihood, Signals, limits
from llb_trainer.comparison import (
    Comparison,
    compare,
    generated_signals,
    peer_search,
    published_signals,
    read_patches,
)
from llb_trainer.peer import PeerJob, compare_point, parameter_names, patch_yields
from llb_trainer.quickstart import patchset_path, workspace_path
from llb_trainer.teachers.histfactory import HistFactoryTeacher, histfactory_teacher, read_workspace

NAMES = ("PP_300_160", "PP_500_1", "PP_600_1")


@pytest.fixture(scope="module")
def teacher() -> HistFactoryTeacher:
    return histfactory_teacher(read_workspace(workspace_path()))


@pytest.fixture(scope="module")
def model(teacher: HistFactoryTeacher, tmp_path_factory: pytest.TempPathFactory) -> ProfileLikelihood:
    return linearised_bundle(teacher, tmp_path_factory.mktemp("bundle") / "linearised.llb")


@pytest.fixture(scope="module")
def signals(teacher: HistFactoryTeacher, model: ProfileLikelihood) -> Signals:
    patches = read_patches(patchset_path()).patches
    rows = []
    for name in NAMES:
        yields = patch_yields(peer_search(teacher), patches[name])
        rows.append(model.signal({f"{c}[{i}]": y for c, ys in yields.items() for i, y in enumerate(ys)}))
    return Signals(NAMES, np.array(rows))


@pytest.fixture(scope="module")
def stages() -> dict[str, list[int]]:
    return {}


@pytest.fixture(scope="module")
def comparison(
    teacher: HistFactoryTeacher, model: ProfileLikelihood, signals: Signals, stages: dict[str, list[int]]
) -> Comparison:
    def progress(name: str, total: int | None) -> object:
        stages[name] = [-(total or 0)]
        return stages[name].append

    return compare(
        teacher,
        model,
        signals.names,
        signals.yields,
        points=2,
        limit_points=1,
        processes=2,
        progress=progress,  # pyright: ignore[reportArgumentType]
    )


def test_the_known_minima_are_pyhfs_minima(comparison: Comparison, teacher: HistFactoryTeacher) -> None:
    """One parameter in a wrong place would lift the known NLL above pyhf's fit: a shortfall."""
    assert len(comparison.points) == 2
    for point in comparison.points:
        assert point.pyhf.failure == ""
        assert {item.curve for item in point.optima} == {"observed", "observed_asimov"}
        assert {0.0, 1.0} < {item.mu for item in point.optima}
        assert len(point.optima[0].parameters) == len(teacher.model.parameters) + 1
        assert point.pyhf.fits.nll_shortfall < 1e-5
        assert not point.pyhf.restarted


def test_pyhf_is_asked_about_the_same_signal(comparison: Comparison, teacher: HistFactoryTeacher) -> None:
    point, search = comparison.points[0], peer_search(teacher)
    yields = patch_yields(search, read_patches(patchset_path()).patches[point.name])
    alone = compare_point(search, PeerJob(point.name, yields, limit=False))
    # SLSQP stops within 1e-6 in NLL, not always at the same place with another number of BLAS threads
    assert point.pyhf.cls_observed == pytest.approx(alone.cls_observed, rel=1e-5)


def test_the_bundle_is_asked_about_the_same_signal(
    comparison: Comparison, model: ProfileLikelihood, signals: Signals
) -> None:
    everything = {item.name: item for item in limits(model, signals)}
    assert [item.name for item in comparison.scan] == list(NAMES)
    for point in comparison.points:
        assert point.bundle.cls_observed == pytest.approx(everything[point.name].cls_observed, rel=1e-9)
        assert point.cls_difference == point.bundle.cls_observed / point.pyhf.cls_observed - 1.0
        assert 0.0 < point.seconds_bundle < point.seconds_pyhf


def test_upper_limits_are_asked_for_as_many_signals_as_wanted(comparison: Comparison) -> None:
    with_limit, without = comparison.points
    assert math.isfinite(with_limit.pyhf.upper_limit_observed)
    assert math.isfinite(with_limit.upper_limit_difference)
    assert with_limit.seconds_pyhf == with_limit.pyhf.seconds_limit
    assert math.isnan(without.upper_limit_difference)
    assert without.seconds_pyhf == without.pyhf.seconds_cls


@pytest.mark.usefixtures("comparison")
def test_every_stage_is_told_to_its_end(stages: dict[str, list[int]]) -> None:
    assert len(stages) == 2
    assert [sum(parts) for parts in stages.values()] == [0, 0]


def test_parameters_of_pyhf_are_the_teachers_and_the_signal_strength(teacher: HistFactoryTeacher) -> None:
    search = peer_search(teacher)
    assert set(parameter_names(search)) == {*teacher.model.parameters, search.poi}


def test_generated_signals_are_where_limits_are_decided(
    teacher: HistFactoryTeacher, model: ProfileLikelihood
) -> None:
    signals = generated_signals(teacher, 16, seed=1)
    assert len(set(signals.names)) == 16
    assert np.array_equal(signals.yields, generated_signals(teacher, 16, seed=1).yields)
    assert (signals.yields >= 0.0).all()
    found = limits(model, signals.yields[:, ::-1])
    assert sum(1e-3 < item.cls_observed < 1.0 for item in found) >= 8


def test_a_patchset_gives_the_yields_that_pyhf_adds(teacher: HistFactoryTeacher) -> None:
    read = published_signals(patchset_path(), teacher.workspace, ("lumi",))
    patches = read_patches(patchset_path()).patches
    assert read.names == tuple(patches)
    for name in NAMES:
        theirs = patch_yields(peer_search(teacher), patches[name])
        ours = read.yields[read.names.index(name)]
        assert ours.tolist() == [theirs[item.channel][item.index] for item in teacher.bins]
