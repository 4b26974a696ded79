"""Exact numbers of real models are pyhf's, where pyhf's fits find the minimum."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from teachers import embedded_teacher

from llb_trainer.comparison import KnownMinima, known_minima, peer_search, published_signals
from llb_trainer.exact import exact_limits
from llb_trainer.peer import PeerJob, compare_points, parameter_names
from llb_trainer.quickstart import patchset_path
from llb_trainer.teachers.histfactory import HistFactoryTeacher, histfactory_teacher, read_workspace

Floats = NDArray[np.float64]


def by_channel(teacher: HistFactoryTeacher, yields: Floats) -> dict[str, tuple[float, ...]]:
    found: dict[str, tuple[float, ...]] = {}
    for item, value in zip(teacher.bins, yields, strict=True):
        found[item.channel] = (*found.get(item.channel, ()), float(value))
    return found


def assert_equal(teacher: HistFactoryTeacher, names: list[str], patchset: Path) -> None:
    """pyhf's CLs at mu = 1 is ours, and 5 % at our limit.

    pyhf is told of our minima and starts again where its own are higher.
    """
    published = published_signals(patchset, teacher.workspace, teacher.signal_modifiers)
    yields = published.yields[[published.names.index(name) for name in names]]
    explored = teacher.explored(teacher.around(yields))
    ours = exact_limits(explored, yields, names, processes=0)
    search = peer_search(teacher)
    places = [KnownMinima(item.signal, (item.mu_hat, 1.0, item.upper_limit_observed)) for item in ours]
    optima = known_minima(explored, places, parameter_names(search), search.poi)
    jobs: list[PeerJob] = []
    expected: dict[str, float] = {}
    for item, known in zip(ours, optima, strict=True):
        assert not item.reasons
        for mu, cls in ((1.0, item.cls_observed), (item.upper_limit_observed, 0.05)):
            name = f"{item.name} at {mu}"
            signal = by_channel(teacher, item.signal)
            jobs.append(PeerJob(name, signal, mu=mu, optima=known, limit=False))
            expected[name] = cls
    mu_hat = {item.name: (item.mu_hat, item.upper_limit_observed) for item in ours}
    for theirs in compare_points(search, jobs, 2):
        assert not theirs.failure
        # pyhf's optimiser stops within 1e-6 in NLL or so
        assert theirs.fits.nll_shortfall < 1e-5
        assert theirs.cls_observed == pytest.approx(expected[theirs.name], rel=1e-4)
        best, limit = mu_hat[theirs.name.split(" at ")[0]]
        assert theirs.mu_hat == pytest.approx(best, abs=5e-3 * limit)


def test_the_embedded_search() -> None:
    assert_equal(embedded_teacher(), ["PP_500_1", "PP_700_160", "PP_300_240"], patchset_path())


def test_a_real_search(shared_data: Path) -> None:
    """ATLAS-SUSY-2018-31, one signal that is excluded and one that is not."""
    folder = shared_data / "ATLAS-SUSY-2018-31"
    teacher = histfactory_teacher(read_workspace(folder / "RegionA_BkgOnly.json"))
    names = ["sbottom_1000_131_1", "sbottom_1000_205_60"]
    assert_equal(teacher, names, folder / "RegionA_patchset.json")
