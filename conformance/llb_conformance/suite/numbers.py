"""Numbers that an answer has to have, and the judgement of those that it has.

A judgement keeps the worst number, and how far it is off in units of its tolerance.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from llb_conformance.suite.expectation import Reply, other
from llb_conformance.suite.outcome import PASSED, Judgement, Outcome, wrong
from llb_conformance.suite.tolerance import EXACT, Tolerance
from llb_conformance.suite.wire import as_float, as_number

__all__ = ["Gradients", "Rising", "Values", "flags_differ", "judge_numbers", "tolerance_json", "worst_of"]

Table = Mapping[str, Sequence[float]]


@dataclass(frozen=True)
class Values:
    """Delta NLL by curve, a number for each point, and which points are outside of the domain.

    Attributes:
        delta_nll: expected numbers; of a point outside, NaN stands for any finite number.
        out_of_domain: exact flags.
        tolerance: of Delta NLL; zero signals are compared exactly (VECTORS-6).
        zeros: rows of zero signal.
        sigma: stated errors by curve, which then have to be in the answer, or None: not looked at.
    """

    delta_nll: Table
    out_of_domain: tuple[bool, ...]
    tolerance: Tolerance
    zeros: frozenset[int] = frozenset()
    sigma: Table | None = None

    def judge(self, reply: Reply) -> Judgement:
        """The asked curves and no other, flags exactly, numbers within the tolerance."""
        fault = other(reply, "values") or flags_differ(reply, self.out_of_domain)
        if fault:
            return fault
        parts: list[tuple[str, Table, Any]] = [("delta_nll", self.delta_nll, reply["delta_nll"])]
        if self.sigma is not None:
            if "sigma" not in reply:
                return wrong("the stated error is missing: there is no `sigma`")
            parts.append(("sigma", self.sigma, reply["sigma"]))
        return worst_of(self._judgements(parts))

    def _judgements(self, parts: Sequence[tuple[str, Table, Any]]) -> Iterator[Judgement]:
        for name, expected, got in parts:
            fault = _keys(name, expected, got)
            if fault:
                yield fault
                return
            for curve, numbers in expected.items():
                yield judge_numbers(
                    f"{name} of {curve}", got[curve], numbers, self._tolerances(name, numbers)
                )

    def _tolerances(self, name: str, numbers: Sequence[float]) -> list[Tolerance]:
        return [
            EXACT if row in self.zeros and name == "delta_nll" else self.tolerance
            for row in range(len(numbers))
        ]

    def to_json(self) -> dict[str, Any]:
        """The expectation as JSON."""
        document: dict[str, Any] = {
            "reply": "values",
            "delta_nll": _table(self.delta_nll),
            "out_of_domain": list(self.out_of_domain),
            "tolerance": tolerance_json(self.tolerance),
            "exact": sorted(self.zeros),
        }
        return document if self.sigma is None else document | {"sigma": _table(self.sigma)}


@dataclass(frozen=True)
class Rising:
    """Beyond the domain along a ray, in equal steps: finite, increasing and convex (DOMAIN-3)."""

    curves: tuple[str, ...]
    out_of_domain: tuple[bool, ...]

    def judge(self, reply: Reply) -> Judgement:
        """Rising values of falling never steeper steps, on every curve."""
        fault = (
            other(reply, "values")
            or flags_differ(reply, self.out_of_domain)
            or _keys("delta_nll", dict.fromkeys(self.curves), reply["delta_nll"])
        )
        if fault:
            return fault
        for curve in self.curves:
            numbers = [as_float(item) for item in reply["delta_nll"][curve]]
            if len(numbers) != len(self.out_of_domain):
                return wrong(f"delta_nll of {curve} has {len(numbers)} numbers")
            steps = [after - before for before, after in pairwise(numbers)]
            rising = all(0.0 < step < math.inf for step in steps)
            # As convex as rounding shows.
            convex = all(after >= before - 1e-6 * abs(before) for before, after in pairwise(steps))
            if not (rising and convex):
                said = [as_number(item) for item in numbers]
                return wrong(f"delta_nll of {curve} does not rise convexly beyond the domain", got=said)
        return PASSED

    def to_json(self) -> dict[str, Any]:
        """The expectation as JSON."""
        return {"reply": "values", "rising": list(self.curves), "out_of_domain": list(self.out_of_domain)}


@dataclass(frozen=True)
class Gradients:
    """Derivatives of Delta NLL by curve: a row for each point, a column for each input."""

    gradient: Mapping[str, Sequence[Sequence[float]]]
    out_of_domain: tuple[bool, ...]
    tolerance: Tolerance

    def judge(self, reply: Reply) -> Judgement:
        """The asked curves and no other, flags exactly, numbers within the tolerance."""
        fault = (
            other(reply, "gradients")
            or flags_differ(reply, self.out_of_domain)
            or _keys("gradient", self.gradient, reply["gradient"])
        )
        return fault or worst_of(self._judgements(reply["gradient"]))

    def _judgements(self, got: Mapping[str, Any]) -> Iterator[Judgement]:
        for curve, rows in self.gradient.items():
            if len(got[curve]) != len(rows):
                yield wrong(f"gradient of {curve} has {len(got[curve])} rows", expected=len(rows))
                return
            for row, (numbers, expected) in enumerate(zip(got[curve], rows, strict=True)):
                yield judge_numbers(
                    f"gradient of {curve} at point {row}", numbers, expected, [self.tolerance] * len(expected)
                )

    def to_json(self) -> dict[str, Any]:
        """The expectation as JSON."""
        return {
            "reply": "gradients",
            "gradient": {
                curve: [[as_number(item) for item in row] for row in rows]
                for curve, rows in self.gradient.items()
            },
            "out_of_domain": list(self.out_of_domain),
            "tolerance": tolerance_json(self.tolerance),
        }


def flags_differ(reply: Reply, expected: tuple[bool, ...]) -> Judgement | None:
    """What is wrong with the flags of a reply, which have to be exactly these."""
    got = list(reply["out_of_domain"])
    if got == list(expected):
        return None
    return wrong("out_of_domain differs", expected=list(expected), got=got)


def _keys(name: str, expected: Mapping[str, Any], got: Mapping[str, Any]) -> Judgement | None:
    if set(got) == set(expected):
        return None
    return wrong(f"{name} has other curves", expected=sorted(expected), got=sorted(got))


def judge_numbers(
    what: str, got: Sequence[Any], expected: Sequence[float], tolerances: Sequence[Tolerance]
) -> Judgement:
    """Shape first, then each number by itself."""
    if len(got) != len(expected):
        return wrong(f"{what} has {len(got)} numbers", expected=len(expected))
    numbers = [as_float(item) for item in got]
    excess = [
        (0.0 if math.isfinite(number) else math.inf)
        if math.isnan(wanted)
        else tolerance.excess(number, wanted)
        for number, wanted, tolerance in zip(numbers, expected, tolerances, strict=True)
    ]
    worst = max(range(len(excess)), key=excess.__getitem__)
    if excess[worst] <= 1.0:
        return PASSED
    return Judgement(
        Outcome.FAILED,
        f"{what}: {numbers[worst]!r}, expected {float(expected[worst])!r} (number {worst})",
        expected=[as_number(item) for item in expected],
        got=[as_number(item) for item in numbers],
        index=worst,
        excess=excess[worst],
    )


def worst_of(judgements: Iterable[Judgement]) -> Judgement:
    """The judgement that is furthest off; passed if all are."""
    worst = PASSED
    for item in judgements:
        if item.outcome is not Outcome.PASSED and (
            worst.outcome is Outcome.PASSED or (item.excess or math.inf) > (worst.excess or math.inf)
        ):
            worst = item
    return worst


def _table(table: Table) -> dict[str, list[Any]]:
    return {name: [as_number(item) for item in numbers] for name, numbers in table.items()}


def tolerance_json(tolerance: Tolerance) -> dict[str, Any]:
    """A tolerance as JSON."""
    return dict(vars(tolerance))
