"""What the comparator of the conformance suite has to say: questions with the answer to each.

`cases` takes the classes from a namespace, so that mutants of the comparator can be asked the same.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import permutations
from types import SimpleNamespace
from typing import Any

import numpy as np

from llb_conformance.suite import density_numbers, expectation, limit_numbers, numbers, outcome, tolerance
from llb_conformance.suite.wire import as_number

__all__ = ["REAL", "Entry", "Judged", "cases", "difference", "namespace"]

Table = Mapping[str, Sequence[float]]

# A power of two: what is just allowed is exact.
PART = 2.0**-10
NAN, INFINITY = math.nan, math.inf
BAD = (NAN, INFINITY, -INFINITY)
FLAGS = (False, True, False)
DELTA = {"observed": (1.0, -2.0, 4.0), "apriori": (8.0, 0.5, -0.25)}
SIGMA = {"observed": (0.125, 0.25, 0.5), "apriori": (0.0, 0.5, 1.0)}
GRADIENT = {"observed": ((1.0, -2.0), (4.0, 0.5)), "apriori": ((8.0, 16.0), (-0.5, 0.0))}
BAND = (0.125, 0.25, 0.5, 1.0, 2.0)
LIMITS: dict[str, Any] = {
    "cls_observed": 0.0625,
    "cls_expected": BAND,
    "cls_apriori": tuple(2.0 * value for value in BAND),
    "upper_limit_observed": 3.0,
    "upper_limit_expected": tuple(4.0 * value for value in BAND),
    "upper_limit_apriori": tuple(8.0 * value for value in BAND),
}
REFUSAL = {"reply": "rejected", "seq": 1, "stage": "graph", "code": "LLB-G001", "message": "no graph"}
UNSUPPORTED = {"reply": "unsupported", "seq": 1, "what": "sigma"}
SKIPPED = {"reply": "skipped", "seq": 1, "message": "known fault"}
ERRORED = {"reply": "errored", "seq": 1, "context": {"message": "out of memory"}}
CLOSED = {"reply": "closed", "seq": 1}
DERIVED = "because it is a test"


@dataclass(frozen=True)
class Judged:
    """A judgement that is wanted.

    Attributes:
        outcome: of the answer.
        says: words of the message.
        message: all of the message, or None: only the words are looked at.
        expected: as the judgement keeps it.
        got: as the judgement keeps it.
        index: of the worst number.
        excess: of the worst number, to six digits.
    """

    outcome: str
    says: tuple[str, ...] = ()
    message: str | None = None
    expected: Any = None
    got: Any = None
    index: int | None = None
    excess: float | None = None


@dataclass(frozen=True)
class Entry:
    """A question to the comparator.

    Attributes:
        name: what it is about.
        ask: asks it.
        wanted: the answer: a `Judged`, the name of an error, or any other value.
    """

    name: str
    ask: Callable[[], Any]
    wanted: Any


def namespace(*modules: Any) -> SimpleNamespace:
    """All names of modules in one place."""
    return SimpleNamespace(**{name: getattr(module, name) for module in modules for name in module.__all__})


REAL = namespace(outcome, tolerance, expectation, numbers, limit_numbers, density_numbers)


def difference(entry: Entry) -> str:
    """What the comparator says differently; "" if nothing."""
    wanted = entry.wanted
    try:
        found = entry.ask()
    except Exception as error:
        return "" if type(error).__name__ == wanted else f"{type(error).__name__}: {error}"
    if not isinstance(wanted, Judged):
        # As texts: they tell 1 from 1.0 and from True, and NaN is the same as NaN.
        return "" if repr(found) == repr(wanted) else f"{found!r}, wanted {wanted!r}"
    if not isinstance(found, outcome.Judgement):
        return f"{found!r} is no judgement"
    excess = None if found.excess is None else round(found.excess, 6)
    pairs = {
        "outcome": (found.outcome.value, wanted.outcome),
        "message": (found.message, found.message if wanted.message is None else wanted.message),
        "expected": (found.expected, wanted.expected),
        "got": (found.got, wanted.got),
        "index": (found.index, wanted.index),
        "excess": (excess, wanted.excess),
    }
    said = [
        f"{key} {one!r}, wanted {other!r}" for key, (one, other) in pairs.items() if repr(one) != repr(other)
    ]
    said += [f"{words!r} is not in {found.message!r}" for words in wanted.says if words not in found.message]
    return "; ".join(said)


def cases(ns: Any) -> Iterator[Entry]:
    """The questions, about the classes and functions of a namespace such as `REAL`."""
    yield from _tolerances(ns)
    yield from _edges_of_tolerances(ns)
    yield from _values(ns)
    yield from _shapes_of_values(ns)
    yield from _zero_rows(ns)
    yield from _unknown_numbers(ns)
    yield from _stated_errors(ns)
    yield from _worst(ns)
    yield from _rising(ns)
    yield from _gradients(ns)
    yield from _limits(ns)
    yield from _log_probs(ns)
    yield from _samples(ns)
    yield from _families(ns)
    yield from _names(ns)
    yield from _refusals(ns)
    yield from _other_replies(ns)
    yield from _parts(ns)
    yield from _documents(ns)


def _passes(name: str, expected: Any, reply: Mapping[str, Any]) -> Entry:
    return Entry(name, lambda: expected.judge(reply), Judged("passed", message=""))


def _fails(name: str, item: Any, reply: Mapping[str, Any], /, *says: str, **wanted: Any) -> Entry:
    return Entry(name, lambda: item.judge(reply), Judged(wanted.pop("outcome", "failed"), says, **wanted))


def _listed(values: Sequence[float]) -> list[Any]:
    """Numbers as they are on the wire."""
    return [as_number(value) for value in values]


def _off(
    name: str,
    expected: Any,
    reply: Mapping[str, Any],
    what: str,
    wanted: Sequence[float],
    got: Sequence[float],
    index: int,
    excess: float,
) -> Entry:
    """A wrong number, which the judgement has to show with all that stand beside it."""
    return _fails(
        name,
        expected,
        reply,
        f"{what}: {float(got[index])!r}, expected {float(wanted[index])!r} (number {index})",
        expected=_listed(wanted),
        got=_listed(got),
        index=index,
        excess=excess,
    )


def _answer(delta: Table, flags: Sequence[bool] = FLAGS, sigma: Table | None = None) -> dict[str, Any]:
    reply: dict[str, Any] = {"reply": "values", "seq": 1}
    reply["delta_nll"] = {name: _listed(values) for name, values in delta.items()}
    reply["out_of_domain"] = list(flags)
    if sigma is not None:
        reply["sigma"] = {name: _listed(values) for name, values in sigma.items()}
    return reply


def _with(values: Sequence[float], index: int, value: float) -> tuple[float, ...]:
    """The numbers with another one in one place."""
    return (*values[:index], value, *values[index + 1 :])


def _tolerances(ns: Any) -> Iterator[Entry]:
    """What a tolerance may be, and how far off a number is by it."""
    good = [(0.0, 0.0), (1e-3, 0.0), (0.0, 1e-3), (1e-3, 1e-3), (5e-324, 1e-12)]
    for absolute, relative in good:
        yield Entry(
            f"tolerance: {absolute} and {relative} may be",
            lambda parts=(absolute, relative): vars(ns.Tolerance(*parts, DERIVED)),
            {"absolute": absolute, "relative": relative, "derivation": DERIVED},
        )
    above = math.nextafter(1e-3, 1.0)
    for part in (above, 1.5e-3, 1.0, -5e-324, -1e-3, *BAD):
        for parts in ((part, 0.0), (0.0, part), (part, part), (1e-3, part), (part, 1e-3)):
            yield Entry(
                f"tolerance: {parts[0]} and {parts[1]} may not be",
                lambda parts=parts: ns.Tolerance(*parts, DERIVED),
                "ValueError",
            )
    yield Entry("tolerance: nothing is derived", lambda: ns.Tolerance(1e-6, 1e-6, ""), "ValueError")
    absolute, relative = ns.Tolerance(PART, 0.0, DERIVED), ns.Tolerance(0.0, PART, DERIVED)
    both, exact = ns.Tolerance(PART, 0.5 * PART, DERIVED), ns.EXACT
    for name, item, got, expected, excess in (
        ("nothing is off", absolute, 3.0, 3.0, 0.0),
        ("half of the absolute part", absolute, 3.0 + 0.5 * PART, 3.0, 0.5),
        ("all of the absolute part", absolute, 3.0 - PART, 3.0, 1.0),
        ("four times the absolute part", absolute, -3.0 - 4.0 * PART, -3.0, 4.0),
        ("half of the relative part", relative, 8.0 - 4.0 * PART, 8.0, 0.5),
        ("all of the relative part of a negative number", relative, -8.0 - 8.0 * PART, -8.0, 1.0),
        ("four times the relative part", relative, 8.0 + 32.0 * PART, 8.0, 4.0),
        ("both parts", both, 8.0 + 10.0 * PART, 8.0, 2.0),
        ("both parts of a negative number", both, -8.0 + 2.5 * PART, -8.0, 0.5),
        ("zero, exactly", exact, 0.0, 0.0, 0.0),
        ("minus zero is zero", exact, -0.0, 0.0, 0.0),
        ("a number, exactly", exact, 0.1, 0.1, 0.0),
        ("another number, exactly", exact, math.nextafter(0.1, 1.0), 0.1, INFINITY),
        ("next to zero, exactly", exact, 5e-324, 0.0, INFINITY),
        ("zero has no relative part", relative, 5e-324, 0.0, INFINITY),
        ("zero, relatively", relative, 0.0, 0.0, 0.0),
        ("NaN for a number", both, NAN, 1.0, INFINITY),
        ("NaN for zero, exactly", exact, NAN, 0.0, INFINITY),
        ("a number for NaN", both, 1.0, NAN, INFINITY),
        ("NaN for NaN", both, NAN, NAN, INFINITY),
        ("infinity for a number", both, INFINITY, 1.0, INFINITY),
        ("minus infinity for a number", both, -INFINITY, 1.0, INFINITY),
        ("infinity for infinity", both, INFINITY, INFINITY, 0.0),
        ("minus infinity for minus infinity", exact, -INFINITY, -INFINITY, 0.0),
        ("minus infinity for infinity", both, -INFINITY, INFINITY, INFINITY),
        ("a number for infinity", both, 1e308, INFINITY, INFINITY),
        ("NaN for infinity", both, NAN, INFINITY, INFINITY),
        ("a difference that overflows", both, 1.7e308, -1.7e308, INFINITY),
    ):
        yield Entry(f"excess: {name}", lambda item=item, pair=(got, expected): item.excess(*pair), excess)


def _edges_of_tolerances(ns: Any) -> Iterator[Entry]:
    """One number on either side of what is allowed: absolute part, relative part, and both."""
    for name, parts, wanted in (
        ("absolute", (PART, 0.0), (0.0, 3.0, -3.0, 1e3)),
        ("relative", (0.0, PART), (8.0, -8.0, 0.25, -1e-9)),
        ("both", (PART, 0.5 * PART), (0.0, 8.0, -8.0)),
    ):
        for number in wanted:
            allowed = parts[0] + parts[1] * abs(number)
            expected = ns.Values({"observed": (1.0, number)}, FLAGS[:2], ns.Tolerance(*parts, DERIVED))
            for factor in (0.5, 0.999, 1.001, 2.0, 1e3):
                for sign in (1.0, -1.0):
                    numbers_got = (1.0, number + sign * factor * allowed)
                    title = f"{name} part: {number} off by {sign * factor} times what is allowed"
                    reply = _answer({"observed": numbers_got}, FLAGS[:2])
                    if factor < 1.0:
                        yield _passes(title, expected, reply)
                    else:
                        what = "delta_nll of observed"
                        yield _off(title, expected, reply, what, (1.0, number), numbers_got, 1, factor)
    # Exact in binary: just allowed, and the next double.
    for name, parts, number in (("absolute", (PART, 0.0), 0.0), ("relative", (0.0, PART), 8.0)):
        expected = ns.Values({"observed": (number,)}, (False,), ns.Tolerance(*parts, DERIVED))
        edge = number + parts[0] + parts[1] * number
        yield _passes(
            f"{name} part: exactly what is allowed", expected, _answer({"observed": (edge,)}, (False,))
        )
        beyond = math.nextafter(edge, INFINITY)
        yield _off(
            f"{name} part: the next double",
            expected,
            _answer({"observed": (beyond,)}, (False,)),
            "delta_nll of observed",
            (number,),
            (beyond,),
            0,
            1.0,
        )


def _values(ns: Any) -> Iterator[Entry]:
    """Delta NLL that is right, and single numbers that are not."""
    tolerance = ns.Tolerance(PART, 0.0, DERIVED)
    expected = ns.Values(DELTA, FLAGS, tolerance)
    yield _passes("values: right", expected, _answer(DELTA))
    yield _passes("values: curves in another order", expected, _answer(dict(reversed(DELTA.items()))))
    whole = {**DELTA, "observed": (1, -2, 4)}
    reply = _answer(DELTA)
    reply["delta_nll"]["observed"] = list(whole["observed"])
    yield _passes("values: whole numbers without a point", expected, reply)
    for curve, wanted in DELTA.items():
        for row, number in enumerate(wanted):
            for wrong, excess in (
                *((bad, INFINITY) for bad in BAD),
                (number + 2.0 * PART, 2.0),
                (number - 2.0 * PART, 2.0),
                (-number, 2.0 * abs(number) / PART),
                (0.0, abs(number) / PART),
            ):
                got = _with(wanted, row, wrong)
                yield _off(
                    f"values: {wrong} for number {row} of {curve}",
                    expected,
                    _answer({**DELTA, curve: got}),
                    f"delta_nll of {curve}",
                    wanted,
                    got,
                    row,
                    excess,
                )
            close = _with(wanted, row, number + 0.5 * PART)
            yield _passes(
                f"values: number {row} of {curve} off by half of what is allowed",
                expected,
                _answer({**DELTA, curve: close}),
            )
    for bad in BAD:
        same = (bad,) * 3
        yield _off(
            f"values: {bad} for every number",
            expected,
            _answer(dict.fromkeys(DELTA, same)),
            "delta_nll of observed",
            DELTA["observed"],
            same,
            0,
            INFINITY,
        )
    single = tuple(float(np.float32(value)) for value in (1.0 / 3.0, 0.0, 1.0))
    double = (1.0 / 3.0, 0.0, 1.0)
    yield _off(
        "values: rounded to single precision",
        ns.Values({"observed": double}, FLAGS, ns.DELTA),
        _answer({"observed": single}),
        "delta_nll of observed",
        double,
        single,
        0,
        round(abs(single[0] - double[0]) / (1e-10 + 1e-10 / 3.0), 6),
    )
    yield _passes(
        "values: rounded to single precision where that is allowed",
        ns.Values({"observed": double}, FLAGS, ns.DELTA_SINGLE),
        _answer({"observed": single}),
    )


def _shapes_of_values(ns: Any) -> Iterator[Entry]:
    """Rows, curves and flags that are missing, or too many."""
    expected = ns.Values(DELTA, FLAGS, ns.Tolerance(PART, 0.0, DERIVED))
    for curve, wanted in DELTA.items():
        for got in ((), wanted[:1], wanted[:2], (*wanted, wanted[-1])):
            yield _fails(
                f"values: {len(got)} numbers of {curve}",
                expected,
                _answer({**DELTA, curve: got}),
                message=f"delta_nll of {curve} has {len(got)} numbers",
                expected=3,
            )
    for name, delta in (
        ("no curve", {}),
        ("a curve is missing", {"observed": DELTA["observed"]}),
        ("the other curve is missing", {"apriori": DELTA["apriori"]}),
        ("a curve too many", {**DELTA, "observed_asimov": DELTA["observed"]}),
        ("another curve", {"observed": DELTA["observed"], "apriori_asimov": DELTA["apriori"]}),
    ):
        yield _fails(
            f"values: {name}",
            expected,
            _answer(delta),
            message="delta_nll has other curves",
            expected=["apriori", "observed"],
            got=sorted(delta),
        )
    for flags in (
        *(tuple(flag != (row == wrong) for row, flag in enumerate(FLAGS)) for wrong in range(3)),
        (True, False, True),
        (True,) * 3,
        (),
        FLAGS[:2],
        (*FLAGS, False),
    ):
        for what, delta in (("right", DELTA), ("wrong", {"observed": (NAN,)})):
            yield _fails(
                f"values: flags {list(flags)} beside {what} numbers",
                expected,
                _answer(delta, flags),
                message="out_of_domain differs",
                expected=list(FLAGS),
                got=list(flags),
            )


def _zero_rows(ns: Any) -> Iterator[Entry]:
    """Of zero signal, numbers are compared exactly; of others, and of stated errors, they are not."""
    wanted = {"observed": (0.0, 0.0, 2.0)}
    tolerance = ns.Tolerance(PART, PART, DERIVED)
    expected = ns.Values(wanted, FLAGS, tolerance, frozenset({0, 2}), wanted)
    yield _passes("zero rows: right", expected, _answer(wanted, sigma=wanted))
    for row, (near, name) in enumerate((((1e-300, "zero")), (0.5 * PART, "other"), (2.0 + 1e-15, "zero"))):
        got = _with(wanted["observed"], row, near)
        title = f"zero rows: almost right in row {row}"
        reply = _answer({"observed": got}, sigma=wanted)
        if name == "zero":
            what = "delta_nll of observed"
            yield _off(title, expected, reply, what, wanted["observed"], got, row, INFINITY)
        else:
            yield _passes(title, expected, reply)
        yield _passes(
            f"zero rows: a stated error almost right in row {row}",
            expected,
            _answer(wanted, sigma={"observed": got}),
        )
    minus = _with(wanted["observed"], 0, -0.0)
    yield _passes("zero rows: minus zero", expected, _answer({"observed": minus}, sigma=wanted))
    everywhere = ns.Values({"observed": (0.0,), "apriori": (0.0,)}, (False,), tolerance, frozenset({0}))
    yield _off(
        "zero rows: almost right on the last curve",
        everywhere,
        _answer({"observed": (0.0,), "apriori": (1e-12,)}, (False,)),
        "delta_nll of apriori",
        (0.0,),
        (1e-12,),
        0,
        INFINITY,
    )


def _unknown_numbers(ns: Any) -> Iterator[Entry]:
    """Beyond the domain any finite number will do, and nothing else."""
    wanted = (1.0, NAN, 4.0)
    expected = ns.Values({"observed": wanted}, FLAGS, ns.Tolerance(PART, PART, DERIVED))
    for number in (0.0, -1.0, 1e308, -1e308, 5e-324):
        got = _with(wanted, 1, number)
        yield _passes(f"unknown number: {number}", expected, _answer({"observed": got}))
    for bad in BAD:
        got = _with(wanted, 1, bad)
        what = "delta_nll of observed"
        reply = _answer({"observed": got})
        yield _off(f"unknown number: {bad}", expected, reply, what, wanted, got, 1, INFINITY)
    beside = (1.0, 7.0, 4.0 + 20.0 * PART)
    yield _off(
        "unknown number: a wrong one beside it",
        expected,
        _answer({"observed": beside}),
        "delta_nll of observed",
        wanted,
        beside,
        2,
        4.0,
    )
    nothing = ns.Values({"observed": (NAN,) * 3}, (True,) * 3, ns.EXACT, frozenset({1}))
    yield _passes("unknown numbers only", nothing, _answer({"observed": (0.0, 1.0, 2.0)}, (True,) * 3))
    infinite = ns.Values({"observed": (INFINITY, -INFINITY)}, (False,) * 2, ns.EXACT)
    right = (INFINITY, -INFINITY)
    yield _passes("infinities that are expected", infinite, _answer({"observed": right}, (False,) * 2))
    for row, wrong in ((0, -INFINITY), (0, NAN), (0, 1e308), (1, INFINITY), (1, NAN), (1, -1e308)):
        got = _with(right, row, wrong)
        yield _off(
            f"{wrong} for the infinity of number {row}",
            infinite,
            _answer({"observed": got}, (False,) * 2),
            "delta_nll of observed",
            right,
            got,
            row,
            INFINITY,
        )


def _stated_errors(ns: Any) -> Iterator[Entry]:
    """The stated error, where it is asked for and where it is not."""
    tolerance = ns.Tolerance(PART, 0.0, DERIVED)
    blind = ns.Values(DELTA, FLAGS, tolerance)
    wild = {"apriori": BAD}
    yield _passes("sigma: nobody asked, and it is there", blind, _answer(DELTA, sigma=wild))
    expected = ns.Values(DELTA, FLAGS, tolerance, sigma=SIGMA)
    yield _passes("sigma: right", expected, _answer(DELTA, sigma=SIGMA))
    yield _fails(
        "sigma: missing",
        expected,
        _answer(DELTA),
        message="the stated error is missing: there is no `sigma`",
    )
    for curve, wanted in SIGMA.items():
        for row, number in enumerate(wanted):
            for wrong, excess in (
                *((bad, INFINITY) for bad in BAD),
                (number + 2.0 * PART, 2.0),
                (number - 2.0 * PART, 2.0),
            ):
                got = _with(wanted, row, wrong)
                yield _off(
                    f"sigma: {wrong} for number {row} of {curve}",
                    expected,
                    _answer(DELTA, sigma={**SIGMA, curve: got}),
                    f"sigma of {curve}",
                    wanted,
                    got,
                    row,
                    excess,
                )
            close = {**SIGMA, curve: _with(wanted, row, number - 0.5 * PART)}
            yield _passes(f"sigma: number {row} of {curve} close", expected, _answer(DELTA, sigma=close))
        yield _fails(
            f"sigma: two numbers of {curve}",
            expected,
            _answer(DELTA, sigma={**SIGMA, curve: wanted[:2]}),
            message=f"sigma of {curve} has 2 numbers",
            expected=3,
        )
    for name, sigma in (
        ("no curve", {}),
        ("a curve is missing", {"observed": SIGMA["observed"]}),
        ("a curve too many", {**SIGMA, "observed_asimov": SIGMA["observed"]}),
    ):
        yield _fails(
            f"sigma: {name}",
            expected,
            _answer(DELTA, sigma=sigma),
            message="sigma has other curves",
            expected=["apriori", "observed"],
            got=sorted(sigma),
        )
    swapped = _answer({"observed": DELTA["observed"]}, sigma={})
    yield _fails(
        "sigma: curves of Delta NLL come first",
        expected,
        swapped,
        message="delta_nll has other curves",
        expected=["apriori", "observed"],
        got=["observed"],
    )


def _worst(ns: Any) -> Iterator[Entry]:
    """Which of several wrong numbers is reported."""
    tolerance = ns.Tolerance(PART, 0.0, DERIVED)
    expected = ns.Values(DELTA, FLAGS, tolerance)

    def moved(curve: str, *times: float) -> tuple[float, ...]:
        return tuple(value + PART * by for value, by in zip(DELTA[curve], times, strict=True))

    for times in permutations((2.0, -5.0, 3.0)):
        got = moved("observed", *times)
        yield _off(
            f"worst: numbers off by {times}",
            expected,
            _answer({**DELTA, "observed": got}),
            "delta_nll of observed",
            DELTA["observed"],
            got,
            times.index(-5.0),
            5.0,
        )
    tied = moved("observed", 0.5, 3.0, 3.0)
    yield _off(
        "worst: the first of two numbers that are equally far off",
        expected,
        _answer({**DELTA, "observed": tied}),
        "delta_nll of observed",
        DELTA["observed"],
        tied,
        1,
        3.0,
    )
    for one, other, worst in (
        (2.0, 5.0, "apriori"),
        (5.0, 2.0, "observed"),
        (0.5, 2.0, "apriori"),
        (2.0, 0.5, "observed"),
        (3.0, 3.0, "observed"),
        (INFINITY, 5.0, "observed"),
        (5.0, INFINITY, "apriori"),
        (5.0, NAN, "apriori"),
        (NAN, INFINITY, "observed"),
    ):
        delta = {"observed": moved("observed", 0.0, one, 0.0), "apriori": moved("apriori", 0.0, 0.0, other)}
        far = one if worst == "observed" else other
        yield _off(
            f"worst: curves off by {one} and {other}",
            expected,
            _answer(delta),
            f"delta_nll of {worst}",
            DELTA[worst],
            delta[worst],
            1 if worst == "observed" else 2,
            far if math.isfinite(far) else INFINITY,
        )
    short = {name: values[:2] for name, values in DELTA.items()}
    five = {name: moved(name, 5.0, 0.0, 0.0) for name in DELTA}
    for name, delta, curve in (
        (
            "two rows after a wrong number",
            {"observed": five["observed"], "apriori": short["apriori"]},
            "apriori",
        ),
        (
            "two rows before a wrong number",
            {"observed": short["observed"], "apriori": five["apriori"]},
            "observed",
        ),
        ("two rows twice", short, "observed"),
        ("two rows before NaN", {"observed": short["observed"], "apriori": (NAN,) * 3}, "observed"),
    ):
        yield _fails(
            f"worst: {name}",
            expected,
            _answer(delta),
            message=f"delta_nll of {curve} has 2 numbers",
            expected=3,
        )
    stated = ns.Values(DELTA, FLAGS, tolerance, sigma=SIGMA)
    sigma = {**SIGMA, "apriori": tuple(value + 7.0 * PART for value in SIGMA["apriori"])}
    yield _off(
        "worst: a stated error further off than Delta NLL",
        stated,
        _answer(five, sigma=sigma),
        "sigma of apriori",
        SIGMA["apriori"],
        sigma["apriori"],
        0,
        7.0,
    )
    yield _fails(
        "worst: other curves of the stated error",
        stated,
        _answer(five, sigma={}),
        message="sigma has other curves",
        expected=["apriori", "observed"],
        got=[],
    )


def _rising(ns: Any) -> Iterator[Entry]:
    """Curves beyond the domain."""
    curves = ("observed", "apriori")
    right = (1.0, 2.0, 4.0, 8.0)
    flags = (False, True, True, True)
    expected = ns.Rising(curves, flags)

    def answer(numbers_got: Sequence[float], curve: str = "observed") -> dict[str, Any]:
        return _answer({**dict.fromkeys(curves, right), curve: numbers_got}, flags)

    for name, good in (
        ("ever steeper", right),
        ("straight", (1.0, 2.0, 3.0, 4.0)),
        ("in small steps", (0.25, 0.5, 0.75, 1.25)),
        ("from below zero", (-9.0, -8.0, -6.0, 0.0)),
        ("in large steps", (0.0, 1e6, 2e6, 1e7)),
        ("straight but for rounding", (0.0, 1.0, 2.0 - 0.75e-6, 3.0 - 0.75e-6)),
        ("straight but for rounding, in large steps", (0.0, 1e3, 2e3 - 0.75e-3, 3e3)),
        ("straight but for all that rounding may do", (-1.0, 0.0, 1.0 - 1e-6, 2.0)),
    ):
        for curve in curves:
            yield _passes(f"rising: {curve} {name}", expected, answer(good, curve))
    for name, bad in (
        ("flat", (1.0, 1.0, 1.0, 1.0)),
        ("flat at first", (1.0, 1.0, 2.0, 4.0)),
        ("falling convexly", (8.0, 4.0, 2.0, 1.0)),
        ("falling at first", (2.0, 1.0, 4.0, 8.0)),
        ("falling at last", (1.0, 2.0, 4.0, 3.0)),
        ("concave", (1.0, 5.0, 7.0, 8.0)),
        ("concave at last", (1.0, 2.0, 4.0, 5.0)),
        ("concave beyond rounding", (0.0, 1.0, 2.0 - 1.5e-6, 3.0)),
        ("concave beyond rounding, in large steps", (0.0, 1e3, 2e3 - 1.5e-3, 3e3)),
        ("infinite at last", (1.0, 2.0, 4.0, INFINITY)),
        ("infinite from the middle", (1.0, 2.0, INFINITY, INFINITY)),
        ("infinitely negative at first", (-INFINITY, 2.0, 4.0, 8.0)),
        ("NaN at first", (NAN, 2.0, 4.0, 8.0)),
        ("NaN in the middle", (1.0, NAN, 4.0, 8.0)),
        ("NaN at last", (1.0, 2.0, 4.0, NAN)),
        ("NaN", (NAN,) * 4),
        ("infinite", (INFINITY,) * 4),
    ):
        for curve in curves:
            yield _fails(
                f"rising: {curve} {name}",
                expected,
                answer(bad, curve),
                message=f"delta_nll of {curve} does not rise convexly beyond the domain",
                got=[as_number(item) for item in bad],
            )
    for wrong in ((), right[:3], (*right, 16.0)):
        for curve in curves:
            yield _fails(
                f"rising: {len(wrong)} numbers of {curve}",
                expected,
                answer(wrong, curve),
                message=f"delta_nll of {curve} has {len(wrong)} numbers",
            )
    yield _fails(
        "rising: another curve",
        expected,
        _answer({"observed": right, "observed_asimov": right}, flags),
        message="delta_nll has other curves",
        expected=["apriori", "observed"],
        got=["observed", "observed_asimov"],
    )
    yield _fails(
        "rising: flags",
        expected,
        _answer(dict.fromkeys(curves, right), (False,) * 4),
        message="out_of_domain differs",
        expected=list(flags),
        got=[False] * 4,
    )


def _gradients(ns: Any) -> Iterator[Entry]:
    """Derivatives: curves, rows, columns and numbers."""
    flags = (False, True)
    expected = ns.Gradients(GRADIENT, flags, ns.Tolerance(PART, 0.0, DERIVED))

    def answer(
        gradient: Mapping[str, Sequence[Sequence[float]]], said: Sequence[bool] = flags
    ) -> dict[str, Any]:
        listed = {name: [_listed(row) for row in rows] for name, rows in gradient.items()}
        return {"reply": "gradients", "seq": 1, "gradient": listed, "out_of_domain": list(said)}

    yield _passes("gradients: right", expected, answer(GRADIENT))
    for curve, rows in GRADIENT.items():
        for row, wanted in enumerate(rows):
            for column, number in enumerate(wanted):
                for wrong, excess in ((number - 2.0 * PART, 2.0), *((bad, INFINITY) for bad in BAD)):
                    got = _with(wanted, column, wrong)
                    changed = tuple(got if other == row else rows[other] for other in range(len(rows)))
                    yield _off(
                        f"gradients: {wrong} in column {column} of row {row} of {curve}",
                        expected,
                        answer({**GRADIENT, curve: changed}),
                        f"gradient of {curve} at point {row}",
                        wanted,
                        got,
                        column,
                        excess,
                    )
            for got in ((), wanted[:1], (*wanted, 0.0)):
                changed = tuple(got if other == row else rows[other] for other in range(len(rows)))
                yield _fails(
                    f"gradients: {len(got)} columns in row {row} of {curve}",
                    expected,
                    answer({**GRADIENT, curve: changed}),
                    message=f"gradient of {curve} at point {row} has {len(got)} numbers",
                    expected=2,
                )
        close = ((rows[0][0] + 0.5 * PART, rows[0][1]), rows[1])
        yield _passes(f"gradients: {curve} close", expected, answer({**GRADIENT, curve: close}))
        for changed in ((), rows[:1], (*rows, rows[1])):
            yield _fails(
                f"gradients: {len(changed)} rows of {curve}",
                expected,
                answer({**GRADIENT, curve: changed}),
                message=f"gradient of {curve} has {len(changed)} rows",
                expected=2,
            )
        turned = tuple(zip(*rows, strict=True))
        yield _off(
            f"gradients: rows and columns of {curve} exchanged",
            expected,
            answer({**GRADIENT, curve: turned}),
            f"gradient of {curve} at point 0",
            rows[0],
            turned[0],
            1,
            abs(rows[1][0] - rows[0][1]) / PART,
        )
    several = {
        "observed": ((1.0 + 2.0 * PART, -2.0), (4.0, 0.5 + 3.0 * PART)),
        "apriori": ((8.0, 16.0), (-0.5 + 6.0 * PART, 0.0)),
    }
    yield _off(
        "gradients: the worst of several",
        expected,
        answer(several),
        "gradient of apriori at point 1",
        GRADIENT["apriori"][1],
        several["apriori"][1],
        0,
        6.0,
    )
    yield _fails(
        "gradients: other curves",
        expected,
        answer({"observed": GRADIENT["observed"]}),
        message="gradient has other curves",
        expected=["apriori", "observed"],
        got=["observed"],
    )
    yield _fails(
        "gradients: flags",
        expected,
        answer(GRADIENT, (False, False)),
        message="out_of_domain differs",
        expected=[False, True],
        got=[False, False],
    )


def _limits(ns: Any) -> Iterator[Entry]:
    """CLs and upper limits, each key by itself and each with its tolerance."""
    cls, limit = ns.Tolerance(PART, 0.0, DERIVED), ns.Tolerance(0.25 * PART, 0.0, DERIVED)
    second = {**LIMITS, "cls_observed": 0.5, "upper_limit_observed": INFINITY}
    signals = (ns.LimitNumbers(**LIMITS), ns.LimitNumbers(**second))
    flags = (False, True)
    expected = ns.LimitValues(signals, flags, cls, limit)

    def answer(
        first: Mapping[str, Any] = LIMITS,
        other: Mapping[str, Any] = second,
        said: Sequence[bool] = flags,
    ) -> dict[str, Any]:
        listed = [
            {
                name: _listed(value) if isinstance(value, tuple) else as_number(value)
                for name, value in signal.items()
            }
            for signal in (first, other)
        ]
        return {"reply": "limits", "seq": 1, "signals": listed, "out_of_domain": list(said)}

    yield _passes("limits: right", expected, answer())
    for name, value in LIMITS.items():
        wanted = value if isinstance(value, tuple) else (value,)
        allowed = PART if name.startswith("cls") else 0.25 * PART
        for index, number in enumerate(wanted):
            for wrong, excess in (
                (number + 2.0 * allowed, 2.0),
                (number - 8.0 * allowed, 8.0),
                *((bad, INFINITY) for bad in BAD),
            ):
                got = _with(wanted, index, wrong)
                yield _off(
                    f"limits: {wrong} for number {index} of {name}",
                    expected,
                    answer({**LIMITS, name: got if len(wanted) > 1 else got[0]}),
                    f"{name} of signal 0",
                    wanted,
                    got,
                    index,
                    excess,
                )
            close = _with(wanted, index, number - 0.5 * allowed)
            yield _passes(
                f"limits: number {index} of {name} close",
                expected,
                answer({**LIMITS, name: close if len(wanted) > 1 else close[0]}),
            )
        for count in {0, 1, 2, 4, 6} - {len(wanted)}:
            yield _fails(
                f"limits: {count} numbers of {name}",
                expected,
                answer({**LIMITS, name: (*wanted, *wanted, *BAND)[:count]}),
                message=f"{name} of signal 0 has {count} numbers",
                expected=len(wanted),
            )
    for wrong in (-INFINITY, NAN, 1e308):
        yield _off(
            f"limits: {wrong} for an infinite limit",
            expected,
            answer(other={**second, "upper_limit_observed": wrong}),
            "upper_limit_observed of signal 1",
            (INFINITY,),
            (wrong,),
            0,
            INFINITY,
        )
    far = {**second, "cls_expected": _with(BAND, 3, BAND[3] + 9.0 * PART)}
    yield _off(
        "limits: the worst of two signals",
        expected,
        answer({**LIMITS, "upper_limit_observed": 3.0 + PART}, far),
        "cls_expected of signal 1",
        BAND,
        far["cls_expected"],
        3,
        9.0,
    )
    for count in (0, 1, 3):
        reply = answer()
        reply["signals"] = (reply["signals"] * 2)[:count]
        yield _fails(
            f"limits: {count} signals", expected, reply, message=f"limits of {count} signals", expected=2
        )
    yield _fails(
        "limits: flags",
        expected,
        answer(said=(True, True)),
        message="out_of_domain differs",
        expected=[False, True],
        got=[True, True],
    )
    unknown = ns.LimitNumbers(NAN, (NAN,) * 5, (NAN,) * 5, NAN, (NAN,) * 5, (NAN,) * 5)
    free = ns.LimitValues((unknown,), (True,), cls, limit)
    reply = answer(said=(True,))
    reply["signals"] = reply["signals"][:1]
    yield _passes("limits: unknown numbers", free, reply)
    reply = answer({**LIMITS, "cls_apriori": _with(BAND, 4, NAN)}, said=(True,))
    reply["signals"] = reply["signals"][:1]
    yield _off(
        "limits: NaN for an unknown number",
        free,
        reply,
        "cls_apriori of signal 0",
        (NAN,) * 5,
        _with(BAND, 4, NAN),
        4,
        INFINITY,
    )
    yield Entry(
        "limits: every key with its numbers",
        lambda: list(signals[0].items()),
        [(name, value if isinstance(value, tuple) else (value,)) for name, value in LIMITS.items()],
    )


def _log_probs(ns: Any) -> Iterator[Entry]:
    """Logarithms of densities: -infinity exactly, numbers within the tolerance, flags."""
    wanted = (1.0, -INFINITY, -2.0)
    expected = ns.LogProbs(wanted, FLAGS, ns.Tolerance(PART, 0.0, DERIVED))

    def answer(numbers: Sequence[float], said: Sequence[bool] = FLAGS) -> dict[str, Any]:
        return {"reply": "log_probs", "seq": 1, "log_prob": _listed(numbers), "out_of_domain": list(said)}

    yield _passes("log_prob: right", expected, answer(wanted))
    yield _passes("log_prob: close", expected, answer((1.0 + PART, -INFINITY, -2.0 - 0.5 * PART)))
    for row, number in enumerate(wanted):
        others = (0.0, -1.7e308, NAN, INFINITY) if number == -INFINITY else BAD
        beyond = ((bad, INFINITY) for bad in others)
        near = () if number == -INFINITY else ((number + 2.0 * PART, 2.0),)
        for wrong, excess in (*near, *beyond):
            got = _with(wanted, row, wrong)
            yield _off(
                f"log_prob: {wrong} at {row}", expected, answer(got), "log_prob", wanted, got, row, excess
            )
    for got in (wanted[:2], (*wanted, 0.0)):
        yield _fails(
            f"log_prob: {len(got)} numbers",
            expected,
            answer(got),
            message=f"log_prob has {len(got)} numbers",
            expected=3,
        )
    said = [False, False, False]
    yield _fails(
        "log_prob: flags",
        expected,
        answer(wanted, said),
        message="out_of_domain differs",
        expected=list(FLAGS),
        got=said,
    )


def _samples(ns: Any) -> Iterator[Entry]:
    """Samples: rows, columns and numbers."""
    wanted = ((1.0, -2.0, 8.0), (4.0, 0.5, -0.25))
    expected = ns.Samples(wanted, ns.Tolerance(PART, 0.0, DERIVED))

    def answer(rows: Sequence[Sequence[float]]) -> dict[str, Any]:
        return {"reply": "samples", "seq": 1, "samples": [_listed(row) for row in rows]}

    yield _passes("samples: right", expected, answer(wanted))
    yield _passes("samples: close", expected, answer((wanted[0], (4.0 + PART, 0.5, -0.25))))
    for row, right in enumerate(wanted):
        for column, number in enumerate(right):
            for wrong, excess in ((number - 3.0 * PART, 3.0), *((bad, INFINITY) for bad in BAD)):
                got = _with(right, column, wrong)
                changed = tuple(got if other == row else wanted[other] for other in range(2))
                yield _off(
                    f"samples: {wrong} in column {column} of row {row}",
                    expected,
                    answer(changed),
                    f"sample {row}",
                    right,
                    got,
                    column,
                    excess,
                )
        for got in (right[:2], (*right, 0.0)):
            changed = tuple(got if other == row else wanted[other] for other in range(2))
            yield _fails(
                f"samples: {len(got)} columns in row {row}",
                expected,
                answer(changed),
                message=f"sample {row} has {len(got)} numbers",
                expected=3,
            )
    several = ((1.0 + 2.0 * PART, -2.0, 8.0), (4.0, 0.5 + 6.0 * PART, -0.25))
    yield _off(
        "samples: the worst of several", expected, answer(several), "sample 1", wanted[1], several[1], 1, 6.0
    )
    for changed in (wanted[:1], (*wanted, wanted[0])):
        yield _fails(
            f"samples: {len(changed)} rows",
            expected,
            answer(changed),
            message=f"{len(changed)} samples",
            expected=2,
        )
    for reply in (REFUSAL, UNSUPPORTED, SKIPPED, ERRORED):
        yield _fails(
            f"samples: {reply['reply']}",
            expected,
            reply,
            f"answered {reply['reply']}, expected samples",
            outcome="wrongly_rejected" if reply is REFUSAL else str(reply["reply"]),
        )


def _families(ns: Any) -> Iterator[Entry]:
    """Questions of the other family, and bundles of a family that a loader may have."""
    strictly, loosely = ns.Unsupported(), ns.Unsupported(or_rejected=True)
    for item, name in ((strictly, "nothing else"), (loosely, "or refused")):
        yield _passes(f"unsupported: right, {name}", item, UNSUPPORTED)
        refused = () if item is loosely else (REFUSAL,)
        for reply in (ERRORED, SKIPPED, CLOSED, {"reply": "samples", "seq": 1}, *refused):
            yield _fails(
                f"unsupported: {reply['reply']}, {name}",
                item,
                reply,
                message=f"answered {reply['reply']}, the bundle has no answer to this",
            )
    yield _passes("unsupported: refused", loosely, REFUSAL)
    either = ns.OpenedOrRefused(ns.Opened(("mu",), "1.1.0"), ns.Refused("graph", "LLB-G001"))
    opened = {"reply": "opened", "seq": 1, "format_version": "1.1.0", "inputs": ["mu"]}
    yield _passes("either: opened", either, opened)
    yield _passes("either: refused", either, REFUSAL)
    yield _fails(
        "either: opened with other names",
        either,
        {**opened, "inputs": ["nu"]},
        message="inputs differs",
        expected=["mu"],
        got=["nu"],
    )
    yield _fails(
        "either: refused for another reason",
        either,
        {**REFUSAL, "code": "LLB-G002"},
        outcome="wrong_reason",
        message="refused at graph with LLB-G002, expected graph with LLB-G001",
    )
    yield _fails(
        "either: errored",
        either,
        ERRORED,
        outcome="errored",
        message="answered errored, expected rejected: out of memory",
    )
    told = {"reply": "described", "seq": 1, "id": "x", "version": "1.0.0", "inputs": ["mu"]}
    told |= {"lower": [0.0], "upper": [2.0]}
    density = ns.Described("x", "1.0.0", ("mu",), None, (0.0,), (2.0,))
    yield _passes("described: a density", density, told)
    yield _fails(
        "described: a density with curves",
        density,
        {**told, "curves": {"observed": 1.0}},
        message="curves differs",
        got={"observed": 1.0},
    )


def _names(ns: Any) -> Iterator[Entry]:
    """What a loader says of a bundle, which is exact."""
    opened = {"reply": "opened", "seq": 1, "format_version": "1.0.0", "inputs": ["SR[0]", "SR[1]"]}
    expected = ns.Opened(("SR[0]", "SR[1]"))
    yield _passes("opened: right", expected, opened)
    yield _passes(
        "opened: of another version",
        ns.Opened(("SR[0]",), "0.1.0"),
        {**opened, "format_version": "0.1.0", "inputs": ["SR[0]"]},
    )
    described = {
        "reply": "described",
        "seq": 1,
        "id": "x",
        "version": "1.0.0",
        "inputs": ["SR[0]", "SR[1]"],
        "curves": {"observed": 12.5, "apriori": 0.1},
        "lower": [0.0, -1.0],
        "upper": [9.0, 0.1],
    }
    told = ns.Described(
        "x", "1.0.0", ("SR[0]", "SR[1]"), {"observed": 12.5, "apriori": 0.1}, (0.0, -1.0), (9.0, 0.1)
    )
    yield _passes("described: right", told, described)
    other_order = {"apriori": 0.1, "observed": 12.5}
    yield _passes("described: curves in another order", told, {**described, "curves": other_order})
    wrong_names: tuple[list[str], ...] = (
        ["SR[1]", "SR[0]"],
        ["SR[0]"],
        ["SR[0]", "SR[1]", "SR[2]"],
        ["SR[0]", "SR[2]"],
        [],
    )
    for item, reply in ((expected, opened), (told, described)):
        for names in wrong_names:
            yield _differs(item, reply, "inputs", names)
    for version in ("1.0", "1.0.1", ""):
        yield _differs(expected, opened, "format_version", version)
    close = math.nextafter(0.1, 1.0)
    for key, value in (
        ("id", "y"),
        ("version", "1.0.1"),
        ("curves", {"observed": 12.5, "apriori": close}),
        ("curves", {"observed": 12.5}),
        ("curves", {"observed": 12.5, "apriori": 0.1, "apriori_asimov": 0.1}),
        ("curves", {"observed": 12.5, "apriori": "NaN"}),
        ("curves", {}),
        ("lower", [0.0, -1.0, 0.0]),
        ("lower", [-1.0, 0.0]),
        ("lower", [0.0]),
        ("upper", [9.0, close]),
        ("upper", ["Infinity", 0.1]),
        ("upper", []),
    ):
        yield _differs(told, described, key, value)
    yield _passes("closed: right", ns.Closed(), CLOSED)
    yield _passes("errored: right", ns.Errored(), ERRORED)
    for reply in (CLOSED, opened, described, REFUSAL, UNSUPPORTED, SKIPPED, _answer(DELTA)):
        yield _fails(
            f"errored: {reply['reply']}",
            ns.Errored(),
            reply,
            message=f"answered {reply['reply']}, nothing is open",
        )


def _differs(expected: Any, reply: Mapping[str, Any], key: str, value: Any) -> Entry:
    return _fails(
        f"{reply['reply']}: {key} {value}",
        expected,
        {**reply, key: value},
        message=f"{key} differs",
        expected=reply[key],
        got=value,
    )


def _refusals(ns: Any) -> Iterator[Entry]:
    """Refusals for any reason, and for one."""
    anyhow, exactly = ns.Refused(), ns.Refused("graph", "LLB-G001")
    others = (
        {**REFUSAL, "stage": "manifest"},
        {**REFUSAL, "code": "LLB-G002"},
        {**REFUSAL, "stage": "manifest", "code": "LLB-G002"},
    )
    for reply in (REFUSAL, *others):
        yield _passes(f"refused: for any reason, {reply['stage']} {reply['code']}", anyhow, reply)
    yield _passes("refused: for the reason", exactly, REFUSAL)
    for reply in others:
        yield _fails(
            f"refused: for another reason, {reply['stage']} {reply['code']}",
            exactly,
            reply,
            outcome="wrong_reason",
            message=f"refused at {reply['stage']} with {reply['code']}, expected graph with LLB-G001",
        )
    for item, name in ((anyhow, "for any reason"), (exactly, "for a reason")):
        for kind in ("opened", "values", "gradients", "limits", "log_probs", "samples"):
            yield _fails(
                f"refused: {name}, and {kind}",
                item,
                {"reply": kind, "seq": 1},
                outcome="wrongly_accepted",
                message=f"answered {kind}, expected a refusal",
            )
        for kind, outcome_wanted in (("closed", "failed"), ("described", "failed"), ("stopped", "failed")):
            yield _fails(
                f"refused: {name}, and {kind}",
                item,
                {"reply": kind, "seq": 1},
                outcome=outcome_wanted,
                message=f"answered {kind}, expected rejected",
            )
        for reply, said in ((UNSUPPORTED, "sigma"), (SKIPPED, "known fault"), (ERRORED, "out of memory")):
            yield _fails(
                f"refused: {name}, and {reply['reply']}",
                item,
                reply,
                outcome=str(reply["reply"]),
                message=f"answered {reply['reply']}, expected rejected: {said}",
            )


def _other_replies(ns: Any) -> Iterator[Entry]:
    """Replies of another kind, to everything that is expected."""
    tolerance = ns.Tolerance(PART, 0.0, DERIVED)
    signal = ns.LimitNumbers(**LIMITS)
    for item, kind in (
        (ns.Opened(("SR[0]",)), "opened"),
        (ns.Described("x", "1", (), {}, (), ()), "described"),
        (ns.Closed(), "closed"),
        (ns.Values(DELTA, FLAGS, tolerance), "values"),
        (ns.Rising(("observed",), FLAGS), "values"),
        (ns.Gradients(GRADIENT, FLAGS, tolerance), "gradients"),
        (ns.LimitValues((signal,), (False,), tolerance, tolerance), "limits"),
        (ns.LogProbs((1.0,), (False,), tolerance), "log_probs"),
    ):
        title = f"{type(item).__name__}: answered"
        for reply, outcome_wanted, said in (
            (REFUSAL, "wrongly_rejected", ": graph LLB-G001 no graph"),
            (UNSUPPORTED, "unsupported", ": sigma"),
            (SKIPPED, "skipped", ": known fault"),
            (ERRORED, "errored", ": out of memory"),
            ({"reply": "stopped", "seq": 1}, "failed", ""),
            ({"reply": "samples", "seq": 1, "samples": [[1.0]]}, "failed", ""),
        ):
            yield _fails(
                f"{title} {reply['reply']}",
                item,
                reply,
                outcome=outcome_wanted,
                message=f"answered {reply['reply']}, expected {kind}{said}",
            )
    yield _fails(
        "a long story is cut",
        ns.Closed(),
        {**ERRORED, "context": {"message": "x" * 299 + "yz"}},
        outcome="errored",
        message=f"answered errored, expected closed: {'x' * 299}y",
    )
    yield Entry("other: the same kind", lambda: ns.other(CLOSED, "closed"), None)


def _parts(ns: Any) -> Iterator[Entry]:
    """The functions that the expectations are made of."""
    passed = ns.PASSED
    near, far, shape = (
        ns.Judgement(ns.Outcome.FAILED, "near", excess=2.0),
        ns.Judgement(ns.Outcome.FAILED, "far", excess=9.0),
        ns.wrong("shape"),
    )
    for name, judgements, worst in (
        ("nothing", (), passed),
        ("all passed", (passed, passed), passed),
        ("the last failed", (passed, near), near),
        ("the first failed", (near, passed), near),
        ("the further one", (near, far, passed), far),
        ("the further one first", (far, near), far),
        ("a shape after a number", (far, shape), shape),
        ("a shape before a number", (shape, far), shape),
    ):
        yield Entry(f"worst of: {name}", lambda items=judgements: ns.worst_of(items), _as_wanted(worst))
    tolerance = ns.Tolerance(PART, 0.0, DERIVED)
    yield Entry(
        "judge numbers: as many tolerances as numbers",
        lambda: ns.judge_numbers("x", [1.0, 2.0], (1.0, 2.0), [tolerance]),
        "ValueError",
    )
    yield Entry(
        "judge numbers: each by its own tolerance",
        lambda: ns.judge_numbers("x", [1.0, 2.0 + PART], (1.0, 2.0), [ns.EXACT, tolerance]),
        Judged("passed", message=""),
    )
    yield Entry(
        "judge numbers: a text that is no number",
        lambda: ns.judge_numbers("x", ["one"], (1.0,), [tolerance]),
        "ValueError",
    )
    yield Entry("flags differ: not", lambda: ns.flags_differ({"out_of_domain": [True]}, (True,)), None)
    yield Entry(
        "tolerance as JSON",
        lambda: ns.tolerance_json(tolerance),
        {"absolute": PART, "relative": 0.0, "derivation": DERIVED},
    )


def _as_wanted(judgement: outcome.Judgement) -> Judged:
    return Judged(judgement.outcome.value, message=judgement.message, excess=judgement.excess)


def _documents(ns: Any) -> Iterator[Entry]:
    """Expectations as JSON."""
    tolerance = ns.Tolerance(PART, 0.0, DERIVED)
    allowed = {"absolute": PART, "relative": 0.0, "derivation": DERIVED}
    wild = {"observed": (1.0, *BAD)}
    listed = {"observed": [1.0, "NaN", "Infinity", "-Infinity"]}
    flags = (True, False, True, False)
    values = {
        "reply": "values",
        "delta_nll": listed,
        "out_of_domain": list(flags),
        "tolerance": allowed,
        "exact": [0, 3],
    }
    zeros = frozenset({3, 0})
    # A band of two and one of one show which values are lists.
    signal = ns.LimitNumbers(0.5, (0.25, NAN), BAND, INFINITY, BAND, BAND)
    limits = {
        "cls_observed": 0.5,
        "cls_expected": [0.25, "NaN"],
        "cls_apriori": list(BAND),
        "upper_limit_observed": "Infinity",
        "upper_limit_expected": list(BAND),
        "upper_limit_apriori": list(BAND),
    }
    described = {
        "id": "x",
        "version": "1",
        "inputs": ["a"],
        "curves": {"observed": 1.0},
        "lower": [0.0],
        "upper": [2.0],
    }
    for item, document in (
        (ns.Values(wild, flags, tolerance, zeros), values),
        (ns.Values(wild, flags, tolerance, zeros, wild), {**values, "sigma": listed}),
        (
            ns.Rising(("observed",), (True, False)),
            {"reply": "values", "rising": ["observed"], "out_of_domain": [True, False]},
        ),
        (
            ns.Gradients({"observed": ((1.0, NAN), (2.0, 3.0))}, (True, False), tolerance),
            {
                "reply": "gradients",
                "gradient": {"observed": [[1.0, "NaN"], [2.0, 3.0]]},
                "out_of_domain": [True, False],
                "tolerance": allowed,
            },
        ),
        (
            ns.LimitValues((signal,), (False,), tolerance, ns.EXACT),
            {
                "reply": "limits",
                "signals": [limits],
                "out_of_domain": [False],
                "tolerance": {"cls": allowed, "upper_limit": vars(ns.EXACT)},
            },
        ),
        (
            ns.Opened(("a", "b"), "0.1.0"),
            {"reply": "opened", "format_version": "0.1.0", "inputs": ["a", "b"]},
        ),
        (
            ns.Described("x", "1", ("a",), {"observed": 1.0}, (0.0,), (2.0,)),
            {"reply": "described", **described},
        ),
        (ns.Refused(), {"reply": "rejected"}),
        (ns.Refused("graph", "LLB-G001"), {"reply": "rejected", "stage": "graph", "code": "LLB-G001"}),
        (ns.Errored(), {"reply": "errored"}),
        (ns.Closed(), {"reply": "closed"}),
        (
            ns.Described("x", "1", ("a",), None, (0.0,), (2.0,)),
            {"reply": "described", **{key: value for key, value in described.items() if key != "curves"}},
        ),
        (
            ns.LogProbs((1.0, *BAD), flags, tolerance),
            {
                "reply": "log_probs",
                "log_prob": listed["observed"],
                "out_of_domain": list(flags),
                "tolerance": allowed,
            },
        ),
        (
            ns.Samples(((1.0, NAN), (2.0, 3.0)), tolerance),
            {"reply": "samples", "samples": [[1.0, "NaN"], [2.0, 3.0]], "tolerance": allowed},
        ),
        (ns.Unsupported(), {"reply": "unsupported"}),
        (ns.Unsupported(or_rejected=True), {"reply": "unsupported", "or": "rejected"}),
        (
            ns.OpenedOrRefused(ns.Opened(("a",), "1.1.0"), ns.Refused()),
            {"reply": "opened", "format_version": "1.1.0", "inputs": ["a"], "or": {"reply": "rejected"}},
        ),
    ):
        yield Entry(f"as JSON: {document}", lambda item=item: item.to_json(), document)
