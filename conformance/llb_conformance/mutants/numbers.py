"""Loaders that get a number wrong."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from llb_conformance.mutants.mutant import Mutant, Opened, WrongLoader
from llb_conformance.suite.wire import as_number

__all__ = ["number_mutants"]

Message = dict[str, Any]
Number = Callable[[float], float]


def number_mutants() -> Iterator[Mutant]:
    """Faults of Delta NLL, of its batches and of its curves."""
    for name, what, change in _CHANGES:
        yield Mutant(name, what, lambda opened, change=change: _Changed(opened, change))
    yield Mutant("adds-the-baseline", "gives NLL for Delta NLL", _AddsBaseline)
    yield Mutant(
        "swaps-observed-and-asimov", "takes one curve for another", _swapped("observed", "observed_asimov")
    )
    yield Mutant(
        "swaps-observed-and-apriori", "takes one data set for another", _swapped("observed", "apriori")
    )
    yield Mutant(
        "curves-by-place", "gives the curves in its own order, whatever they are called", _CurvesByPlace
    )
    yield Mutant("alias-is-the-first-curve", "takes an alias for the first column", _AliasIsFirst)
    yield Mutant("first-row-for-all", "gives all signals of a batch the first one's value", _FirstRow)
    yield Mutant("rows-reversed", "answers a batch from its end", _RowsReversed)
    yield Mutant("loses-the-last-row", "leaves the last signal of a batch out", _LosesLast)
    yield Mutant("large-batches-wrap", "repeats the first block in large batches", _Wraps)
    yield Mutant("shifts-by-the-batch", "sets the lowest value of a batch to 0", _ShiftsByBatch)
    yield Mutant("float32-twin", "runs the single-precision twin where there is one", _Twin)
    yield Mutant("sigma-twice", "gives twice the stated error", _scaled_sigma(2.0), "recommended")
    yield Mutant(
        "sigma-squared", "gives the variance for the stated error", _sigma(lambda x: x * x), "recommended"
    )
    yield Mutant("sigma-left-out", "does not give the stated error", _SigmaLeftOut, "recommended")


def _log10(value: float) -> float:
    return value / math.log(10.0)


_CHANGES: tuple[tuple[str, str, Number], ...] = (
    ("factor-two", "gives -2 ln L", lambda x: 2.0 * x),
    ("half", "gives half", lambda x: 0.5 * x),
    ("sign", "gives ln L", lambda x: -x),
    ("log10", "takes the decimal logarithm", _log10),
    ("constant", "gives the same number whatever is asked", lambda _: 0.5),
    ("zero", "gives 0 whatever is asked", lambda _: 0.0),
    ("nan", "gives NaN", lambda _: math.nan),
    ("infinity", "gives infinity", lambda _: math.inf),
    ("absolute", "gives no negative values", abs),
    ("float32-output", "rounds to single precision", lambda x: float(np.float32(x))),
    ("float16-output", "rounds to half precision", lambda x: float(np.float16(x)) if abs(x) < 6e4 else x),
    ("seven-digits", "writes seven digits", lambda x: float(f"{x:.7g}")),
    ("relative-error-of-1e-7", "is wrong by 1e-7", lambda x: x * (1.0 + 1e-7)),
    ("zero-not-exact", "adds 1e-13 everywhere", lambda x: x + 1e-13),
    ("nan-for-zero", "gives NaN where the value is 0", lambda x: x if x else math.nan),
    ("square", "gives the square", lambda x: x * x),
    ("capped", "gives no more than 5", lambda x: min(x, 5.0)),
)


class _Changed(WrongLoader):
    """Changes every value by itself."""

    def __init__(self, opened: Callable[[str], Opened], change: Number) -> None:
        super().__init__(opened)
        self._change = change

    def said(self, request: Message, reply: Message) -> Message:
        if reply["reply"] == "values":
            reply["delta_nll"] = {
                name: [as_number(self._change(float(value))) for value in values]
                for name, values in reply["delta_nll"].items()
            }
        return reply


class _Values(WrongLoader):
    """Changes the table of values by curve."""

    def said(self, request: Message, reply: Message) -> Message:
        if reply["reply"] == "values":
            reply["delta_nll"] = self.values(request, reply["delta_nll"])
        return reply

    def values(self, request: Message, values: dict[str, list[Any]]) -> dict[str, list[Any]]:
        """The wrong values."""
        raise NotImplementedError


class _AddsBaseline(_Values):
    def values(self, request: Message, values: dict[str, list[Any]]) -> dict[str, list[Any]]:
        baselines = {curve.name: curve.baseline_nll for curve in self.model.bundle.manifest.curves}
        return {name: [baselines[name] + value for value in rows] for name, rows in values.items()}


def _swapped(one: str, other: str) -> Callable[[Callable[[str], Opened]], WrongLoader]:
    names = {one: other, other: one}

    class Swapped(WrongLoader):
        def heard(self, request: Message) -> Message:
            if "curves" in request:
                request["curves"] = [names.get(name, name) for name in request["curves"]]
            return request

        def said(self, request: Message, reply: Message) -> Message:
            for key in ("delta_nll", "sigma", "gradient"):
                if key in reply:
                    reply[key] = {names.get(name, name): rows for name, rows in reply[key].items()}
            return reply

    return Swapped


class _CurvesByPlace(WrongLoader):
    def said(self, request: Message, reply: Message) -> Message:
        if reply["reply"] == "values":
            known = [name for name in self.model.curve_names if name in reply["delta_nll"]]
            rows = [reply["delta_nll"][name] for name in known]
            reply["delta_nll"] = dict(zip(request["curves"], rows, strict=True))
        return reply


class _AliasIsFirst(WrongLoader):
    def heard(self, request: Message) -> Message:
        if request["cmd"] == "evaluate":
            request["curves"] = list(dict.fromkeys([*request["curves"], "observed"]))
        return request

    def said(self, request: Message, reply: Message) -> Message:
        if reply["reply"] == "values":
            values = reply["delta_nll"]
            if "apriori_asimov" in values:
                values["apriori_asimov"] = values["observed"]
            reply["delta_nll"] = {name: values[name] for name in request["curves"]}
            if "sigma" in reply:
                reply["sigma"] = {name: reply["sigma"][name] for name in request["curves"]}
        return reply


class _FirstRow(_Values):
    def values(self, request: Message, values: dict[str, list[Any]]) -> dict[str, list[Any]]:
        return {name: rows[:1] * len(rows) for name, rows in values.items()}


class _RowsReversed(_Values):
    def values(self, request: Message, values: dict[str, list[Any]]) -> dict[str, list[Any]]:
        return {name: rows[::-1] for name, rows in values.items()}


class _LosesLast(WrongLoader):
    def said(self, request: Message, reply: Message) -> Message:
        if reply["reply"] == "values" and len(reply["out_of_domain"]) > 1:
            reply["delta_nll"] = {name: rows[:-1] for name, rows in reply["delta_nll"].items()}
            reply["out_of_domain"] = reply["out_of_domain"][:-1]
        return reply


class _Wraps(_Values):
    def values(self, request: Message, values: dict[str, list[Any]]) -> dict[str, list[Any]]:
        return {name: [*rows[:512], *rows[: max(0, len(rows) - 512)]] for name, rows in values.items()}


class _ShiftsByBatch(_Values):
    def values(self, request: Message, values: dict[str, list[Any]]) -> dict[str, list[Any]]:
        return {name: [value - min(rows) for value in rows] for name, rows in values.items()}


class _Twin(_Values):
    def values(self, request: Message, values: dict[str, list[Any]]) -> dict[str, list[Any]]:
        if len(self.model.bundle.manifest.graphs) == 1:
            return values
        return {name: [float(np.float32(value)) for value in rows] for name, rows in values.items()}


def _sigma(change: Number) -> Callable[[Callable[[str], Opened]], WrongLoader]:
    class Sigma(WrongLoader):
        def said(self, request: Message, reply: Message) -> Message:
            if "sigma" in reply:
                reply["sigma"] = {
                    name: [change(value) for value in rows] for name, rows in reply["sigma"].items()
                }
            return reply

    return Sigma


def _scaled_sigma(factor: float) -> Callable[[Callable[[str], Opened]], WrongLoader]:
    return _sigma(lambda value: factor * value)


class _SigmaLeftOut(WrongLoader):
    def said(self, request: Message, reply: Message) -> Message:
        reply.pop("sigma", None)
        return reply
