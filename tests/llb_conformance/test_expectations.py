"""Answers and the judgement of each; what other suites let pass does not pass here."""

from __future__ import annotations

import json
import math
from collections import Counter
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from judgements import DELTA, FLAGS, REAL, Entry, cases, difference

from llb_conformance.suite import Outcome, suite, tolerance
from llb_conformance.suite.expectation import Refused
from llb_conformance.suite.numbers import Gradients, Values
from llb_conformance.suite.tolerance import CEILING, EXACT, Tolerance
from llb_conformance.suite.wire import as_number, encode

ENTRIES = tuple(cases(REAL))
PARTS = st.floats(0.0, CEILING)
FINITE = st.floats(allow_nan=False, allow_infinity=False)
# Far from where doubles end, so that exact arithmetic and doubles say the same but for rounding.
MODEST = st.floats(-1e100, 1e100).filter(lambda value: value == 0.0 or abs(value) > 1e-100)


@pytest.mark.requirement("PROTOCOL-6", "VECTORS-6", "PROTOCOL-3")
@pytest.mark.parametrize("entry", ENTRIES, ids=lambda entry: entry.name)
def test_the_comparator_judges(entry: Entry) -> None:
    assert difference(entry) == ""


def test_every_question_is_asked_once_and_every_judgement_is_wanted_somewhere() -> None:
    assert [name for name, count in Counter(entry.name for entry in ENTRIES).items() if count > 1] == []
    wanted = {str(getattr(entry.wanted, "outcome", "")) for entry in ENTRIES}
    # Those of a process are its own.
    process = {Outcome.CRASHED, Outcome.TIMEOUT, Outcome.PROTOCOL_ERROR, Outcome.NOT_RUN}
    assert wanted - {""} == {item.value for item in set(Outcome) - process}


@pytest.mark.requirement("VECTORS-6")
@given(PARTS, PARTS, FINITE, FINITE)
def test_a_number_passes_exactly_if_it_is_within_its_tolerance(
    absolute: float, relative: float, got: float, expected: float
) -> None:
    within = abs(got - expected) <= absolute + relative * abs(expected)
    excess = Tolerance(absolute, relative, "a test").excess(got, expected)
    assert (excess <= 1.0) == within
    assert excess >= 0.0


@pytest.mark.requirement("VECTORS-6")
@given(PARTS, PARTS, MODEST, st.floats(-3.0, 3.0))
def test_what_passes_is_what_exact_arithmetic_lets_pass(
    absolute: float, relative: float, expected: float, times: float
) -> None:
    got = expected + times * (absolute + relative * abs(expected))
    distance = abs(Fraction(got) - Fraction(expected))
    allowed = Fraction(absolute) + Fraction(relative) * abs(Fraction(expected))
    # Where rounding could decide, either will do.
    assume(allowed > Fraction(1, 10**300))
    assume(abs(distance / allowed - 1) > Fraction(1, 10**9))
    excess = Tolerance(absolute, relative, "a test").excess(got, expected)
    assert (excess <= 1.0) == (distance < allowed)
    assert math.isclose(excess, float(distance / allowed), rel_tol=1e-9)


@given(PARTS, PARTS, st.floats())
def test_nan_never_passes(absolute: float, relative: float, number: float) -> None:
    item = Tolerance(absolute, relative, "a test")
    assert item.excess(math.nan, number) == math.inf
    if math.isfinite(number):
        assert item.excess(number, math.nan) == math.inf
        assert item.excess(math.inf, number) == math.inf
        assert item.excess(-math.inf, number) == math.inf
        assert item.excess(number, math.inf) == math.inf


@given(st.floats().filter(lambda part: not 0.0 <= part <= CEILING), PARTS)
def test_a_tolerance_that_is_none_cannot_be_made(bad: float, good: float) -> None:
    for parts in ((bad, good), (good, bad), (bad, bad)):
        with pytest.raises(ValueError, match="a tolerance has two parts"):
            Tolerance(*parts, "a test")


@given(st.lists(st.floats(), min_size=1, max_size=5), st.data())
def test_of_any_numbers_exactly_the_right_ones_pass(expected: list[float], data: st.DataObject) -> None:
    got = data.draw(st.lists(st.floats() | st.sampled_from(expected), min_size=1, max_size=5))
    judgement = REAL.judge_numbers("x", [as_number(item) for item in got], expected, [EXACT] * len(expected))
    right = len(got) == len(expected) and all(
        math.isfinite(one) if math.isnan(other) else one == other
        for one, other in zip(got, expected, strict=True)
    )
    assert (judgement.outcome is Outcome.PASSED) == right


def test_tolerances_of_the_suite_are_below_the_ceiling_and_say_why() -> None:
    named = {name: getattr(tolerance, name) for name in tolerance.__all__}
    items = {name: item for name, item in named.items() if isinstance(item, Tolerance)}
    assert len(items) == 13
    for name, item in items.items():
        assert max(item.absolute, item.relative) <= CEILING
        assert (item.absolute + item.relative == 0.0) == (name == "EXACT")
        assert len(item.derivation.split()) > 8
        assert item.derivation.endswith(".")


def answers(expected: Values) -> dict[str, list[float]]:
    """The right numbers; 1 where any would do."""
    return {
        name: [1.0 if math.isnan(value) else value for value in values]
        for name, values in expected.delta_nll.items()
    }


VALUES = [
    pytest.param(step.expected, id=f"{case.id}-{number}")
    for case in suite()
    for number, step in enumerate(case.steps)
    if isinstance(step.expected, Values)
]


@pytest.mark.requirement("PROTOCOL-3", "PROTOCOL-6")
@pytest.mark.parametrize("expected", VALUES)
def test_what_other_suites_let_pass_fails_every_step_with_numbers(expected: Values) -> None:
    right = answers(expected)
    sigma = {} if expected.sigma is None else {"sigma": answers(Values(expected.sigma, (), EXACT))}

    def outcome(delta: dict[str, list[float]]) -> Outcome:
        listed = {name: [as_number(value) for value in values] for name, values in delta.items()}
        reply = {
            "reply": "values",
            "delta_nll": listed,
            "out_of_domain": list(expected.out_of_domain),
            **sigma,
        }
        json.loads(encode(reply))
        return expected.judge(reply).outcome

    assert outcome(right) is Outcome.PASSED
    for bad in (math.nan, math.inf, -math.inf):
        assert outcome({name: [bad] * len(values) for name, values in right.items()}) is Outcome.FAILED
        for name, values in right.items():
            for row in {0, len(values) - 1}:
                wrong = [*values[:row], bad, *values[row + 1 :]]
                assert outcome({**right, name: wrong}) is Outcome.FAILED
    for name, values in right.items():
        assert outcome({**right, name: values[:-1]}) is Outcome.FAILED
        assert outcome({**right, name: [*values, values[-1]]}) is Outcome.FAILED
        assert outcome({other: right[other] for other in right if other != name}) is Outcome.FAILED
    assert outcome({}) is Outcome.FAILED
    for kind in ("skipped", "unsupported", "errored", "rejected"):
        reply = {"reply": kind, "seq": 1, "stage": "input", "code": "LLB-Y001"}
        assert expected.judge(reply).outcome is not Outcome.PASSED


def test_a_cast_to_single_precision_is_seen_in_double_precision_steps() -> None:
    seen = 0
    for item in VALUES:
        expected = item.values[0]
        assert isinstance(expected, Values)
        double = answers(expected)
        single = {name: np.float32(values).astype(float).tolist() for name, values in double.items()}
        reply = {"reply": "values", "delta_nll": single, "out_of_domain": list(expected.out_of_domain)}
        known = any(
            not math.isnan(wanted) and one != other
            for name, values in expected.delta_nll.items()
            for wanted, one, other in zip(values, single[name], double[name], strict=True)
        )
        if known and expected.sigma is None and expected.tolerance == tolerance.DELTA:
            assert expected.judge(reply).outcome is Outcome.FAILED
            seen += 1
    assert seen > 20


def test_gradients_of_the_suite_tell_a_factor_of_two_and_a_sign() -> None:
    steps = [step.expected for case in suite() for step in case.steps if isinstance(step.expected, Gradients)]
    assert len(steps) > 5
    for expected in steps:
        for factor, outcome in ((1.0, Outcome.PASSED), (2.0, Outcome.FAILED), (-1.0, Outcome.FAILED)):
            gradient = {
                name: [[factor * value for value in row] for row in rows]
                for name, rows in expected.gradient.items()
            }
            reply = {
                "reply": "gradients",
                "gradient": gradient,
                "out_of_domain": list(expected.out_of_domain),
            }
            flat = not any(value for rows in expected.gradient.values() for row in rows for value in row)
            assert flat or expected.judge(reply).outcome is outcome


def test_a_refusal_for_a_reason_is_never_one_for_any() -> None:
    # A stage without a code would be compared with nothing.
    asked = [step.expected for case in suite() for step in case.steps if isinstance(step.expected, Refused)]
    assert [item for item in asked if bool(item.stage) != bool(item.code)] == []


def test_a_judgement_of_wrong_numbers_shows_them_as_json() -> None:
    expected = Values(DELTA, FLAGS, EXACT)
    reply = {
        "reply": "values",
        "delta_nll": {"observed": ["NaN", "Infinity", 0.0], "apriori": [8.0, 0.5, -0.25]},
        "out_of_domain": list(FLAGS),
    }
    judgement = expected.judge(reply)
    assert json.loads(encode([judgement.expected, judgement.got])) == [
        [1.0, -2.0, 4.0],
        ["NaN", "Infinity", 0.0],
    ]
