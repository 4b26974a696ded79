"""Exact limits are those of pyhf's formulas, wherever they lie and whatever shape the likelihood has."""

from __future__ import annotations

import math
from itertools import pairwise

import numpy as np
import pytest
from analytic import CountingTeacher, Shape, kinked, saturated, smooth
from numpy.typing import NDArray
from scipy.optimize import brentq, minimize_scalar
from scipy.stats import norm

from llb_trainer.exact import ExactLimits, exact_limits

Floats = NDArray[np.float64]

SIGNAL = np.array([2.0, 3.0, 1.0])
EXCESS, DEFICIT = np.array([14.0, 9.0, 6.0]), np.array([6.0, 4.0, 3.0])
SIGMAS = (-2, -1, 0, 1, 2)


def counting(observed: Floats = EXCESS, shape: Shape = smooth) -> CountingTeacher:
    return CountingTeacher(observed, np.array([9.0, 5.0, 4.0]), shape)


class Truth:
    """The same numbers from textbook formulas and scipy's own root finder and minimiser."""

    def __init__(self, teacher: CountingTeacher, signal: Floats) -> None:
        self.teacher, self.signal = teacher, signal
        # the best of many starts, as there may be kinks
        edges = np.linspace(0.0, 30.0 / signal.max(), 40)
        found = [
            minimize_scalar(
                lambda mu: self.delta("observed", mu), bounds=pair, options={"xatol": 1e-12}, method="bounded"
            )
            for pair in pairwise(edges)
        ]
        best = min(found, key=lambda item: item.fun)
        self.mu_hat, self.lowest = (float(best.x), float(best.fun)) if best.fun < 0.0 else (0.0, 0.0)

    def delta(self, curve: str, mu: float) -> float:
        return float(self.teacher.delta(curve, mu * self.signal[np.newaxis])[0][0])

    def observed(self, mu: float) -> float:
        q = 2.0 * max(self.delta("observed", mu) - self.lowest, 0.0) if mu >= self.mu_hat else 0.0
        q_a = 2.0 * max(self.delta("observed_asimov", mu), 1e-300)
        if q <= q_a:
            return float(norm.sf(math.sqrt(q)) / norm.cdf(math.sqrt(q_a) - math.sqrt(q)))
        root = 2.0 * math.sqrt(q_a)
        return float(norm.sf((q + q_a) / root) / norm.sf((q - q_a) / root))

    def expected(self, mu: float, n: int) -> float:
        return float(norm.cdf(n - math.sqrt(2.0 * max(self.delta("observed_asimov", mu), 0.0))) / norm.cdf(n))

    def limit(self, n: int | None = None) -> float:
        cls = self.observed if n is None else (lambda mu: self.expected(mu, n))
        high = 1.0
        while cls(high) > 0.05:
            high *= 2.0
        return float(brentq(lambda mu: cls(mu) - 0.05, 0.0 + 1e-9 * high, high, xtol=1e-13, rtol=1e-13))


def one(teacher: CountingTeacher, signal: Floats) -> ExactLimits:
    return exact_limits(teacher, signal[np.newaxis], ["it"])[0]


@pytest.mark.parametrize("shape", [smooth, kinked], ids=["smooth", "kinked"])
@pytest.mark.parametrize("observed", [EXCESS, DEFICIT], ids=["excess", "deficit"])
@pytest.mark.parametrize("strength", [1.0, 0.01, 100.0, 1e-7])
def test_all_numbers_are_those_of_the_textbook(observed: Floats, shape: Shape, strength: float) -> None:
    teacher = counting(observed, shape)
    found, truth = one(teacher, strength * SIGNAL), Truth(teacher, SIGNAL)
    unit = truth.limit()
    assert found.mu_hat * strength == pytest.approx(truth.mu_hat, abs=1e-4 * unit)
    assert found.upper_limit_observed * strength == pytest.approx(unit, rel=1e-5)
    exact = [truth.limit(n) for n in SIGMAS]
    assert [x * strength for x in found.upper_limit_expected] == pytest.approx(exact, rel=1e-5)
    # in this experiment nothing is fitted, so that both backgrounds are the same
    assert found.upper_limit_apriori == pytest.approx(found.upper_limit_expected, rel=1e-5)
    assert found.cls_observed == pytest.approx(truth.observed(strength), rel=1e-6, abs=1e-300)
    assert found.cls_expected == pytest.approx([truth.expected(strength, n) for n in SIGMAS], rel=1e-6)
    assert found.cls_apriori == pytest.approx(found.cls_expected)
    assert not found.reasons
    assert all(found.precision[f"upper_limit_{name}"] <= 1e-5 for name in ("observed", "expected[+1]"))
    assert found.precision["mu_hat"] <= 1e-4
    assert found.precision["cls_observed"] == 0.0
    assert len(found.precision) == 23


def test_it_takes_few_labels_in_few_batches() -> None:
    teacher = counting()
    signals = np.random.default_rng(5).uniform(0.1, 3.0, size=(20, 3))
    found = exact_limits(teacher, signals, processes=0)
    assert len(teacher.batches) <= 6
    assert sum(teacher.batches) == sum(item.labels for item in found)
    assert np.mean([item.labels for item in found]) <= 25
    assert max(item.rounds for item in found) <= len(teacher.batches)


def test_a_kink_costs_no_more_than_a_few_rounds() -> None:
    teacher = counting(shape=kinked)
    found = one(teacher, SIGNAL)
    assert found.rounds <= 8
    assert found.labels <= 40


def test_the_signals_do_not_depend_on_each_other() -> None:
    signals = np.array([[1.0, 0.0, 0.0], [0.0, 0.0, 0.0], [0.5, 2.0, 1.0]])
    together = exact_limits(counting(), signals, ["a", "b", "c"])
    assert [item.name for item in together] == ["a", "b", "c"]
    for number in (0, 2):
        alone = exact_limits(counting(), signals[number : number + 1])[0]
        assert together[number].upper_limit_observed == alone.upper_limit_observed
        np.testing.assert_array_equal(together[number].signal, signals[number])


def test_nothing_is_never_excluded_and_nobody_is_asked_about_it() -> None:
    teacher = counting()
    found = one(teacher, np.zeros(3))
    assert (found.mu_hat, found.cls_observed, found.cls_expected) == (0.0, 1.0, (1.0,) * 5)
    assert math.isinf(found.upper_limit_observed)
    assert found.upper_limit_apriori == (math.inf,) * 5
    assert (found.labels, teacher.batches) == (0, [])
    assert found.reasons["upper_limit_observed"] == "no signal"


def test_a_signal_that_the_background_swallows_is_never_excluded() -> None:
    teacher = counting(DEFICIT, saturated)
    found, truth = one(teacher, SIGNAL), Truth(teacher, SIGNAL)
    # Delta NLL = 0.996 excludes at N = -1, and 1 is never reached
    assert found.upper_limit_expected[:2] == pytest.approx([truth.limit(-2), truth.limit(-1)], rel=1e-5)
    assert found.upper_limit_expected[2:] == (math.inf,) * 3
    assert "not excluded up to mu" in found.reasons["upper_limit_expected[+0]"]
    assert "upper_limit_expected[+0]" not in found.precision
    assert math.isfinite(found.cls_observed)


def test_an_unproven_label_at_a_number_makes_just_that_number_nan() -> None:
    """No label near the median limit is proven on the Asimov curve: that number, and nothing else."""
    median = Truth(counting(), SIGNAL).limit(0)

    def near(signals: Floats) -> NDArray[np.bool_]:
        return np.abs(signals[:, 0] / SIGNAL[0] / median - 1.0) < 2e-3

    teacher = counting()
    teacher.broken, teacher.broken_curve = near, "observed_asimov"
    found = one(teacher, SIGNAL)
    assert math.isnan(found.upper_limit_expected[2])
    assert f"mu = {median:.2g}"[:6] in found.reasons["upper_limit_expected[+0]"]
    assert set(found.reasons) == {"upper_limit_expected[+0]"}
    good = one(counting(), SIGNAL)
    assert found.upper_limit_expected[3] == pytest.approx(good.upper_limit_expected[3], rel=1e-5)
    assert found.upper_limit_apriori == pytest.approx(good.upper_limit_apriori, rel=1e-5)


def test_without_a_best_fit_there_are_no_observed_numbers() -> None:
    teacher = counting()
    best = Truth(teacher, SIGNAL).mu_hat
    teacher.broken = lambda signals: np.abs(signals[:, 0] / SIGNAL[0] - best) < 0.05 * best
    found = one(teacher, SIGNAL)
    assert math.isnan(found.mu_hat)
    assert math.isnan(found.cls_observed)
    assert math.isnan(found.upper_limit_observed)
    assert found.reasons["cls_observed"].startswith("mu_hat: ")
    assert all(math.isfinite(x) for x in (*found.cls_expected, *found.upper_limit_expected))


def test_an_unproven_label_at_mu_1_leaves_the_limits_alone() -> None:
    teacher = counting()
    teacher.broken = lambda signals: signals[:, 0] == SIGNAL[0]
    found, good = one(teacher, SIGNAL), one(counting(), SIGNAL)
    assert math.isnan(found.cls_observed)
    assert found.cls_expected == good.cls_expected
    assert found.upper_limit_observed == pytest.approx(good.upper_limit_observed, rel=1e-5)


def test_progress_counts_every_signal_once() -> None:
    told: list[int] = []
    signals = np.array([[0.0, 0.0, 0.0], [1.0, 1.0, 1.0], [0.1, 5.0, 0.0]])
    exact_limits(counting(), signals, progress=told.append)
    assert sum(told) == 3


def test_other_levels_are_other_limits() -> None:
    low = exact_limits(counting(), SIGNAL[np.newaxis], level=0.9)[0]
    truth = Truth(counting(), SIGNAL)
    assert truth.observed(low.upper_limit_observed) == pytest.approx(0.1, rel=1e-4)


@pytest.mark.parametrize(
    ("signals", "names", "level"),
    [
        (np.ones((1, 2)), None, 0.95),
        (np.ones(3), None, 0.95),
        (np.full((1, 3), np.nan), None, 0.95),
        (np.ones((1, 3)), ["a", "b"], 0.95),
        (np.ones((1, 3)), None, 1.0),
    ],
)
def test_nonsense_is_refused(signals: Floats, names: list[str] | None, level: float) -> None:
    with pytest.raises(ValueError, match=r"signals|level"):
        exact_limits(counting(), signals, names, level=level)


def test_no_signals_are_no_answers() -> None:
    assert exact_limits(counting(), np.empty((0, 3))) == ()
