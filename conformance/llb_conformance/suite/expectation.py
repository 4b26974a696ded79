"""What an answer has to be, and the judgement of one that was given: names, refusals, errors.

Every judgement is made from the answer alone and says what is wrong in a sentence.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from llb_conformance.suite.outcome import PASSED, Judgement, Outcome, wrong

__all__ = ["Closed", "Described", "Errored", "Expectation", "Opened", "Refused", "Reply", "other"]

Reply = Mapping[str, Any]
"""A message of a loader that follows the schema of the protocol."""


class Expectation(Protocol):
    """What an answer has to be."""

    def judge(self, reply: Reply) -> Judgement:
        """The judgement of a reply that follows the protocol's schema."""
        ...

    def to_json(self) -> dict[str, Any]:
        """The expectation as JSON."""
        ...


@dataclass(frozen=True)
class Opened:
    """The bundle is good, and its columns have these names."""

    inputs: tuple[str, ...]
    format_version: str = "1.0.0"

    def judge(self, reply: Reply) -> Judgement:
        """The same names in the same order, and the version of the manifest."""
        return other(reply, "opened") or _same(reply, self._facts())

    def to_json(self) -> dict[str, Any]:
        """The expectation as JSON."""
        return {"reply": "opened", **self._facts()}

    def _facts(self) -> dict[str, Any]:
        return {"format_version": self.format_version, "inputs": list(self.inputs)}


@dataclass(frozen=True)
class Described:
    """What the bundle says of itself; every number exactly as it is in the manifest.

    A density has no curves.
    """

    id: str
    version: str
    inputs: tuple[str, ...]
    curves: Mapping[str, float] | None
    lower: tuple[float, ...]
    upper: tuple[float, ...]

    def judge(self, reply: Reply) -> Judgement:
        """Names and numbers exactly; curves in any order."""
        return other(reply, "described") or _same(reply, self._facts())

    def to_json(self) -> dict[str, Any]:
        """The expectation as JSON."""
        facts = {name: fact for name, fact in self._facts().items() if fact is not None}
        return {"reply": "described", **facts}

    def _facts(self) -> dict[str, Any]:
        return {
            "id": self.id,
            "version": self.version,
            "inputs": list(self.inputs),
            "curves": None if self.curves is None else dict(self.curves),
            "lower": list(self.lower),
            "upper": list(self.upper),
        }


@dataclass(frozen=True)
class Refused:
    """The bundle or the request is refused: for any reason, or at a stage and with a code."""

    stage: str = ""
    code: str = ""

    def judge(self, reply: Reply) -> Judgement:
        """Refused, and, where it is asked for, for the right reason."""
        if reply["reply"] != "rejected":
            if reply["reply"] in {"opened", "values", "gradients", "limits", "log_probs", "samples"}:
                return Judgement(Outcome.WRONGLY_ACCEPTED, f"answered {reply['reply']}, expected a refusal")
            return _kind(reply, "rejected")
        found = (reply["stage"], reply["code"])
        if self.code and found != (self.stage, self.code):
            return Judgement(
                Outcome.WRONG_REASON,
                f"refused at {found[0]} with {found[1]}, expected {self.stage} with {self.code}",
            )
        return PASSED

    def to_json(self) -> dict[str, Any]:
        """The expectation as JSON."""
        return {"reply": "rejected"} | ({"stage": self.stage, "code": self.code} if self.code else {})


@dataclass(frozen=True)
class Errored:
    """Nothing is open: the request has to be answered with `errored`."""

    def judge(self, reply: Reply) -> Judgement:
        """An error, in a reply of its own."""
        return PASSED if reply["reply"] == "errored" else wrong(f"answered {reply['reply']}, nothing is open")

    def to_json(self) -> dict[str, Any]:
        """The expectation as JSON."""
        return {"reply": "errored"}


@dataclass(frozen=True)
class Closed:
    """The bundle is closed."""

    def judge(self, reply: Reply) -> Judgement:
        """Closed."""
        return other(reply, "closed") or PASSED

    def to_json(self) -> dict[str, Any]:
        """The expectation as JSON."""
        return {"reply": "closed"}


def other(reply: Reply, kind: str) -> Judgement | None:
    """What is wrong if the reply is not of this kind."""
    return None if reply["reply"] == kind else _kind(reply, kind)


def _kind(reply: Reply, kind: str) -> Judgement:
    outcomes = {
        "rejected": Outcome.WRONGLY_REJECTED,
        "unsupported": Outcome.UNSUPPORTED,
        "skipped": Outcome.SKIPPED,
        "errored": Outcome.ERRORED,
    }
    found = str(reply["reply"])
    said = [str(reply[key]) for key in ("stage", "code", "what", "message") if key in reply]
    said += [str(reply["context"]["message"])] if "context" in reply else []
    message = f"answered {found}, expected {kind}" + (f": {' '.join(said)[:300]}" if said else "")
    return Judgement(outcomes.get(found, Outcome.FAILED), message)


def _same(reply: Reply, facts: Mapping[str, Any]) -> Judgement:
    for name, expected in facts.items():
        got = reply.get(name)
        if got != expected:
            return wrong(f"{name} differs", expected=expected, got=got)
    return PASSED
