from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import jax
import numpy as np
import pytest
from scipy.stats import kstest

from llb_schema import FindingError
from llb_trainer.flows import Flow, FlowRecipe, TrainedFlow, fit_units, train_flow
from llb_trainer.flows.data import prepared

TINY = FlowRecipe(
    width=8, depth=1, steps=200, records=4, batches=(64,), bins=4, learning_rate=0.03, average=0.9, l1=0.0
)


def weights(flow: Flow) -> np.ndarray:
    return np.concatenate(
        [part.ravel() for net in flow.networks for part in (*net.kernels, *net.biases, *net.conditioning)]
    )


def few(n: int = 400) -> np.ndarray:
    """Two parameters on a bent line."""
    rng = np.random.default_rng(2)
    first = rng.standard_normal(n)
    return np.stack([first, 0.5 * first**2 + 0.3 * rng.standard_normal(n)], axis=1)


@pytest.fixture(scope="module")
def tiny() -> TrainedFlow:
    return train_flow(few(), TINY)


@pytest.mark.parametrize("kind", ["affine", "spline"])
def test_a_correlated_normal_distribution_ends_at_its_entropy(kind: Any) -> None:
    rng = np.random.default_rng(0)
    factor = np.tril(rng.standard_normal((4, 4))) + 2.0 * np.eye(4)
    scale = np.array([1e-3, 1.0, 50.0, 3.0])
    samples = (rng.standard_normal((20_000, 4)) @ factor.T + 1.0) * scale
    trained = train_flow(samples, FlowRecipe(kind=kind, width=16, depth=1, steps=300, records=3, bins=4))
    held_out = (rng.standard_normal((20_000, 4)) @ factor.T + 1.0) * scale
    entropy = 2.0 * np.log(2.0 * np.pi * np.e) + np.log(np.diag(factor)).sum() + np.log(scale).sum()
    assert min(trained.history.validation) == pytest.approx(entropy, abs=0.05)
    # The same points under the true density: what is left is the flow's own error.
    z = np.linalg.solve(factor, (held_out / scale - 1.0).T)
    truth = 0.5 * np.sum(z**2, axis=0) + entropy - 2.0
    assert abs(np.mean(-trained.flow.log_prob(held_out) - truth)) < 0.02


def test_two_modes_and_a_wall() -> None:
    rng = np.random.default_rng(1)

    def draw(n: int) -> np.ndarray:
        wall = np.abs(rng.standard_normal(n))
        return np.stack([wall, np.where(rng.random(n) < 0.4, -2.0, 2.0) + 0.5 * rng.standard_normal(n)], 1)

    def log_density(theta: np.ndarray) -> np.ndarray:
        bumps = [
            w * np.exp(-0.5 * ((theta[:, 1] - m) / 0.5) ** 2) / 0.5 for w, m in ((0.4, -2.0), (0.6, 2.0))
        ]
        return -0.5 * theta[:, 0] ** 2 + np.log(2.0) + np.log(np.sum(bumps, axis=0)) - np.log(2.0 * np.pi)

    recipe = FlowRecipe(
        kind="spline", width=16, depth=1, steps=1000, records=4, batches=(128, 512), average=0.99
    )
    flow = train_flow(draw(20_000), recipe, lower=[0.0, -np.inf]).flow
    test = draw(5_000)
    lost = log_density(test) - flow.log_prob(test)
    assert 0.0 < lost.mean() < 0.03
    made = flow.sample(rng.standard_normal((20_000, 2)))
    assert made[:, 0].min() >= 0.0
    assert np.mean(made[:, 1] < 0.0) == pytest.approx(0.4, abs=0.02)
    assert kstest(made[:, 0], "halfnorm").statistic < 0.02


def test_a_condition_shifts_the_density() -> None:
    """p(theta | x) = N(x^2, exp(-x)), known exactly."""
    rng = np.random.default_rng(3)
    x = rng.uniform(-1.0, 1.0, (20_000, 1))
    theta = x**2 + np.exp(-x) * rng.standard_normal((20_000, 1))
    recipe = FlowRecipe(
        kind="spline", bijectors=1, width=16, depth=1, steps=800, records=3, average=0.98, l1=0.0
    )
    flow = train_flow(theta, recipe, condition=x).flow
    at = np.linspace(-0.9, 0.9, 7)
    for value in at:
        points = value**2 + np.exp(-value) * np.linspace(-1.5, 1.5, 21)[:, None]
        exact = -0.5 * ((points[:, 0] - value**2) / np.exp(-value)) ** 2 + value - 0.5 * np.log(2 * np.pi)
        error = np.abs(flow.log_prob(points, [[value]]) - exact)
        assert error.mean() < 0.1
        assert error.max() < 0.3
        made = flow.sample(rng.standard_normal((4000, 1)), [[value]])
        assert made.mean() == pytest.approx(value**2, abs=0.15)
        assert made.std() == pytest.approx(np.exp(-value), rel=0.1)


def test_the_best_weights_are_published_and_the_rest_is_not_waited_for() -> None:
    samples = few(200)
    recipe = replace(TINY, width=64, depth=2, steps=4000, records=80, patience=3, learning_rate=0.01)
    trained = train_flow(samples, recipe)
    history = trained.history
    assert history.steps[-1] < recipe.steps
    assert history.best < len(history.validation) - 1
    assert history.training[-1] < history.training[history.best]
    shuffled = np.random.default_rng([recipe.seed, 0]).permutation(200)
    unseen = samples[shuffled[: round(200 * recipe.validation)]]
    assert -trained.flow.log_prob(unseen).mean() == pytest.approx(min(history.validation), abs=1e-4)


def test_l1_makes_weights_small(tiny: TrainedFlow) -> None:
    def size(flow: Flow) -> float:
        return float(sum(np.abs(kernel).sum() for net in flow.networks for kernel in net.kernels))

    assert size(train_flow(few(), replace(TINY, l1=0.03)).flow) < 0.7 * size(tiny.flow)


def test_the_same_seed_gives_the_same_flow_whatever_jax_was_told(tiny: TrainedFlow) -> None:
    with jax.enable_x64(True):
        again = train_flow(few(), TINY)
    np.testing.assert_array_equal(weights(again.flow), weights(tiny.flow))
    assert again.history.validation == tiny.history.validation
    other = train_flow(few(), replace(TINY, seed=1)).flow
    assert np.abs(weights(other) - weights(tiny.flow)).max() > 1e-3


@pytest.mark.parametrize("settings", [{}, {"optimizer": "soap", "average": 0.0, "batches": (32, 96)}])
def test_a_killed_training_ends_with_the_same_weights(
    settings: dict[str, Any], tiny: TrainedFlow, tmp_path: Path
) -> None:
    recipe = replace(TINY, **settings)
    whole = train_flow(few(), recipe) if settings else tiny
    taken = 0

    def dying(count: int) -> None:
        nonlocal taken
        taken += count
        if taken == 150:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        train_flow(few(), recipe, checkpoints=tmp_path / "kept", progress=dying)
    told: list[int] = []
    resumed = train_flow(few(), recipe, checkpoints=tmp_path / "kept", progress=told.append)
    assert told[0] == 100
    np.testing.assert_array_equal(weights(resumed.flow), weights(whole.flow))
    assert resumed.history.validation == whole.history.validation
    assert not (tmp_path / "kept").exists()


def test_checkpoints_of_another_training_are_not_gone_on_with(tmp_path: Path) -> None:
    def dying(_: int) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        train_flow(few(), TINY, checkpoints=tmp_path / "kept", progress=dying)
    with pytest.raises(FindingError) as caught:
        train_flow(few(300), TINY, checkpoints=tmp_path / "kept")
    assert caught.value.findings[0].code == "LLB-T041"


def test_a_training_that_diverges_says_so() -> None:
    with pytest.raises(FindingError) as caught:
        train_flow(few(), replace(TINY, optimizer="adam", learning_rate=1e30, warm_up=0.0, steps=50))
    assert caught.value.findings[0].code == "LLB-T051"


def test_a_unit_map_of_other_samples_is_refused() -> None:
    units = fit_units(np.abs(few()), [0.0, 0.0])
    for samples in (few(), few()[:, :1]):
        with pytest.raises(FindingError, match="unit map") as caught:
            train_flow(samples, TINY, units=units)
        assert caught.value.findings[0].code == "LLB-T050"


def test_rows_are_split_once_and_white() -> None:
    samples = few(1000)
    data = prepared(samples, None, fit_units(samples), 0.2, 5)
    assert (len(data.training.x), len(data.validation.x)) == (800, 200)
    both = np.concatenate([data.training.x, data.validation.x])
    assert len(np.unique(both, axis=0)) == 1000
    np.testing.assert_allclose(np.cov(data.training.x, rowvar=False), np.eye(2), atol=1e-5)
    other = prepared(samples, None, data.units, 0.2, 6)
    assert not np.array_equal(other.validation.x, data.validation.x)


@pytest.mark.parametrize(
    ("samples", "condition", "why"),
    [
        (few(3), None, "too few"),
        (few(), np.zeros((10, 1)), "condition"),
        (few(), np.full((400, 1), np.nan), "condition"),
    ],
)
def test_samples_that_cannot_be_learned_are_refused(
    samples: np.ndarray, condition: np.ndarray | None, why: str
) -> None:
    with pytest.raises(FindingError, match=why) as caught:
        train_flow(samples, TINY, condition=condition)
    assert caught.value.findings[0].code == "LLB-T050"
