"""Training on a teacher with a closed form: what is learned, and what is exact without learning."""

from __future__ import annotations

import jax.numpy as jnp
import numpy as np
import pytest
from counting import CountingTeacher
from flax import nnx
from numpy.typing import NDArray

from llb_schema import FindingError
from llb_trainer.labels import LabelSet, concatenate, make_labels, take
from llb_trainer.sampling import Sampling
from llb_trainer.teachers.contract import CurveLabels, Labels
from llb_trainer.training import Recipe, Trained, train
from llb_trainer.training.ensemble import Ensemble
from llb_trainer.training.loss import Frame, branch_values

Floats = NDArray[np.float64]


def labels_of(teacher: CountingTeacher, n: int = 1500, delta_max: float = 12.0) -> LabelSet:
    sampling = Sampling(delta_max=delta_max)
    return make_labels(teacher, np.array([[1.0, 2.0]]), n, sampling, processes=0)


TEACHER = CountingTeacher()
SMALL = Recipe(width=24, depth=2, members=2, steps=1500, batch=256)


@pytest.fixture(scope="module")
def labels() -> LabelSet:
    return labels_of(TEACHER)


@pytest.fixture(scope="module")
def trained(labels: LabelSet) -> Trained:
    return train(labels, TEACHER.branches, SMALL)


def test_it_learns_values_slopes_and_the_kink(labels: LabelSet, trained: Trained) -> None:
    network = trained.network
    held = labels.heldout
    truth = np.stack([curve.delta for curve in held.curves], axis=1)
    errors = np.abs(network(held.signals) - truth)
    assert np.median(errors) < 5e-3
    assert np.percentile(errors, 99) < 5e-2
    step = 1e-4
    for b in range(2):
        shift = np.eye(2)[b] * step
        slope = (network(held.signals + shift) - network(held.signals)) / step
        exact = np.stack([curve.gradient[:, b] for curve in held.curves], axis=1)
        assert np.median(np.abs(slope - exact)) < 5e-3
    assert trained.history.heldout_median[-1] == pytest.approx(np.median(errors[(truth >= 0) & (truth <= 6)]))


def test_zero_signal_is_exact_before_and_after_training(labels: LabelSet, trained: Trained) -> None:
    untrained = train(labels, TEACHER.branches, Recipe(width=8, depth=1, members=2, steps=10)).network
    for network in (trained.network, untrained):
        assert (network(np.zeros((3, 2))) == 0.0).all()
        # slope and curvature at zero are the teacher's, whatever the weights
        tiny = 1e-4 * np.array([[1.0, 0.0], [0.0, 1.0]])
        exact = np.stack([curve.delta for curve in TEACHER.label(tiny).curves], axis=1)
        np.testing.assert_allclose(network(tiny), exact, atol=1e-7)


def test_numpy_network_is_the_trained_one(labels: LabelSet, trained: Trained) -> None:
    network = trained.network
    ensemble = Ensemble(2, 2, 24, 2, 4, nnx.Rngs(0))
    for layer, kernel, bias in zip(ensemble.layers, network.kernels, network.biases, strict=True):
        layer.kernel[...], layer.bias[...] = jnp.asarray(kernel, jnp.float32), jnp.asarray(bias, jnp.float32)
    frame = Frame(
        *(
            jnp.asarray(part, jnp.float32)
            for part in (
                network.offset,
                network.slope * network.scale,
                network.metric * network.scale[:, None],
            )
        )
    )
    signals = labels.heldout.signals[:50]
    found = branch_values(ensemble, frame, jnp.asarray(signals / network.scale, jnp.float32)).min(axis=3)
    np.testing.assert_allclose(network.members(signals), found, rtol=2e-4, atol=2e-4)


def test_same_seed_same_network(labels: LabelSet) -> None:
    recipe = Recipe(width=8, depth=1, members=1, steps=60)
    one, two = (train(labels, TEACHER.branches, recipe).network for _ in range(2))
    for first, second in zip(one.kernels, two.kernels, strict=True):
        np.testing.assert_array_equal(first, second)


def test_what_did_not_converge_is_left_out() -> None:
    good, bad = labels_of(TEACHER, 800), labels_of(CountingTeacher(failing=True), 800)
    assert bad.n_failed == 200
    assert good.n_failed == 0
    rows = len(bad.training.signals) + len(bad.heldout.signals)
    assert rows <= 600
    assert bad.training.usable.all()


def test_held_out_signals_are_inside_and_unseen(labels: LabelSet) -> None:
    assert max(curve.delta.max() for curve in labels.heldout.curves) <= 12.0
    seen = {tuple(row) for row in labels.training.signals}
    assert not any(tuple(row) in seen for row in labels.heldout.signals)


def test_too_few_labels_are_refused() -> None:
    with pytest.raises(FindingError) as caught:
        labels_of(TEACHER, 60)
    assert caught.value.findings[0].code == "LLB-T001"


def test_second_look_finds_what_the_first_missed() -> None:
    class Blind(CountingTeacher):
        def label(self, signals: Floats, progress: object = None) -> Labels:
            labels = super().label(signals, progress)
            return Labels(signals, tuple(_raised(curve) for curve in labels.curves))

    def _raised(curve: CurveLabels) -> CurveLabels:
        return CurveLabels(curve.name, *(getattr(curve, n) + (n == "delta") * 0.25 for n in FIELDS))

    found = make_labels(Blind(), np.array([[1.0, 2.0]]), 800, Sampling(), processes=0)
    assert found.second_look_excess == pytest.approx(0.25)


FIELDS = [name for name in CurveLabels.__dataclass_fields__ if name != "name"]


def test_take_and_concatenate_are_inverse() -> None:
    labels = TEACHER.label(np.random.default_rng(0).exponential(3.0, size=(10, 2)))
    parts = [take(labels, np.arange(4)), take(labels, np.arange(10) >= 4)]
    again = concatenate(parts)
    np.testing.assert_array_equal(again.signals, labels.signals)
    np.testing.assert_array_equal(again.curves[1].branches, labels.curves[1].branches)
