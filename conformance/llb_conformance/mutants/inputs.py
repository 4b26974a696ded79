"""Loaders that misread a signal, mu or the domain."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from llb_conformance.mutants.mutant import Mutant, WrongLoader

__all__ = ["input_mutants"]

Message = dict[str, Any]
Signal = dict[str, Any]


def input_mutants() -> Iterator[Mutant]:
    """Faults of signals by bin id, of mu and of flags."""
    yield Mutant("ignores-mu", "takes mu for 1", _mu(lambda _: 1.0))
    yield Mutant("mu-twice", "multiplies by mu twice", _mu(lambda mu: mu * mu))
    yield Mutant("mu-without-sign", "takes the absolute value of mu", _mu(abs))
    yield Mutant("mu-not-below-zero", "takes a negative mu for 0", _mu(lambda mu: max(mu, 0.0)))
    yield Mutant("mu-at-most-ten", "takes a large mu for 10", _mu(lambda mu: min(mu, 10.0)))
    yield Mutant("bins-by-place", "takes yields in the order in which they come", _signals(_by_place))
    yield Mutant("bins-reversed", "takes the columns from the last to the first", _signals(_reversed))
    yield Mutant("bins-sorted", "takes the columns in the order of their names", _signals(_by_name))
    yield Mutant(
        "bins-as-listed", "takes the columns in the order in which the manifest lists them", _AsListed
    )
    yield Mutant("adds-the-background", "takes signal yields for total ones", _signals(_total, -1.0))
    yield Mutant("adds-background-to-signal", "adds the background to the signal", _signals(_total, 1.0))
    yield Mutant("no-negative-yields", "takes negative yields for 0", _signals(_not_negative))
    yield Mutant("unknown-bins-ignored", "leaves out bins that it does not know", _signals(_known_only))
    yield Mutant("missing-bins-are-zero", "takes bins that are missing for 0", _signals(_completed))
    yield Mutant("optional-bins-needed", "refuses a signal without its optional bins", _OptionalNeeded)
    yield Mutant(
        "optional-bins-are-one", "takes optional bins that are missing for 1", _signals(_completed_by_one)
    )
    yield Mutant("letters-do-not-matter", "takes bins whatever their letters", _signals(_any_letters))
    yield Mutant("nan-is-zero", "takes a yield that is NaN for 0", _signals(_finite("NaN")))
    yield Mutant(
        "infinity-is-large", "takes an infinite yield for a large one", _signals(_finite("Infinity"))
    )
    yield Mutant("minus-infinity-is-zero", "takes minus infinity for 0", _signals(_finite("-Infinity")))
    yield Mutant("skips-bad-signals", "leaves out the bad signals of a request", _SkipsBad)
    yield Mutant(
        "loses-the-bundle-after-a-bad-signal", "closes the bundle when a signal is bad", _LosesBundle
    )
    yield Mutant("wrong-code-for-signals", "refuses bad signals all with one code", _OneCode)
    yield Mutant(
        "clips-silently", "moves a point to the edge of the box and does not say so", _clipping(flags=False)
    )
    yield Mutant(
        "clips", "moves a point to the edge of the box and says so", _clipping(flags=True), "recommended"
    )
    yield Mutant("never-flags", "flags nothing", _flags(lambda flags, _: [False] * len(flags)))
    yield Mutant("always-flags", "flags everything", _flags(lambda flags, _: [True] * len(flags)))
    yield Mutant(
        "flags-upside-down", "says which points are inside", _flags(lambda flags, _: [not f for f in flags])
    )
    yield Mutant(
        "flags-once", "flags all points if one is outside", _flags(lambda flags, _: [any(flags)] * len(flags))
    )
    yield Mutant("flags-without-mu", "flags s, not mu * s", _FlagsWithoutMu)
    yield Mutant("ignores-the-truncation", "flags by the box alone", _IgnoresTruncation)
    yield Mutant(
        "truncates-by-the-asked-curve", "truncates by the curves that are asked for", _TruncatesByAsked
    )
    yield Mutant("edges-are-outside", "takes the edges of the box for outside", _box(0.0, strict=True))
    yield Mutant(
        "edges-with-a-margin", "takes a billionth beyond the box for inside", _box(1e-9, strict=False)
    )


Maker = Callable[..., WrongLoader]


def _mu(change: Callable[[float], float]) -> Maker:
    class Mu(WrongLoader):
        def heard(self, request: Message) -> Message:
            if "mu" in request:
                request["mu"] = change(request["mu"])
            return request

    return Mu


def _signals(change: Callable[..., Signal], *more: Any) -> Maker:
    class Signals(WrongLoader):
        def heard(self, request: Message) -> Message:
            if "signals" in request:
                request["signals"] = [change(self, signal, *more) for signal in request["signals"]]
            return request

    return Signals


def _by_place(loader: WrongLoader, signal: Signal) -> Signal:
    ids = loader.model.bin_ids
    return dict(zip(ids, signal.values(), strict=True)) if len(signal) == len(ids) else signal


def _reversed(loader: WrongLoader, signal: Signal) -> Signal:
    ids = loader.model.bin_ids
    return {ids[-1 - ids.index(name)] if name in ids else name: value for name, value in signal.items()}


def _by_name(loader: WrongLoader, signal: Signal) -> Signal:
    ids = loader.model.bin_ids
    places = dict(zip(sorted(ids), ids, strict=True))
    return {places.get(name, name): value for name, value in signal.items()}


class _AsListed(WrongLoader):
    def heard(self, request: Message) -> Message:
        if "signals" in request:
            manifest = self.model.bundle.manifest
            listed = [item.id for item in manifest.inputs]
            places = dict(zip(listed, manifest.bin_ids, strict=True))
            request["signals"] = [
                {places.get(name, name): value for name, value in signal.items()}
                for signal in request["signals"]
            ]
        return request


def _total(loader: WrongLoader, signal: Signal, sign: float) -> Signal:
    background = {item.id: item.background for item in loader.model.bundle.manifest.bins}
    return {
        name: value + sign * background[name] if name in background and isinstance(value, float) else value
        for name, value in signal.items()
    }


def _not_negative(loader: WrongLoader, signal: Signal) -> Signal:  # noqa: ARG001 - one form for all changes
    return {name: max(value, 0.0) if isinstance(value, float) else value for name, value in signal.items()}


def _known_only(loader: WrongLoader, signal: Signal) -> Signal:
    return {name: value for name, value in signal.items() if name in loader.model.bin_ids}


def _completed(loader: WrongLoader, signal: Signal) -> Signal:
    return dict.fromkeys(loader.model.bin_ids, 0.0) | signal


def _completed_by_one(loader: WrongLoader, signal: Signal) -> Signal:
    optional = [item.id for item in loader.model.bundle.manifest.bins if item.signal_optional]
    return dict.fromkeys(optional, 1.0) | signal


def _any_letters(loader: WrongLoader, signal: Signal) -> Signal:
    names = {name.lower(): name for name in loader.model.bin_ids}
    return {names.get(name.lower(), name): value for name, value in signal.items()}


def _finite(text: str) -> Callable[[WrongLoader, Signal], Signal]:
    number = 1e9 if text == "Infinity" else 0.0
    return lambda _, signal: {name: number if value == text else value for name, value in signal.items()}


class _OptionalNeeded(WrongLoader):
    def said(self, request: Message, reply: Message) -> Message:
        ids = set(self.model.bin_ids) if "signals" in request else set[str]()
        if reply["reply"] == "values" and any(ids - set(signal) for signal in request.get("signals", ())):
            return {"reply": "rejected", "seq": reply["seq"], "stage": "input", "code": "LLB-Y002"}
        return reply


class _SkipsBad(WrongLoader):
    def heard(self, request: Message) -> Message:
        if len(request.get("signals", ())) > 1:
            needed = {item.id for item in self.model.bundle.manifest.bins if not item.signal_optional}
            request["signals"] = [signal for signal in request["signals"] if needed <= set(signal)]
        return request


class _LosesBundle(WrongLoader):
    def said(self, request: Message, reply: Message) -> Message:
        if reply.get("stage") == "input":
            self.answer({"cmd": "close", "seq": 1})
        return reply


class _OneCode(WrongLoader):
    def said(self, request: Message, reply: Message) -> Message:
        if reply.get("stage") == "input":
            reply["code"] = "LLB-Y001"
        return reply


def _clipping(*, flags: bool) -> Maker:
    class Clipping(WrongLoader):
        def heard(self, request: Message) -> Message:
            if "signals" not in request or request["cmd"] != "evaluate":
                return request
            domain, mu = self.model.bundle.manifest.domain, request.pop("mu", 1.0)
            for signal in request["signals"]:
                for name, low, high in zip(self.model.bin_ids, domain.lower, domain.upper, strict=True):
                    value = signal.get(name)
                    if isinstance(value, float):
                        signal[name] = float(np.clip(mu * value, low, high))
            return request

        def said(self, request: Message, reply: Message) -> Message:
            if reply["reply"] == "values" and flags:
                inside = self.model.in_domain(_asked(self, request, request.get("mu", 1.0)))
                reply["out_of_domain"] = [not value for value in inside]
            return reply

    return Clipping


def _flags(change: Callable[[list[bool], Message], list[bool]]) -> Maker:
    class Flags(WrongLoader):
        def said(self, request: Message, reply: Message) -> Message:
            if reply["reply"] == "values":
                reply["out_of_domain"] = change(reply["out_of_domain"], request)
            return reply

    return Flags


def _asked(loader: WrongLoader, request: Message, mu: float) -> Any:
    rows = request.get("points") or [loader.model.signal(signal) for signal in request["signals"]]
    return mu * np.asarray(rows, dtype=np.float64)


class _FlagsWithoutMu(WrongLoader):
    def said(self, request: Message, reply: Message) -> Message:
        if reply["reply"] == "values":
            inside = self.model.in_domain(_asked(self, request, 1.0))
            reply["out_of_domain"] = [not value for value in inside]
        return reply


class _IgnoresTruncation(WrongLoader):
    def said(self, request: Message, reply: Message) -> Message:
        if reply["reply"] == "values":
            points = _asked(self, request, request.get("mu", 1.0))
            domain = self.model.bundle.manifest.domain
            beyond = np.any((points < domain.lower) | (points > domain.upper), axis=1)
            reply["out_of_domain"] = beyond.tolist()
        return reply


class _TruncatesByAsked(WrongLoader):
    def said(self, request: Message, reply: Message) -> Message:
        limit = self.model.bundle.manifest.domain.delta_nll_max if reply["reply"] == "values" else None
        if limit is not None:
            points = _asked(self, request, request.get("mu", 1.0))
            domain = self.model.bundle.manifest.domain
            beyond = np.any((points < domain.lower) | (points > domain.upper), axis=1)
            largest = np.max(list(reply["delta_nll"].values()), axis=0)
            reply["out_of_domain"] = (beyond | (largest > limit)).tolist()
        return reply


def _box(margin: float, *, strict: bool) -> Maker:
    class Box(WrongLoader):
        def said(self, request: Message, reply: Message) -> Message:
            domain = self.model.bundle.manifest.domain if reply["reply"] == "values" else None
            if domain is None or domain.delta_nll_max is not None:
                return reply
            points = _asked(self, request, request.get("mu", 1.0))
            lower, upper = np.asarray(domain.lower), np.asarray(domain.upper)
            wide = margin * (upper - lower)
            if strict:
                beyond = np.any((points <= lower) | (points >= upper), axis=1)
            else:
                beyond = np.any((points < lower - wide) | (points > upper + wide), axis=1)
            reply["out_of_domain"] = beyond.tolist()
            return reply

    return Box
