"""Loaders that get derivatives, CLs or limits wrong."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from typing import Any

from llb_conformance.mutants.mutant import Mutant, Opened, WrongLoader
from llb_conformance.suite.wire import as_number

__all__ = ["statistics_mutants"]

Message = dict[str, Any]
Maker = Callable[[Callable[[str], Opened]], WrongLoader]

_BANDS = ("cls_expected", "cls_apriori", "upper_limit_expected", "upper_limit_apriori")
_CLS = ("cls_observed", "cls_expected", "cls_apriori")
_LIMITS = ("upper_limit_observed", "upper_limit_expected", "upper_limit_apriori")


def statistics_mutants() -> Iterator[Mutant]:
    """Faults of the classes `gradient` and `limits`."""
    for name, what, change in _GRADIENTS:
        yield Mutant(f"gradient-{name}", what, _gradient(change), "gradient")
    yield Mutant(
        "gradient-of-another-curve",
        "gives the derivatives of the first curve for all",
        _FirstCurve,
        "gradient",
    )
    for name, what, change in _SIGNALS:
        yield Mutant(f"limits-{name}", what, _limits(change), "limits")
    yield Mutant("limits-ignore-the-level", "gives limits at 95 % whatever is asked", _IgnoresLevel, "limits")
    yield Mutant("limits-never-flag", "does not say that limits are beyond the domain", _NeverFlags, "limits")
    yield Mutant(
        "limits-of-the-first-signal", "gives all signals the limits of the first", _FirstSignal, "limits"
    )
    yield Mutant("limits-scale-as-the-signal", "gives limits on events for limits on mu", _Events, "limits")


Rows = list[list[Any]]
_GRADIENTS: tuple[tuple[str, str, Callable[[Rows], Rows]], ...] = (
    ("sign", "gives the derivatives of ln L", lambda rows: [[-value for value in row] for row in rows]),
    (
        "factor-two",
        "gives the derivatives of -2 ln L",
        lambda rows: [[2.0 * value for value in row] for row in rows],
    ),
    ("reversed", "gives the columns from the last to the first", lambda rows: [row[::-1] for row in rows]),
    (
        "along-the-signal",
        "gives the sum in every column",
        lambda rows: [[sum(row)] * len(row) for row in rows],
    ),
    ("one-column-short", "leaves the last column out", lambda rows: [row[:-1] or row * 2 for row in rows]),
    ("rough", "is off by 1e-4", lambda rows: [[value * 1.0001 + 1e-4 for value in row] for row in rows]),
    (
        "single-precision",
        "takes differences too small for single precision",
        lambda rows: [[value + 2e-2 for value in row] for row in rows],
    ),
    ("not-a-number", "gives NaN", lambda rows: [["NaN"] * len(row) for row in rows]),
)


def _gradient(change: Callable[[Rows], Rows]) -> Maker:
    class Gradient(WrongLoader):
        def said(self, request: Message, reply: Message) -> Message:
            if reply["reply"] == "gradients":
                reply["gradient"] = {name: change(rows) for name, rows in reply["gradient"].items()}
            return reply

    return Gradient


class _FirstCurve(WrongLoader):
    def said(self, request: Message, reply: Message) -> Message:
        if reply["reply"] == "gradients":
            first = next(iter(reply["gradient"].values()))
            reply["gradient"] = dict.fromkeys(reply["gradient"], first)
        return reply


def _each(change: Callable[[float], float], names: tuple[str, ...]) -> Callable[[Message], None]:
    def changed(signal: Message) -> None:
        for name in names:
            value = signal[name]
            signal[name] = [change(item) for item in value] if isinstance(value, list) else change(value)

    return changed


def _band(change: Callable[[list[float]], list[float]]) -> Callable[[Message], None]:
    def changed(signal: Message) -> None:
        for name in _BANDS:
            signal[name] = change(signal[name])

    return changed


def _apriori_is_expected(signal: Message) -> None:
    signal["cls_apriori"], signal["upper_limit_apriori"] = (
        signal["cls_expected"],
        signal["upper_limit_expected"],
    )


def _observed_is_expected(signal: Message) -> None:
    signal["cls_observed"], signal["upper_limit_observed"] = (
        signal["cls_expected"][2],
        signal["upper_limit_expected"][2],
    )


_SIGNALS: tuple[tuple[str, str, Callable[[Message], object]], ...] = (
    ("one-minus", "gives 1 - CLs", _each(lambda value: 1.0 - value, _CLS)),
    ("square", "gives p-values of a two-sided test", _each(lambda value: min(1.0, 2.0 * value), _CLS)),
    (
        "factor-two",
        "takes Delta NLL for the test statistic",
        _each(lambda value: value * math.sqrt(2.0), _LIMITS),
    ),
    ("rough", "stops its root finder at 2 %", _each(lambda value: value * 1.02, _LIMITS)),
    ("cls-rough", "interpolates CLs at 2 %", _each(lambda value: value * 1.02 + 2e-3, _CLS)),
    ("bands-upside-down", "gives bands from above to below", _band(lambda band: band[::-1])),
    ("bands-of-the-median", "gives the median for the whole band", _band(lambda band: [band[2]] * 5)),
    ("apriori-is-expected", "takes a-posteriori for a-priori expectations", _apriori_is_expected),
    ("observed-is-expected", "takes the expectation for what was observed", _observed_is_expected),
    ("infinite", "finds no limit", _each(lambda _: math.inf, _LIMITS)),
    ("nan", "gives NaN", _each(lambda _: math.nan, (*_CLS, *_LIMITS))),
)


def _limits(change: Callable[[Message], object]) -> Maker:
    class Limits(WrongLoader):
        def said(self, request: Message, reply: Message) -> Message:
            if reply["reply"] == "limits":
                for signal in reply["signals"]:
                    change(signal)
                    for name, value in signal.items():
                        signal[name] = (
                            [as_number(item) for item in value]
                            if isinstance(value, list)
                            else as_number(value)
                        )
            return reply

    return Limits


class _IgnoresLevel(WrongLoader):
    def heard(self, request: Message) -> Message:
        return {**request, "level": 0.95} if "level" in request else request


class _NeverFlags(WrongLoader):
    def said(self, request: Message, reply: Message) -> Message:
        if reply["reply"] == "limits":
            reply["out_of_domain"] = [False] * len(reply["out_of_domain"])
        return reply


class _FirstSignal(WrongLoader):
    def said(self, request: Message, reply: Message) -> Message:
        if reply["reply"] == "limits":
            reply["signals"] = reply["signals"][:1] * len(reply["signals"])
        return reply


class _Events(WrongLoader):
    def said(self, request: Message, reply: Message) -> Message:
        if reply["reply"] == "limits":
            for signal, said in zip(reply["signals"], request["signals"], strict=True):
                events = sum(said.values())
                signal["upper_limit_observed"] = events * float(signal["upper_limit_observed"])
        return reply
