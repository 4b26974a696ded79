"""Regressions of ln L: exact where nothing is to be learned, learned where something is, quiet beyond."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from bananas import Banana
from numpy.typing import NDArray

from llb_schema import FindingError
from llb_trainer.regression import (
    Regression,
    RegressionRecipe,
    TrainedRegression,
    label_points,
    target_function,
    train_regression,
)
from llb_trainer.regression.data import prepared
from llb_trainer.regression.refinement import refining_points

Floats = NDArray[np.float64]

RECIPE = RegressionRecipe(members=2, width=32, steps=2500, records=5, batch=128, rounds=1, added=500)


BANANA = Banana(0.4)


@pytest.fixture(scope="module")
def trained() -> TrainedRegression:
    return train_regression(BANANA, BANANA.drawn(6000, 1), RECIPE)


def truth(points: Floats) -> Floats:
    return label_points(target_function(BANANA, "likelihood"), points).values


def test_labels_are_exact_and_those_without_a_number_are_left_out() -> None:
    points = np.array([[0.5, 0.001, 3.0, 0.2], [-4.5, 0.0, 0.0, 0.0]])
    labels = label_points(target_function(BANANA, "density"), points)
    assert labels.points.tolist() == points[:1].tolist()
    with jax.enable_x64(True):
        value, gradient = jax.value_and_grad(BANANA.log_density)(jnp.asarray(points[0]))
    np.testing.assert_allclose(labels.values, [float(value)], rtol=1e-15)
    np.testing.assert_allclose(labels.gradients[0], np.asarray(gradient), rtol=1e-12)
    nothing = label_points(target_function(BANANA, "likelihood"), np.empty((0, 4)))
    assert len(nothing) == 0


@pytest.mark.parametrize("lowest", [-4.0, 1.0])
def test_a_parabola_is_exact_at_once(lowest: float) -> None:
    """Also where its maximum lies beyond a wall."""
    flat = Banana(0.0, lowest=lowest)
    found = train_regression(flat, flat.drawn(200, 1), replace(RECIPE, steps=1, nodes=5, depth=1)).regression
    points = flat.drawn(100, 2) * 1.5
    with jax.enable_x64(True):
        expected = np.asarray(jax.vmap(flat.log_likelihood)(jnp.asarray(points)))
    np.testing.assert_allclose(found.log_prob(points), expected, atol=1e-7)


def test_a_banana_is_learned(trained: TrainedRegression) -> None:
    points = BANANA.drawn(2000, 2)
    error = np.abs(trained.regression.log_prob(points) - truth(points))
    assert np.median(error) < 0.03
    assert np.quantile(error, 0.99) < 0.3
    history = trained.history
    assert history.steps[-1] == RECIPE.steps
    assert history.error[history.best] < 0.03


def test_rounds_find_what_was_made_up() -> None:
    """From few points a network makes up maxima; asked where it has its own, the teacher takes them away."""
    few, found = BANANA.drawn(100, 1), list[float]()
    recipe = replace(RECIPE, members=1, steps=1500, records=3, lines=0.0, scaled=0.0, nodes=41, added=300)
    for rounds in (0, 3):
        settings = replace(recipe, rounds=rounds)
        regression = train_regression(BANANA, few, settings).regression
        data = prepared(BANANA, few, settings)
        points = refining_points(regression, data, 1000, np.random.default_rng(9))
        assert np.all((points >= data.domain[0]) & (points <= data.domain[1]))
        found.append(float(np.median(np.abs(regression.log_prob(points) - truth(points)))))
    without, with_rounds = found
    assert with_rounds < 0.4 * without


def test_nothing_was_learned_at_the_maximum(trained: TrainedRegression) -> None:
    regression = trained.regression
    center = regression.expansion.center[None]
    assert regression.remainder(center)[0] == 0.0
    assert regression.log_prob(center)[0] == pytest.approx(BANANA.constant, abs=1e-9)
    np.testing.assert_allclose(regression.score(center) * BANANA.scales, np.zeros((1, 4)), atol=1e-3)


def slopes_by_differences(regression: Regression, points: Floats) -> Floats:
    found = np.empty_like(points)
    for column, scale in enumerate(BANANA.scales):
        aside = np.zeros(4)
        aside[column] = 1e-5 * scale
        found[:, column] = (regression.relative(points + aside) - regression.relative(points - aside)) / (
            2e-5 * scale
        )
    return found


def test_the_score_is_the_derivative_within_and_beyond(trained: TrainedRegression) -> None:
    points = BANANA.drawn(20, 3)
    for factor in (1.0, 4.0, 20.0):
        found, expected = (
            part * BANANA.scales
            for part in (
                trained.regression.score(points * factor),
                slopes_by_differences(trained.regression, points * factor),
            )
        )
        np.testing.assert_allclose(found, expected, rtol=1e-5, atol=1e-5 * np.abs(expected).max())


def test_the_score_is_the_teachers(trained: TrainedRegression) -> None:
    points = BANANA.drawn(500, 4)
    wanted = label_points(target_function(BANANA, "likelihood"), points).gradients
    error = np.abs(trained.regression.score(points) - wanted) * BANANA.scales
    assert np.median(error) < 0.05


def test_far_out_the_parabola_takes_over(trained: TrainedRegression) -> None:
    regression = trained.regression
    direction = BANANA.drawn(10, 5)
    x = regression.expansion.white(direction)
    unit = x / np.linalg.norm(x, axis=1, keepdims=True)
    out = [regression.expansion.physical(unit * regression.reach * f) for f in (1.0, 3.0, 10.0, 1e3, 1e6)]
    learned = [np.abs(regression.remainder(points)).max() for points in out]
    values = np.array([regression.log_prob(points) for points in out])
    assert np.isfinite(values).all()
    assert (np.diff(values, axis=0)[1:] < 0).all()
    assert learned[2] < 0.01 * learned[0]
    assert learned[4] < 1e-12


def test_a_training_that_was_killed_goes_on(tmp_path: Path) -> None:
    short = replace(RECIPE, steps=200, records=2, nodes=5, depth=1)
    whole = train_regression(BANANA, BANANA.drawn(300, 1), short).regression

    class KilledError(Exception):
        pass

    told: list[int] = []

    def kill(count: int) -> None:
        told.append(count)
        if sum(told) == 150:
            raise KilledError

    for progress in (kill, None):
        try:
            found = train_regression(
                BANANA, BANANA.drawn(300, 1), short, checkpoints=tmp_path / "kept", progress=progress
            )
        except KilledError:
            continue
        points = BANANA.drawn(10, 2)
        assert found.regression.log_prob(points).tolist() == whole.log_prob(points).tolist()
    assert not (tmp_path / "kept").exists()


@pytest.mark.parametrize(
    ("setting", "value"), [("target", "posterior"), ("steps", 0), ("stretch", 0.5), ("validation", 1.0)]
)
def test_settings_have_a_range(setting: str, value: object) -> None:
    with pytest.raises(FindingError, match="LLB-T040"):
        replace(RECIPE, **{setting: value})


def test_samples_that_cannot_be_learned_are_refused() -> None:
    for samples in (np.zeros((20, 3)), np.full((20, 4), np.nan), BANANA.drawn(5, 1)):
        with pytest.raises(FindingError, match="LLB-T050"):
            train_regression(BANANA, samples, RECIPE)
