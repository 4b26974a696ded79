"""Loaders that remember what they should not, or describe what is not there."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np

from llb_conformance.mutants.mutant import Mutant, Opened, WrongLoader

__all__ = ["memory_mutants"]

Message = dict[str, Any]


def memory_mutants() -> Iterator[Mutant]:
    """Faults of state and of `describe`."""
    yield Mutant(
        "first-answer-again", "gives its first answer to every question of that many signals", _FirstAnswer
    )
    yield Mutant("answer-before", "gives the answer of the question before", _AnswerBefore)
    yield Mutant("first-bundle-for-all", "goes on with the first bundle of these bins", _FirstBundle)
    yield Mutant("drifts", "adds a little with every question", _Drifts)
    yield Mutant("keeps-mu", "keeps mu for the next question", _KeepsMu)
    yield Mutant("open-after-close", "answers after `close`", _OpenAfterClose)
    yield Mutant("writes-into-the-bundle", "keeps a cache in the bundle", _Writes)
    yield Mutant("baselines-in-single-precision", "rounds baselines", _describing(_rounded))
    yield Mutant("baselines-left-out", "describes the first curve only", _describing(_first_curve))
    yield Mutant("alias-has-no-baseline", "describes no alias", _describing(_without_alias))
    yield Mutant("describes-inputs-as-listed", "names the inputs as the manifest lists them", _AsListed)
    yield Mutant("box-upside-down", "takes one edge of the box for the other", _describing(_edges))
    yield Mutant(
        "version-of-the-format",
        "says the version of the format for that of the bundle",
        _describing(_version),
    )
    yield Mutant("opens-as-the-newest-version", "says that every bundle is of version 1.0.0", _SaysNewest)


class _FirstAnswer(WrongLoader):
    def __init__(self, opened: Callable[[str], Opened]) -> None:
        super().__init__(opened)
        self._first: dict[tuple[int, str], Message] = {}

    def said(self, request: Message, reply: Message) -> Message:
        if reply["reply"] != "values":
            return reply
        key = (len(reply["out_of_domain"]), str(request["curves"]))
        return self._first.setdefault(key, reply) | {"seq": reply["seq"]}


class _AnswerBefore(WrongLoader):
    def __init__(self, opened: Callable[[str], Opened]) -> None:
        super().__init__(opened)
        self._before: Message | None = None

    def said(self, request: Message, reply: Message) -> Message:
        if reply["reply"] != "values":
            return reply
        before, self._before = self._before, reply
        return reply if before is None else before | {"seq": reply["seq"]}


class _FirstBundle(WrongLoader):
    def __init__(self, opened: Callable[[str], Opened]) -> None:
        super().__init__(opened)
        self._paths: dict[str, str] = {}

    def said(self, request: Message, reply: Message) -> Message:
        if reply["reply"] == "opened":
            path = self._paths.setdefault(str(reply["inputs"]), request["bundle"])
            if path != request["bundle"]:
                self._loader.answer({**request, "bundle": path})
        return reply


class _Drifts(WrongLoader):
    def __init__(self, opened: Callable[[str], Opened]) -> None:
        super().__init__(opened)
        self._asked = 0

    def said(self, request: Message, reply: Message) -> Message:
        if reply["reply"] == "values":
            self._asked += 1
            added = 1e-6 * (self._asked - 1)
            reply["delta_nll"] = {
                name: [value + added if isinstance(value, float) else value for value in rows]
                for name, rows in reply["delta_nll"].items()
            }
        return reply


class _KeepsMu(WrongLoader):
    def __init__(self, opened: Callable[[str], Opened]) -> None:
        super().__init__(opened)
        self._mu = 1.0

    def heard(self, request: Message) -> Message:
        if request["cmd"] == "evaluate":
            self._mu = request["mu"] = request.get("mu", self._mu)
        return request


class _OpenAfterClose(WrongLoader):
    def heard(self, request: Message) -> Message:
        return {**request, "cmd": "describe"} if request["cmd"] == "close" else request

    def said(self, request: Message, reply: Message) -> Message:
        return {"reply": "closed", "seq": reply["seq"]} if request["cmd"] == "close" else reply


class _Writes(WrongLoader):
    def said(self, request: Message, reply: Message) -> Message:
        folder = Path(str(request.get("bundle", "")))
        if reply["reply"] == "opened" and folder.is_dir() and not (folder / ".cache").exists():
            (folder / ".cache").write_bytes(b"")
        return reply


def _describing(change: Callable[[Message], object]) -> Callable[[Callable[[str], Opened]], WrongLoader]:
    class Describing(WrongLoader):
        def said(self, request: Message, reply: Message) -> Message:
            if reply["reply"] == "described":
                change(reply)
            return reply

    return Describing


def _rounded(reply: Message) -> None:
    _curves(reply, {name: float(np.float32(value)) for name, value in reply.get("curves", {}).items()})


def _first_curve(reply: Message) -> None:
    _curves(reply, dict(list(reply.get("curves", {}).items())[:1]))


def _without_alias(reply: Message) -> None:
    reply.get("curves", {}).pop("apriori_asimov", None)


def _curves(reply: Message, curves: dict[str, float]) -> None:
    # A density has none.
    if curves:
        reply["curves"] = curves


def _edges(reply: Message) -> None:
    reply["lower"], reply["upper"] = reply["upper"], reply["lower"]


def _version(reply: Message) -> None:
    reply["version"] = "0.1.0"


class _AsListed(WrongLoader):
    def said(self, request: Message, reply: Message) -> Message:
        if reply["reply"] in {"opened", "described"}:
            reply["inputs"] = [item.id for item in self.model.bundle.manifest.inputs]
        return reply


class _SaysNewest(WrongLoader):
    def said(self, request: Message, reply: Message) -> Message:
        if reply["reply"] == "opened":
            reply["format_version"] = "1.0.0"
        return reply
