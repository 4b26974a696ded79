"""Loaders that talk past the harness."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any

from llb_conformance.mutants.mutant import Mutant, Opened, WrongLoader

__all__ = ["talk_mutants"]

Message = dict[str, Any]


def talk_mutants() -> Iterator[Mutant]:
    """Faults of the protocol. Those of a process (silence, crashes, noise) are for real processes to show."""
    yield Mutant("no-seq", "leaves `seq` out", _replies(lambda reply: reply.pop("seq", None)))
    yield Mutant("seq-of-its-own", "counts replies by itself, from 0", _CountsItself)
    yield Mutant(
        "seq-as-text", "writes `seq` as text", _replies(lambda reply: reply.update(seq=str(reply.get("seq"))))
    )
    yield Mutant("echoes", "sends requests back", _Echoes)
    yield Mutant("says-valid", 'answers {"valid": true} to everything', _SaysValid)
    yield Mutant("more-keys", "says more than it is asked", _replies(lambda reply: reply.update(time=0.25)))
    yield Mutant("bare-nan", "writes NaN as JSON has it not", _BareNan)
    yield Mutant("numbers-as-text", "writes numbers as text", _numbers(str))
    yield Mutant("null-for-numbers", "writes null for numbers", _numbers(lambda _: None))
    yield Mutant("one-number-for-one-signal", "writes no list for one signal", _NoList)
    yield Mutant("all-curves", "answers for curves that were not asked for", _AllCurves)
    yield Mutant(
        "no-curves",
        "answers for no curve",
        _replies(lambda reply: "delta_nll" in reply and reply.update(delta_nll={})),
    )
    yield Mutant("no-flags", "leaves the flags out", _replies(lambda reply: reply.pop("out_of_domain", None)))
    yield Mutant("skips-everything", "skips every request", _always({"reply": "skipped", "message": "later"}))
    yield Mutant("supports-nothing", "supports no request", _always({"reply": "unsupported", "what": "this"}))
    yield Mutant(
        "fails-always", "fails at every request", _always({"reply": "errored", "context": {"message": "no"}})
    )
    yield Mutant("python-text", "writes what Python prints", _PythonText)
    yield Mutant("half-lines", "ends in the middle of a reply", _HalfLines)


def _replies(change: Callable[[Message], object]) -> Callable[[Callable[[str], Opened]], WrongLoader]:
    class Replies(WrongLoader):
        def said(self, request: Message, reply: Message) -> Message:
            if request["cmd"] != "start":
                change(reply)
            return reply

    return Replies


class _CountsItself(WrongLoader):
    def __init__(self, opened: Callable[[str], Opened]) -> None:
        super().__init__(opened)
        self._count = 0

    def said(self, request: Message, reply: Message) -> Message:
        if "seq" in reply:
            self._count += 1
            reply["seq"] = self._count + 1
        return reply


class _Echoes(WrongLoader):
    def said(self, request: Message, reply: Message) -> Message:
        return reply if request["cmd"] == "start" else request


class _SaysValid(WrongLoader):
    def said(self, request: Message, reply: Message) -> Message:
        return reply if request["cmd"] == "start" else {"valid": True}


class _BareNan(WrongLoader):
    def line(self, text: str) -> str:
        message = json.loads(text)
        if message.get("reply") != "values":
            return text
        message["delta_nll"] = {name: [float("nan")] * len(v) for name, v in message["delta_nll"].items()}
        return json.dumps(message)


def _numbers(change: Callable[[Any], Any]) -> Callable[[Callable[[str], Opened]], WrongLoader]:
    class Numbers(WrongLoader):
        def said(self, request: Message, reply: Message) -> Message:
            if reply["reply"] == "values":
                reply["delta_nll"] = {
                    name: [change(value) for value in rows] for name, rows in reply["delta_nll"].items()
                }
            return reply

    return Numbers


class _NoList(WrongLoader):
    def said(self, request: Message, reply: Message) -> Message:
        if reply["reply"] == "values" and len(reply["out_of_domain"]) == 1:
            reply["delta_nll"] = {name: rows[0] for name, rows in reply["delta_nll"].items()}
        return reply


class _AllCurves(WrongLoader):
    def heard(self, request: Message) -> Message:
        if request["cmd"] == "evaluate":
            known = self._loader.answer({"cmd": "describe", "seq": 1}).get("curves", request["curves"])
            request["curves"] = list(known)
        return request


def _always(answer: Message) -> Callable[[Callable[[str], Opened]], WrongLoader]:
    class Always(WrongLoader):
        def said(self, request: Message, reply: Message) -> Message:
            return reply if request["cmd"] == "start" else {**answer, "seq": request["seq"]}

    return Always


class _PythonText(WrongLoader):
    def line(self, text: str) -> str:
        message = json.loads(text)
        return text if message.get("reply") == "started" else str(message)


class _HalfLines(WrongLoader):
    def line(self, text: str) -> str:
        return text if '"started"' in text else text[: len(text) // 2]
