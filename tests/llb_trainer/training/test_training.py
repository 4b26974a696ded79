"""Training on a teacher with a closed form: what is learned, and what is exact without learning."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import jax
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
from llb_trainer.training.branches import Branches
from llb_trainer.training.ensemble import Ensemble
from llb_trainer.training.loss import branch_values

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
    return train(labels, SMALL)


def test_it_learns_values_slopes_and_the_kink(labels: LabelSet, trained: Trained) -> None:
    network = trained.network
    held = labels.heldout
    truth = held.delta
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
    untrained = train(labels, Recipe(width=8, depth=1, members=2, steps=10)).network
    for network in (trained.network, untrained):
        assert (network(np.zeros((3, 2))) == 0.0).all()
        assert (network.sigma(np.zeros((3, 2))) == 0.0).all()
        # the slope at zero is the teacher's, whatever the weights
        tiny = 1e-4 * np.array([[1.0, 0.0], [0.0, 1.0]])
        exact = TEACHER.label(tiny).delta
        np.testing.assert_allclose(network(tiny), exact, atol=1e-7)


def test_numpy_network_is_the_trained_one(labels: LabelSet, trained: Trained) -> None:
    """The ensemble in JAX, with the weights of the network in NumPy, gives the same branches."""
    network, signals = trained.network, labels.heldout.signals[:50]
    branches = Branches(network.counts)
    ensemble = Ensemble(2, 2, 24, 2, branches, nnx.Rngs(0))
    for layer, kernel, bias in zip(ensemble.layers, network.kernels, network.biases, strict=True):
        layer.kernel[...], layer.bias[...] = jnp.asarray(kernel, jnp.float32), jnp.asarray(bias, jnp.float32)
    ensemble.offset[...] = jnp.log(
        jnp.expm1(jnp.asarray(network.offset + (network.offset == 0), jnp.float32))
    )
    ensemble.gain[...] = jnp.asarray(network.gain, jnp.float32)
    ensemble.tilt[...] = jnp.asarray(network.tilt * network.scale[:, None], jnp.float32)
    x, known = (
        jnp.asarray(part, jnp.float32) for part in (signals / network.scale, network.analytic(signals))
    )
    found = np.asarray(branch_values(ensemble, branches, x, known))
    lowest = [part.min(axis=2) for part in np.split(found, network.branches.first[1:], axis=2)]
    np.testing.assert_allclose(network.members(signals), np.stack(lowest, axis=2), rtol=2e-4, atol=2e-4)


def test_the_kink_is_a_branch_of_its_own(trained: Trained) -> None:
    assert trained.network.counts == (2, 2)
    assert (trained.network.offset[:, 1::2] > 0.5).all()


@pytest.mark.requirement("UNCERTAINTY-2")
def test_the_uncertainty_covers_the_errors(labels: LabelSet, trained: Trained) -> None:
    held = labels.heldout
    truth = held.delta
    error, sigma = np.abs(trained.network(held.signals) - truth), trained.network.sigma(held.signals)
    near = truth <= 6
    assert 0.55 < np.mean(error[near] <= sigma[near]) < 0.82
    assert np.mean(error[near] <= 1.96 * sigma[near]) > 0.82


def test_a_killed_training_ends_with_the_same_network(
    labels: LabelSet, trained: Trained, tmp_path: Path
) -> None:
    class KilledError(Exception):
        pass

    taken: list[int] = []

    def kill(count: int) -> None:
        taken.append(count)
        if sum(taken) >= 800:
            raise KilledError

    kept = tmp_path / "checkpoints"
    with pytest.raises(KilledError):
        train(labels, SMALL, checkpoints=kept, progress=kill)
    with pytest.raises(FindingError, match="LLB-T041"):
        train(labels, replace(SMALL, steps=2000), checkpoints=kept)
    resumed: list[int] = []
    again = train(labels, SMALL, checkpoints=kept, progress=resumed.append)
    assert resumed[0] >= 700
    assert sum(resumed) == SMALL.steps
    for first, second in zip(again.network.kernels, trained.network.kernels, strict=True):
        np.testing.assert_array_equal(first, second)
    assert again.history.loss_values == trained.history.loss_values
    assert not kept.exists()


@pytest.mark.parametrize(("name", "value"), [("width", 0), ("steps", -1), ("robust", 0.0), ("warm_up", 1.0)])
def test_a_recipe_out_of_its_range_is_refused(name: str, value: float) -> None:
    with pytest.raises(FindingError, match="LLB-T040"):
        Recipe(**{name: value})


def test_same_seed_same_network(labels: LabelSet) -> None:
    recipe = Recipe(width=8, depth=1, members=1, steps=60)
    one, two = (train(labels, recipe).network for _ in range(2))
    # What somebody else has told JAX, as pyhf's backend does, changes nothing.
    with jax.enable_x64(True):
        three = train(labels, recipe).network
    for other in (two, three):
        for first, second in zip(one.kernels, other.kernels, strict=True):
            np.testing.assert_array_equal(first, second)


def test_what_did_not_converge_is_left_out() -> None:
    good, bad = labels_of(TEACHER, 800), labels_of(CountingTeacher(failing=True), 800)
    assert good.counts.requested == bad.counts.requested == 800 + 2 * 200 + 1
    assert bad.counts.failed == 301
    assert good.counts.failed == 0
    rows = sum(len(part.signals) for part in (bad.training, bad.calibration, bad.heldout))
    assert rows <= 900
    assert bad.training.usable.all()


@pytest.mark.requirement("HELDOUT-1", "HELDOUT-3", "UNCERTAINTY-2")
def test_held_out_signals_are_inside_and_unseen(labels: LabelSet) -> None:
    assert max(curve.delta.max() for curve in labels.heldout.curves) <= labels.delta_max
    used = np.concatenate([labels.training.signals, labels.calibration.signals])
    seen = {tuple(row) for row in used}
    assert len(seen) == len(used)
    assert not any(tuple(row) in seen for row in labels.heldout.signals)


def test_the_domain_reaches_three_times_the_published_signals() -> None:
    strong = np.array([[30.0, 4.0]])
    found = make_labels(TEACHER, strong, 400, Sampling(delta_max=3.0), processes=0)
    exact = max(curve.delta[0] for curve in TEACHER.label(3.0 * strong).curves)
    assert found.delta_max > exact > 3.0
    assert (found.training.signals.max(axis=0) >= 3.0 * strong[0]).all()
    assert (found.training.signals.min(axis=0) < 0.0).all()


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
