from __future__ import annotations

import json
import math

import numpy as np
import pytest
from numpy.typing import NDArray

from llb.evaluation import BenchmarkErrors, SignalNumbers, Spread, benchmark_errors, signal_numbers
from llb.evaluation.spread import spread
from llb.runtime import Limits

Floats = NDArray[np.float64]


def numbers(n: int = 4, **other: list[float]) -> SignalNumbers:
    columns = {
        "mu_hat": np.zeros(n),
        "cls_observed": np.full(n, 0.1),
        "cls_expected": np.full(n, 0.2),
        "upper_limit_observed": np.full(n, 2.0),
        "upper_limit_expected": np.full(n, 4.0),
    }
    columns |= {name: np.array(values) for name, values in other.items()}
    return SignalNumbers(tuple(f"s{row}" for row in range(n)), **columns)


def test_every_error_has_its_own_unit() -> None:
    predicted = numbers(
        mu_hat=[0.0, 0.1, 0.0, -0.3],
        cls_observed=[0.11] * 4,
        cls_expected=[0.2] * 4,
        upper_limit_observed=[2.02] * 4,
        upper_limit_expected=[3.0] * 4,
    )
    found = benchmark_errors(numbers(), predicted)
    assert found.signals == 4
    assert found.mu_hat.max == pytest.approx(0.3)
    assert found.mu_hat_by_limit.max == pytest.approx(0.15)
    assert found.cls_observed.median == pytest.approx(0.01)
    assert found.cls_observed_relative.median == pytest.approx(0.1)
    assert (found.cls_expected.max, found.cls_expected_relative.max) == (0.0, 0.0)
    assert found.upper_limit_observed.p95 == pytest.approx(0.01)
    assert found.upper_limit_expected.median == pytest.approx(0.25)


def test_a_relative_error_of_cls_is_taken_where_it_is_decided() -> None:
    truth = numbers(cls_observed=[1e-5, 1e-3, 0.5, 1.0])
    found = benchmark_errors(truth, numbers(cls_observed=[2e-5, 2e-3, 0.6, 0.9]))
    assert found.cls_observed_relative == Spread(1, 0, *[pytest.approx(0.2)] * 3)
    assert found.cls_observed.count == 4


def test_what_is_not_predicted_is_counted_and_what_is_not_known_is_not() -> None:
    truth = numbers(upper_limit_observed=[2.0, math.inf, math.nan, 2.0])
    found = benchmark_errors(truth, numbers(upper_limit_observed=[math.inf, 1.0, 1.0, 2.2]))
    assert found.upper_limit_observed == Spread(1, 1, *[pytest.approx(0.1)] * 3)
    assert (found.mu_hat_by_limit.count, found.mu_hat_by_limit.missing) == (2, 0)


def test_quantiles_are_of_the_absolute_error() -> None:
    error = np.arange(1001) / 1000 * np.where(np.arange(1001) % 2, -1, 1)
    found = spread(np.zeros(1001), error)
    assert (found.median, found.p95, found.max) == pytest.approx((0.5, 0.95, 1.0))


def test_json_keeps_everything() -> None:
    nothing = numbers(mu_hat=[math.nan] * 4)
    found = benchmark_errors(nothing, nothing)
    text = json.dumps(found.to_json(), allow_nan=False)
    again = BenchmarkErrors.from_json(json.loads(text))
    assert again.upper_limit_observed == found.upper_limit_observed
    assert (again.mu_hat.count, again.mu_hat.missing, math.isnan(again.mu_hat.median)) == (0, 0, True)
    with pytest.raises(KeyError):
        BenchmarkErrors.from_json({"signals": 1})


def test_other_signals_cannot_be_compared() -> None:
    with pytest.raises(ValueError, match="different signals"):
        benchmark_errors(numbers(3), numbers(4))


def test_the_medians_of_an_answer_are_compared() -> None:
    band = (0.1, 0.2, 0.3, 0.4, 0.5)
    answer = Limits("x", 1.0, 0.95, 0.04, band, band, 0.9, (1.0, 2.0, 3.0, 4.0, 5.0), band, 0.7, True, (), ())
    found = signal_numbers([answer])
    assert found.names == ("x",)
    got = (
        found.mu_hat,
        found.cls_observed,
        found.cls_expected,
        found.upper_limit_observed,
        found.upper_limit_expected,
    )
    assert [column.tolist() for column in got] == [[0.7], [0.04], [0.3], [0.9], [3.0]]
