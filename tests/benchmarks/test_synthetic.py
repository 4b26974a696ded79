"""The synthetic searches are what their names say, and pyhf accepts them."""

from __future__ import annotations

from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from llb_trainer.teachers.histfactory import read_workspace

BENCHMARKS = Path(__file__).resolve().parents[2] / "benchmarks"


@pytest.fixture
def synthetic(monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.syspath_prepend(BENCHMARKS)
    return import_module("synthetic")


@pytest.mark.parametrize(("bins", "parameters"), [(4, 5), (5, 50), (33, 40), (50, 200)])
def test_size_and_content(synthetic: Any, tmp_path: Path, bins: int, parameters: int) -> None:
    search = synthetic.synthetic_search(bins, parameters, 3, tmp_path)
    workspace = read_workspace(search.workspace)
    config = workspace.model.config
    assert (sum(config.channel_nbins.values()), config.npars) == (bins, parameters)
    expected = workspace.model.expected_actualdata(config.suggested_init())
    assert np.all(expected > 1.0)
    kinds = {kind for _, kind in config.modifiers}
    if parameters >= 40:
        assert kinds == {"normfactor", "normsys", "histosys", "staterror"}


def test_the_uncertainty_of_the_background_does_not_depend_on_the_number_of_parameters(
    synthetic: Any, tmp_path: Path
) -> None:
    spreads = [_spread(synthetic.synthetic_search(20, n, 3, tmp_path).workspace) for n in (50, 400)]
    assert spreads[1] == pytest.approx(spreads[0], rel=0.3)
    assert 0.05 < spreads[0] < 0.3


def _spread(path: Path) -> float:
    """Relative standard deviation of the bins' events when the constrained parameters follow their terms."""
    model = read_workspace(path).model
    config = model.config
    rng = np.random.default_rng(0)
    theta = np.tile(config.suggested_init(), (64, 1))
    for name in config.par_order:
        parameter = config.param_set(name)
        if name.startswith("alpha_"):
            theta[:, config.par_slice(name)] += rng.normal(size=(64, parameter.n_parameters))
    events = np.array([model.expected_actualdata(row) for row in theta])
    return float(np.median(events.std(axis=0) / events.mean(axis=0)))


def test_the_same_seed_gives_the_same_search(synthetic: Any) -> None:
    assert synthetic.synthetic_workspace(8, 30, 1) == synthetic.synthetic_workspace(8, 30, 1)
    assert synthetic.synthetic_workspace(8, 30, 1) != synthetic.synthetic_workspace(8, 30, 2)


def test_sizes_without_a_search_are_refused(synthetic: Any) -> None:
    with pytest.raises(ValueError, match="3 bins"):
        synthetic.synthetic_workspace(3, 50, 1)
