"""What an answer about a density has to be: its logarithm, its samples, or that there is no such answer."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from llb_conformance.suite.expectation import Opened, Refused, Reply, other
from llb_conformance.suite.numbers import flags_differ, judge_numbers, tolerance_json, worst_of
from llb_conformance.suite.outcome import PASSED, Judgement, wrong
from llb_conformance.suite.tolerance import Tolerance
from llb_conformance.suite.wire import as_number

__all__ = ["LogProbs", "OpenedOrRefused", "Samples", "Unsupported"]


@dataclass(frozen=True)
class LogProbs:
    """The logarithm of the density, a number for each point, and which points are outside of the domain.

    Attributes:
        log_prob: expected numbers; -infinity is compared exactly.
        out_of_domain: exact flags.
        tolerance: of the finite numbers.
    """

    log_prob: tuple[float, ...]
    out_of_domain: tuple[bool, ...]
    tolerance: Tolerance

    def judge(self, reply: Reply) -> Judgement:
        """Flags exactly, numbers within the tolerance."""
        return (
            other(reply, "log_probs")
            or flags_differ(reply, self.out_of_domain)
            or judge_numbers(
                "log_prob", reply["log_prob"], self.log_prob, [self.tolerance] * len(self.log_prob)
            )
        )

    def to_json(self) -> dict[str, Any]:
        """The expectation as JSON."""
        return {
            "reply": "log_probs",
            "log_prob": [as_number(item) for item in self.log_prob],
            "out_of_domain": list(self.out_of_domain),
            "tolerance": tolerance_json(self.tolerance),
        }


@dataclass(frozen=True)
class Samples:
    """Parameters, a row for each row of noise."""

    samples: tuple[tuple[float, ...], ...]
    tolerance: Tolerance

    def judge(self, reply: Reply) -> Judgement:
        """As many rows as there is noise, numbers within the tolerance."""
        fault = other(reply, "samples")
        if fault:
            return fault
        if len(reply["samples"]) != len(self.samples):
            return wrong(f"{len(reply['samples'])} samples", expected=len(self.samples))
        return worst_of(self._judgements(reply["samples"]))

    def _judgements(self, got: Sequence[Sequence[Any]]) -> Iterator[Judgement]:
        for row, (numbers, expected) in enumerate(zip(got, self.samples, strict=True)):
            yield judge_numbers(f"sample {row}", numbers, expected, [self.tolerance] * len(expected))

    def to_json(self) -> dict[str, Any]:
        """The expectation as JSON."""
        return {
            "reply": "samples",
            "samples": [[as_number(item) for item in row] for row in self.samples],
            "tolerance": tolerance_json(self.tolerance),
        }


@dataclass(frozen=True)
class Unsupported:
    """There is no such answer: the bundle is of the other family, or has no such graph.

    Attributes:
        or_rejected: whether a refusal of the request says it as well.
    """

    or_rejected: bool = False

    def judge(self, reply: Reply) -> Judgement:
        """`unsupported`, and no number."""
        if reply["reply"] == "unsupported" or (self.or_rejected and reply["reply"] == "rejected"):
            return PASSED
        return wrong(f"answered {reply['reply']}, the bundle has no answer to this")

    def to_json(self) -> dict[str, Any]:
        """The expectation as JSON."""
        return {"reply": "unsupported"} | ({"or": "rejected"} if self.or_rejected else {})


@dataclass(frozen=True)
class OpenedOrRefused:
    """Who has the family opens the bundle, who has not refuses it (FAMILY-2)."""

    opened: Opened
    refused: Refused

    def judge(self, reply: Reply) -> Judgement:
        """Either of the two, and each as it has to be."""
        return (self.opened if reply["reply"] == "opened" else self.refused).judge(reply)

    def to_json(self) -> dict[str, Any]:
        """The expectation as JSON."""
        return {**self.opened.to_json(), "or": self.refused.to_json()}
