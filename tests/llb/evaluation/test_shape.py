from __future__ import annotations

import json

import numpy as np
import pytest

from llb.evaluation import ModelShape, model_shape
from llb.evaluation.shape import barrier, sag
from llb.runtime import ProfileLikelihood, load
from llb_conformance import counting_model, write_quadratic


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> ProfileLikelihood:
    return load(write_quadratic(counting_model(), tmp_path_factory.mktemp("shape") / "counting.llb"))


def test_a_barrier_is_what_has_to_be_climbed_between_two_minima() -> None:
    rows = np.array(
        [
            [3.0, 1.0, 0.0, 1.0, 4.0],
            [0.0, 1.0, 2.0, 3.0, 4.0],
            [2.0, 0.0, 1.5, 1.0, 4.0],
            [0.0, 3.0, 1.0, 2.0, 0.5],
        ]
    )
    np.testing.assert_allclose(barrier(rows), [0.0, 0.0, 0.5, 2.5])


def test_a_sag_is_the_height_above_the_chord() -> None:
    t = np.array([0.0, 1.0, 3.0, 4.0])
    rows = np.array([[0.0, 1.0, 9.0, 16.0], [0.0, 2.0, 3.0, 4.0], [0.0, 1.0, 3.0, 4.0]])
    np.testing.assert_allclose(sag(t, rows), [0.0, 1.0, 0.0])


def test_a_quadratic_model_has_no_fault(model: ProfileLikelihood) -> None:
    directions = np.random.default_rng(2).uniform(0.0, 1.0, (6, len(model.bin_ids)))
    found = model_shape(model, directions)
    assert found.rays == 6
    assert found.closed
    assert found.lowest_asimov == 0.0
    assert set(found.curves) == {item.name for item in model.bundle.manifest.own_curves}
    for shape in found.curves.values():
        assert shape.several_minima == 0.0
        assert shape.barrier < 1e-9
        assert shape.sag < 1e-6


def test_the_lowest_value_is_found_between_the_edges(model: ProfileLikelihood) -> None:
    directions = np.eye(len(model.bin_ids))
    found = model_shape(model, directions).curves["observed"]
    grid = np.linspace(0.0, 1.0, 2001)[:, np.newaxis, np.newaxis] * directions
    upper = np.asarray(model.bundle.manifest.domain.upper)
    values = model.delta_nll((grid * upper).reshape(-1, len(upper)))["observed"]
    assert found.lowest == pytest.approx(values.min(), abs=1e-3)
    assert found.lowest < -0.01


def test_rays_without_a_number_are_left_out(model: ProfileLikelihood) -> None:
    found = model_shape(model, np.zeros((2, len(model.bin_ids))))
    assert found.rays == 0
    assert found.closed


def test_json_keeps_everything(model: ProfileLikelihood) -> None:
    found = model_shape(model, np.ones((1, len(model.bin_ids))))
    assert ModelShape.from_json(json.loads(json.dumps(found.to_json(), allow_nan=False))) == found


def test_a_graph_that_is_wrong_at_zero_is_found_out(
    model: ProfileLikelihood, monkeypatch: pytest.MonkeyPatch
) -> None:
    original = ProfileLikelihood.columns

    def rippled(self: ProfileLikelihood, signals: np.ndarray) -> np.ndarray:
        signals = np.asarray(signals, dtype=np.float64)
        return original(self, signals) + np.cos(8.0 * signals.sum(axis=1))[:, np.newaxis] - 1.5

    monkeypatch.setattr(ProfileLikelihood, "columns", rippled)
    direction = np.ones((1, len(model.bin_ids)))
    found = model_shape(model, direction)
    assert not found.closed
    assert found.lowest_asimov < -0.4
    for shape in found.curves.values():
        assert shape.zero == pytest.approx(-0.5)
        assert shape.several_minima == 1.0
        assert 0.5 < shape.barrier < 2.0
        assert shape.sag > 0.5
