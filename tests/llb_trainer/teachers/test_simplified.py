"""The simplified-likelihood teacher against the same likelihood written again, and minimised by SciPy."""

from __future__ import annotations

import json
import pickle
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import simplifieds
from numpy.typing import NDArray
from scipy.special import gammaln

from llb_trainer.labels import make_labels
from llb_trainer.sampling import Sampling
from llb_trainer.teachers.contract import CURVES, CurveData, Labels, Teacher
from llb_trainer.teachers.simplified import (
    SimplifiedTeacher,
    read_simplified_likelihood,
    simplified_teacher,
)

Floats = NDArray[np.float64]
FILES = ("CMS-EXO-20-004-eff.json", "CMS-SUS-19-006-agg.json")
MODELS: dict[str, Callable[[], dict[str, Any]]] = {
    "linear": simplifieds.document,
    "skewed": simplifieds.skewed,
}


@pytest.fixture(scope="module", params=MODELS)
def small(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> tuple[dict[str, Any], SimplifiedTeacher]:
    given = MODELS[request.param]()
    return given, simplifieds.opened(tmp_path_factory.mktemp("small"), given)


@pytest.fixture(scope="module", params=FILES)
def real(request: pytest.FixtureRequest, shared_data: Path) -> tuple[dict[str, Any], SimplifiedTeacher]:
    path = shared_data / "simplified-likelihoods" / request.param
    return json.loads(path.read_bytes()), simplified_teacher(read_simplified_likelihood(path))


def signals(teacher: SimplifiedTeacher, n: int, seed: int = 0) -> Floats:
    """From far below the background's uncertainty to far above."""
    rng = np.random.default_rng(seed)
    scale = np.sqrt(np.diag(teacher.covariance) + teacher.likelihood.background)
    strength = 10.0 ** rng.uniform(-2.0, 0.7, size=(n, 1))
    return rng.exponential(size=(n, len(scale))) * scale * strength


def data_of(curve: CurveData) -> tuple[Floats, Floats]:
    ((name, values),) = curve.auxiliary
    assert name == "theta"
    return curve.main, np.array(values)


def check_against_scipy(given: dict[str, Any], teacher: SimplifiedTeacher, n: int, starts: int) -> None:
    asked = signals(teacher, n, seed=7)
    labels = teacher.label(asked)
    assert labels.usable.all()
    by_name = {curve.name: curve for curve in teacher.curves}
    for curve in labels.curves:
        main, auxiliary = data_of(by_name[curve.name])
        baseline = by_name[curve.name].baseline_nll
        theirs = simplifieds.lowest(given, np.zeros(len(main)), main, auxiliary, starts)
        assert baseline == pytest.approx(theirs, abs=2e-6)
        for signal, delta, theta in zip(asked, curve.delta, curve.parameters, strict=True):
            theirs = simplifieds.lowest(given, signal, main, auxiliary, starts)
            # SciPy may stop early; it can never be below
            assert -2e-8 < theirs - (baseline + delta) < 2e-6
            own = simplifieds.nll(given)(theta, signal, main, auxiliary)
            assert own == pytest.approx(baseline + delta, abs=2e-8)


def test_scipy_finds_the_same_minima(small: tuple[dict[str, Any], SimplifiedTeacher]) -> None:
    check_against_scipy(*small, n=8, starts=12)


def test_scipy_finds_the_same_minima_of_published_models(
    real: tuple[dict[str, Any], SimplifiedTeacher],
) -> None:
    check_against_scipy(*real, n=3, starts=1)


def check_gradients(teacher: SimplifiedTeacher, n: int) -> None:
    asked = signals(teacher, n, seed=3) + 1e-3
    labels = teacher.label(asked)
    step = 1e-4 * np.sqrt(np.diag(teacher.covariance) + teacher.likelihood.background)
    for column in range(asked.shape[1]):
        shift = step * (np.arange(len(step)) == column)
        up, down = teacher.label(asked + shift), teacher.label(asked - shift)
        for curve, high, low in zip(labels.curves, up.curves, down.curves, strict=True):
            numeric = (high.delta - low.delta) / (2.0 * step[column])
            np.testing.assert_allclose(curve.gradient[:, column], numeric, atol=3e-6, rtol=1e-5)


def test_gradients_are_exact(small: tuple[dict[str, Any], SimplifiedTeacher]) -> None:
    check_gradients(small[1], 12)


def test_gradients_are_exact_of_published_models(real: tuple[dict[str, Any], SimplifiedTeacher]) -> None:
    check_gradients(real[1], 4)


def check_asimov(teacher: SimplifiedTeacher) -> None:
    nothing = np.zeros((1, len(teacher.bins)))
    curves = dict(zip(CURVES, teacher.curves, strict=True))
    model = teacher.model
    observed, main, auxiliary = {}, {}, {}
    for name, curve in curves.items():
        main[name], auxiliary[name] = data_of(curve)
        search = replace(teacher, curves=(replace(curve, alias_of=""),))
        observed[name] = search.label(nothing).curves[0].parameters[0]
    np.testing.assert_array_equal(main["observed"], teacher.likelihood.observed)
    np.testing.assert_array_equal(main["apriori"], teacher.likelihood.background)
    for name in ("observed", "apriori"):
        assert not auxiliary[name].any()
        shifted = f"{name}_asimov"
        np.testing.assert_allclose(auxiliary[shifted], observed[name], atol=1e-7)
        theta = auxiliary[shifted]
        rates = model.constant + model.linear * theta + model.quadratic * theta**2
        np.testing.assert_allclose(main[shifted], rates, atol=1e-9, rtol=1e-12)
        assert np.all(main[shifted] >= 0)
        # the best fit to Asimov data is what made them, and it is perfect
        np.testing.assert_allclose(observed[shifted], theta, atol=1e-6)
        np.testing.assert_allclose(curves[shifted].slope, 0.0, atol=1e-9)
    for curve in teacher.label(signals(teacher, 64)).curves:
        assert curve.name == "observed" or curve.name == "apriori" or curve.delta.min() >= 0


@pytest.mark.requirement("SOURCE-2")
def test_asimov_data(small: tuple[dict[str, Any], SimplifiedTeacher]) -> None:
    given, teacher = small
    check_asimov(teacher)
    # the mean is not the value at theta = 0 if there are third moments
    skew = given["third_moment"] is not None
    assert [curve.alias_of for curve in teacher.curves] == ["", "", "", "" if skew else "apriori"]
    assert np.all(np.abs(teacher.curves[2].slope) < 1e-9) == (not skew)


def test_asimov_data_of_published_models(real: tuple[dict[str, Any], SimplifiedTeacher]) -> None:
    check_asimov(real[1])
    assert real[1].curves[3].alias_of == "apriori"


@pytest.mark.requirement("SOURCE-2")
@pytest.mark.parametrize(
    ("n", "b", "sigma"), [(5, 3.5, 1.5), (0, 2.0, 1.0), (0, 0.1, 0.7), (1000, 900.0, 80.0), (3, 0.0, 2.0)]
)
def test_one_bin_by_hand(n: int, b: float, sigma: float, tmp_path: Path) -> None:
    """The rate solves r^2 + (V - b - s) r - n V = 0; without events it is b + s - V, or zero."""
    teacher, variance = simplifieds.opened(tmp_path, simplifieds.one_bin(n, b, sigma)), sigma**2
    asked = np.array([[0.0], [0.01], [0.3], [1.7], [6.0], [40.0]])
    linear = variance - b - asked[:, 0]
    rate = 0.5 * (-linear + np.sqrt(linear**2 + 4.0 * n * variance))
    pull = (rate - b - asked[:, 0]) / sigma
    value = rate - (n * np.log(rate) if n else 0.0) + gammaln(n + 1) + 0.5 * pull**2 + 0.5 * np.log(2 * np.pi)
    observed = teacher.label(asked).curves[0]
    assert teacher.curves[0].baseline_nll == pytest.approx(value[0], abs=1e-10)
    np.testing.assert_allclose(observed.delta, value - value[0], atol=1e-9)
    # by the chain rule the derivative is that of the constraint term alone
    np.testing.assert_allclose(observed.gradient[:, 0], -pull / sigma, atol=1e-8)
    np.testing.assert_allclose(observed.parameters[:, 0], pull, atol=1e-7)


@pytest.mark.requirement("SOURCE-2")
@pytest.mark.parametrize("third", [2.8, 2.4, 1.0, -1.0, -2.6, -2.828])
@pytest.mark.parametrize(("n", "b", "sigma"), [(0, 1.0, 1.0), (2, 9.0, 3.0), (40, 9.0, 3.0), (7, 0.5, 1.5)])
def test_one_skewed_bin_on_a_grid(n: int, b: float, sigma: float, third: float, tmp_path: Path) -> None:
    given = simplifieds.one_bin(n, b, sigma, third * sigma**3)
    teacher = simplifieds.opened(tmp_path, given)
    asked = np.array([[0.0], [0.5], [2.0], [10.0], [60.0]])
    a, linear, quadratic, _ = simplifieds.coefficients(given)
    theta = np.linspace(-12.0, 12.0, 4_000_001)
    observed = teacher.label(asked).curves[0]
    assert observed.converged.all()
    for row, signal in enumerate(asked[:, 0]):
        rate = a + linear * theta + quadratic * theta**2 + signal
        with np.errstate(divide="ignore", invalid="ignore"):
            poisson = np.where(rate < 0, np.inf, rate - (n * np.log(rate) if n else 0.0))
        value = np.nanmin(poisson + 0.5 * theta**2) + gammaln(n + 1.0) + 0.5 * np.log(2 * np.pi)
        # the grid comes near to zero rate in a bin without events, and not closer
        assert teacher.curves[0].baseline_nll + observed.delta[row] == pytest.approx(value, abs=2e-5)


def test_random_starts_find_nothing_lower(small: tuple[dict[str, Any], SimplifiedTeacher]) -> None:
    check_second_look(small[1], 64)


def test_random_starts_find_nothing_lower_in_published_models(
    real: tuple[dict[str, Any], SimplifiedTeacher],
) -> None:
    check_second_look(real[1], 16)


def check_second_look(teacher: SimplifiedTeacher, n: int) -> None:
    asked = signals(teacher, n, seed=11)
    labels, again = teacher.label(asked), teacher.second_look(asked, starts=24, seed=5)
    baseline = {curve.name: curve.baseline_nll for curve in teacher.curves}
    assert set(again) == {curve.name for curve in labels.curves}
    for curve in labels.curves:
        assert np.isfinite(again[curve.name]).all()
        assert np.max(curve.delta + baseline[curve.name] - again[curve.name]) < 1e-7


def test_what_a_label_says(small: tuple[dict[str, Any], SimplifiedTeacher]) -> None:
    given, teacher = small
    asked = np.concatenate([np.zeros((1, 4)), signals(teacher, 9)])
    told: list[int] = []
    labels = teacher.label(asked, told.append)
    assert sum(told) == 10
    assert [curve.name for curve in labels.curves] == [curve.name for curve in teacher.owners]
    assert teacher.branches == ("interior",)
    assert (teacher.signal_modifiers, teacher.signal_uncertainty) == ((), 0.0)
    np.testing.assert_array_equal(teacher.covariance, given["covariance"])
    assert [(item.channel, item.index) for item in teacher.bins] == [(name, 0) for name in given["regions"]]
    for curve in labels.curves:
        assert curve.converged.all()
        assert curve.edm.max() < 1e-9
        assert curve.projected_gradient.max() < 1e-3
        assert curve.parameters.shape == (10, 4)
        assert abs(curve.delta[0]) < 1e-9
        np.testing.assert_array_equal(curve.branches[:, 0], curve.delta)
        np.testing.assert_array_equal(curve.branch_gradients[:, 0], curve.gradient)
        # more than one start where the model is not convex
        assert np.all((curve.starts > 1) == (given["third_moment"] is not None))


def test_a_label_does_not_depend_on_its_neighbours(
    small: tuple[dict[str, Any], SimplifiedTeacher],
) -> None:
    asked = signals(small[1], 70)
    together, alone = small[1].label(asked), small[1].label(asked[33:34])
    for many, one in zip(together.curves, alone.curves, strict=True):
        np.testing.assert_allclose(many.delta[33:34], one.delta, atol=1e-11)
        np.testing.assert_allclose(many.gradient[33:34], one.gradient, atol=1e-9)


def test_a_signal_that_leaves_nothing_is_not_proven(small: tuple[dict[str, Any], SimplifiedTeacher]) -> None:
    """A rate that bends downward has a largest value; less than that cannot be taken away."""
    given, teacher = small
    taken = np.array([[0.0, 0.0, 0.0, -500.0]])
    labels = teacher.label(taken)
    assert labels.usable.all() == (given["third_moment"] is None)


def test_it_travels(small: tuple[dict[str, Any], SimplifiedTeacher]) -> None:
    teacher: Teacher = small[1]
    asked = signals(small[1], 5)
    labels = teacher.label(asked)
    again: SimplifiedTeacher = pickle.loads(pickle.dumps(teacher))  # noqa: S301
    assert len(pickle.dumps(teacher)) < 100_000
    for ours, theirs in zip(labels.curves, again.label(asked).curves, strict=True):
        np.testing.assert_array_equal(ours.delta, theirs.delta)
        np.testing.assert_array_equal(ours.gradient, theirs.gradient)


def test_its_source_is_what_a_manifest_needs(small: tuple[dict[str, Any], SimplifiedTeacher]) -> None:
    given, teacher = small
    source = teacher.source
    (file,) = source.files
    assert (file.name, file.bytes, file.sha256) == (
        "simplified.json",
        teacher.likelihood.size,
        teacher.likelihood.sha256,
    )
    assert source.kind == "simplified_likelihood"
    assert [(item.name, item.bins, item.samples) for item in source.channels] == [
        (name, 1, ()) for name in given["regions"]
    ]
    assert source.details == {"third_moments": given["third_moment"] is not None}


def test_label_sets_are_made_of_it(small: tuple[dict[str, Any], SimplifiedTeacher]) -> None:
    teacher = small[1]
    made = make_labels(teacher, np.empty((0, 4)), 400, Sampling(seed=2), second_look=16, processes=0)
    assert isinstance(made.training, Labels)
    assert made.training.usable.all()
    assert made.second_look_excess < 1e-7
    assert len(made.heldout.signals) > 50
    np.testing.assert_allclose(made.origin.slope[0], teacher.curves[0].slope, atol=1e-6)
    assert made.background.events.tolist() == teacher.likelihood.background.tolist()
