"""CLs and upper limits that an answer has to have."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from llb_conformance.suite.expectation import Reply, other
from llb_conformance.suite.numbers import flags_differ, judge_numbers, tolerance_json, worst_of
from llb_conformance.suite.outcome import Judgement, wrong
from llb_conformance.suite.tolerance import Tolerance
from llb_conformance.suite.wire import as_number

__all__ = ["LimitNumbers", "LimitValues"]


@dataclass(frozen=True)
class LimitNumbers:
    """CLs at mu = 1 and upper limits of one signal; bands at -2 to +2 standard deviations."""

    cls_observed: float
    cls_expected: tuple[float, ...]
    cls_apriori: tuple[float, ...]
    upper_limit_observed: float
    upper_limit_expected: tuple[float, ...]
    upper_limit_apriori: tuple[float, ...]

    def items(self) -> Iterator[tuple[str, tuple[float, ...]]]:
        """Each key of the reply with its numbers."""
        for name, value in vars(self).items():
            yield name, value if isinstance(value, tuple) else (value,)


@dataclass(frozen=True)
class LimitValues:
    """CLs and upper limits, an entry for each signal."""

    signals: tuple[LimitNumbers, ...]
    out_of_domain: tuple[bool, ...]
    cls: Tolerance
    limit: Tolerance

    def judge(self, reply: Reply) -> Judgement:
        """Flags exactly, CLs and limits within their tolerances."""
        fault = other(reply, "limits") or flags_differ(reply, self.out_of_domain)
        if fault:
            return fault
        if len(reply["signals"]) != len(self.signals):
            return wrong(f"limits of {len(reply['signals'])} signals", expected=len(self.signals))
        return worst_of(
            judge_numbers(
                f"{name} of signal {row}", _listed(got[name]), expected, [self._of(name)] * len(expected)
            )
            for row, (got, numbers) in enumerate(zip(reply["signals"], self.signals, strict=True))
            for name, expected in numbers.items()
        )

    def _of(self, name: str) -> Tolerance:
        return self.cls if name.startswith("cls") else self.limit

    def to_json(self) -> dict[str, Any]:
        """The expectation as JSON."""
        return {
            "reply": "limits",
            "signals": [
                {
                    name: as_number(*value) if len(value) == 1 else [as_number(item) for item in value]
                    for name, value in numbers.items()
                }
                for numbers in self.signals
            ],
            "out_of_domain": list(self.out_of_domain),
            "tolerance": {"cls": tolerance_json(self.cls), "upper_limit": tolerance_json(self.limit)},
        }


def _listed(value: Any) -> Sequence[Any]:
    return value if isinstance(value, list) else [value]
