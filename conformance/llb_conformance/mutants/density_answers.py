"""Loaders that answer for a density what they should refuse, refuse what they should answer, or remember."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from llb.loader import Refusal
from llb.runtime import Density
from llb_conformance.mutants.densities import DensityLoader
from llb_conformance.mutants.mutant import Mutant, Opened, WrongLoader

__all__ = ["density_answer_mutants"]

Message = dict[str, Any]
Maker = Callable[[Callable[[str], Opened]], WrongLoader]
Rows = list[list[Any]]

_CLASS = "density"
_ASKED = frozenset({"log_prob", "sample"})


def density_answer_mutants() -> Iterator[Mutant]:
    """Faults of when a density is answered."""
    for name, what, more in _MISSING:
        yield Mutant(f"density-{name}", what, _completed(more), _CLASS)
    for code in ("LLB-Y001", "LLB-Y103", "LLB-Y104", "LLB-Y105"):
        yield Mutant(
            f"density-only-{code[-4:].lower()}",
            f"refuses requests about densities all with {code}",
            _one_code(code),
            _CLASS,
        )
    yield Mutant("density-refuses-at-numbers", "names another stage for bad points", _OtherStage, _CLASS)
    yield Mutant("density-errs-for-bad-points", "answers `errored` to bad points", _Errs, _CLASS)
    yield Mutant("density-loses-the-bundle", "closes a density when a point is bad", _LosesBundle, _CLASS)
    yield Mutant("density-opens-none", "claims densities, and opens none", _OpensNone, _CLASS)
    yield Mutant("density-has-bins", "opens a density and names bins", _HasBins)
    yield Mutant(
        "density-refused-for-another-reason",
        "refuses a family for what it does not know of it",
        _OtherReason,
        "recommended",
    )
    yield Mutant("density-as-listed", "names parameters as the manifest lists them", _NamesAsListed, _CLASS)
    yield Mutant("density-has-curves", "describes a curve of a density", _HasCurves, _CLASS)
    yield Mutant("density-has-values", "answers Delta NLL of a density", _HasValues, _CLASS)
    yield Mutant("likelihood-has-a-density", "answers log_prob of a profile likelihood", _HasDensity, _CLASS)
    yield Mutant(
        "density-errs-for-the-other-family", "answers `errored` for `unsupported`", _ErrsForOthers, _CLASS
    )
    yield Mutant("likelihood-has-samples", "makes up samples of a likelihood", _HasSamples, _CLASS)
    yield Mutant("density-answer-again", "gives its first answer to as many points", _FirstAnswer, _CLASS)
    yield Mutant("density-keeps-conditions", "keeps conditions for the next question", _Keeps, _CLASS)
    yield Mutant("density-drifts", "adds a little with every question", _Drifts, _CLASS)


def _zeros(density: Density, request: Message) -> Message:
    if "conditions" not in request and density.conditions:
        request["conditions"] = [[0.0] * len(density.conditions)]
    return request


def _unasked(density: Density, request: Message) -> Message:
    if not density.conditions:
        request.pop("conditions", None)
    return request


def _rows_of(request: Message) -> int:
    return len(request["points"] if "points" in request else request["noise"])


def _repeated(density: Density, request: Message) -> Message:  # noqa: ARG001 - one form for all changes
    rows, count = request.get("conditions"), _rows_of(request)
    if rows and len(rows) < count:
        request["conditions"] = [rows[number % len(rows)] for number in range(count)]
    return request


def _shortened(density: Density, request: Message) -> Message:  # noqa: ARG001
    if "conditions" in request:
        request["conditions"] = request["conditions"][: _rows_of(request)]
    return request


_MISSING: tuple[tuple[str, str, Callable[[Density, Message], Message]], ...] = (
    ("missing-conditions-are-zero", "takes conditions that are missing for 0", _zeros),
    ("ignores-conditions-of-none", "leaves out conditions that a density does not have", _unasked),
    ("repeats-conditions", "repeats conditions that are too few", _repeated),
    ("cuts-conditions", "leaves out conditions that are too many", _shortened),
)


def _completed(change: Callable[[Density, Message], Message]) -> Maker:
    class Completed(DensityLoader):
        def heard(self, request: Message) -> Message:
            return change(self.density, request) if request["cmd"] in _ASKED else request

    return Completed


def _one_code(code: str) -> Maker:
    class OneCode(DensityLoader):
        def said(self, request: Message, reply: Message) -> Message:
            if request["cmd"] in _ASKED and reply["reply"] == "rejected":
                reply["code"] = code
            return reply

    return OneCode


class _OtherStage(DensityLoader):
    def said(self, request: Message, reply: Message) -> Message:
        if request["cmd"] in _ASKED and reply["reply"] == "rejected":
            reply["stage"] = "numbers"
        return reply


class _Errs(DensityLoader):
    def said(self, request: Message, reply: Message) -> Message:
        if request["cmd"] in _ASKED and reply["reply"] == "rejected":
            return {"reply": "errored", "seq": reply["seq"], "context": {"message": "ValueError"}}
        return reply


class _LosesBundle(DensityLoader):
    def said(self, request: Message, reply: Message) -> Message:
        if request["cmd"] in _ASKED and reply["reply"] == "rejected":
            self._loader.answer({"cmd": "close", "seq": 1})
        return reply


class _OpensNone(DensityLoader):
    def opening(self, opened: Opened) -> Opened:
        if isinstance(opened, Density):
            return Refusal("manifest", "LLB-S018", "/family", "this reader does not have the family")
        return opened


class _OtherReason(DensityLoader):
    def opening(self, opened: Opened) -> Opened:
        if isinstance(opened, Density):
            return Refusal("manifest", "LLB-S001", "/inputs", "a key is missing")
        return opened


class _HasBins(DensityLoader):
    def said(self, request: Message, reply: Message) -> Message:
        if reply["reply"] == "opened" and "[" not in reply["inputs"][0]:
            reply["inputs"] = [f"SR[{column}]" for column in range(len(reply["inputs"]))]
        return reply


class _NamesAsListed(DensityLoader):
    def said(self, request: Message, reply: Message) -> Message:
        if reply["reply"] in {"opened", "described"}:
            reply["inputs"] = [item["name"] for item in self.density.bundle.raw["parameters"]]
        return reply


class _HasCurves(DensityLoader):
    def said(self, request: Message, reply: Message) -> Message:
        if reply["reply"] == "described" and "curves" not in reply:
            reply["curves"] = {"observed": self.density.manifest.density.offset}
        return reply


class _HasValues(DensityLoader):
    def said(self, request: Message, reply: Message) -> Message:
        if request["cmd"] == "evaluate" and reply["reply"] == "unsupported":
            count = len(request["points"] if "points" in request else request["signals"])
            numbers = {name: [0.0] * count for name in request["curves"]}
            flags = [False] * count
            return {"reply": "values", "seq": reply["seq"], "delta_nll": numbers, "out_of_domain": flags}
        return reply


class _HasDensity(DensityLoader):
    def said(self, request: Message, reply: Message) -> Message:
        if request["cmd"] == "log_prob" and reply["reply"] == "unsupported":
            count = len(request["points"])
            answer = {"log_prob": [0.0] * count, "out_of_domain": [False] * count}
            return {"reply": "log_probs", "seq": reply["seq"], **answer}
        return reply


class _ErrsForOthers(DensityLoader):
    def said(self, request: Message, reply: Message) -> Message:
        if reply["reply"] == "unsupported":
            return {"reply": "errored", "seq": reply["seq"], "context": {"message": "KeyError"}}
        return reply


class _HasSamples(DensityLoader):
    def said(self, request: Message, reply: Message) -> Message:
        if request["cmd"] == "sample" and reply["reply"] == "unsupported":
            return {"reply": "samples", "seq": reply["seq"], "samples": request["noise"]}
        return reply


class _FirstAnswer(DensityLoader):
    def __init__(self, opened: Callable[[str], Opened]) -> None:
        super().__init__(opened)
        self._first: dict[tuple[str, int], Message] = {}

    def said(self, request: Message, reply: Message) -> Message:
        if reply["reply"] not in {"log_probs", "samples"}:
            return reply
        return self._first.setdefault((reply["reply"], _rows_of(request)), reply) | {"seq": reply["seq"]}


class _Keeps(DensityLoader):
    """Keeps the last good conditions, and takes them where there are none."""

    def __init__(self, opened: Callable[[str], Opened]) -> None:
        super().__init__(opened)
        self._kept: Rows = [[0.25, 0.25]]

    def heard(self, request: Message) -> Message:
        if request["cmd"] in _ASKED and self.density.conditions:
            request.setdefault("conditions", self._kept[:1])
            self._kept = request["conditions"]
        return request


class _Drifts(DensityLoader):
    def __init__(self, opened: Callable[[str], Opened]) -> None:
        super().__init__(opened)
        self._asked = 0

    def said(self, request: Message, reply: Message) -> Message:
        if reply["reply"] == "log_probs":
            self._asked += 1
            reply["log_prob"] = [
                value if isinstance(value, str) else value + 0.01 * (self._asked - 1)
                for value in reply["log_prob"]
            ]
        return reply
