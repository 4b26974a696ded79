"""Loaders that get a density wrong: its number, its bounds, its flags, or its batches."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from llb.runtime import Density
from llb_conformance.mutants.mutant import Mutant, Opened, WrongLoader
from llb_conformance.suite.wire import as_number

__all__ = ["DensityLoader", "density_mutants"]

Array = NDArray[np.float64]
Message = dict[str, Any]
Maker = Callable[[Callable[[str], Opened]], WrongLoader]
Number = Callable[[float], float]

_CLASS = "density"
_BLOCK = 512


class DensityLoader(WrongLoader):
    """A wrong loader that is right about everything but densities."""

    @property
    def density(self) -> Density:
        """The density that is open."""
        return self._loader.density


def density_mutants() -> Iterator[Mutant]:
    """Faults of `log_prob`."""
    for name, what, number in _NUMBERS:
        yield Mutant(f"density-{name}", what, _changed(number), _CLASS)
    for name, what, offset in _OFFSETS:
        yield Mutant(f"density-{name}", what, _offset(offset), _CLASS)
    for name, what, beyond in _BEYOND:
        yield Mutant(f"density-{name}", what, _beyond(beyond), _CLASS)
    for name, what, flags in _FLAGS:
        yield Mutant(f"density-{name}", what, _flags(flags), _CLASS)
    for name, what, batch in _BATCHES:
        yield Mutant(f"density-{name}", what, _batch(batch), _CLASS)


def _log10(value: float) -> float:
    return value / math.log(10.0)


def _exp(value: float) -> float:
    return math.exp(min(value, 700.0))


_NUMBERS: tuple[tuple[str, str, Number], ...] = (
    ("factor-two", "gives 2 ln p", lambda x: 2.0 * x),
    ("half", "gives half of ln p", lambda x: 0.5 * x),
    ("sign", "gives -ln p", lambda x: -x),
    ("log10", "takes the decimal logarithm", _log10),
    ("not-its-logarithm", "gives the density itself", _exp),
    ("constant", "gives the same number whatever is asked", lambda _: -3.5),
    ("nan", "gives NaN", lambda _: math.nan),
    ("plus-infinity", "gives infinity", lambda _: math.inf),
    ("clips-low-values", "gives no less than -20", lambda x: max(x, -20.0)),
    ("forgets-a-constant", "leaves ln 2 pi out", lambda x: x + 2.0 * math.log(2.0 * math.pi)),
    ("in-other-units", "gives the density of a parameter in other units", lambda x: x + math.log(1000.0)),
    ("float32-output", "rounds to single precision", lambda x: float(np.float32(x))),
    ("seven-digits", "writes seven digits", lambda x: float(f"{x:.7g}")),
)


def _changed(change: Number) -> Maker:
    """What is wrong with finite numbers leaves the others alone."""

    class Changed(DensityLoader):
        def said(self, request: Message, reply: Message) -> Message:
            if reply["reply"] == "log_probs":
                reply["log_prob"] = [
                    value if isinstance(value, str) else as_number(change(value))
                    for value in reply["log_prob"]
                ]
            return reply

    return Changed


def _single(value: float, offset: float) -> float:
    return float(np.float32(value - offset) + np.float32(offset))


_OFFSETS: tuple[tuple[str, str, Callable[[float, float], float]], ...] = (
    ("without-offset", "leaves the offset of a likelihood out", lambda value, offset: value - offset),
    ("offset-twice", "adds the offset of a likelihood twice", lambda value, offset: value + offset),
    (
        "offset-subtracted",
        "subtracts the offset of a likelihood",
        lambda value, offset: value - 2.0 * offset,
    ),
    ("offset-in-single-precision", "adds the offset in single precision", _single),
    (
        "posterior-for-likelihood",
        "gives the normalised density for a likelihood",
        # The logarithm of its integral, which no loader needs to know.
        lambda value, offset: value - (offset + 6.18),
    ),
)


def _offset(change: Callable[[float, float], float]) -> Maker:
    class Offset(DensityLoader):
        def said(self, request: Message, reply: Message) -> Message:
            if reply["reply"] == "log_probs" and (offset := self.density.manifest.density.offset):
                reply["log_prob"] = [
                    value if isinstance(value, str) else change(value, offset) for value in reply["log_prob"]
                ]
            return reply

    return Offset


def _within(other: float) -> Callable[[Array, NDArray[np.bool_]], Array]:
    return lambda values, _: np.where(values > -np.inf, values, other)


_BEYOND: tuple[tuple[str, str, Callable[[Array, NDArray[np.bool_]], Array]], ...] = (
    ("ignores-bounds", "gives a low number outside of the bounds", _within(-750.0)),
    ("zero-beyond-the-bounds", "gives 0 outside of the bounds", _within(0.0)),
    ("nan-beyond-the-bounds", "gives NaN outside of the bounds", _within(math.nan)),
    ("infinity-beyond-the-bounds", "gives plus infinity outside of the bounds", _within(math.inf)),
    ("lowest-beyond-the-bounds", "gives the lowest double outside of the bounds", _within(-1.7e308)),
    (
        "all-beyond-the-bounds",
        "gives -infinity to all points if one is outside of the bounds",
        lambda values, _: np.full(values.shape, values.min()) if values.min() == -np.inf else values,
    ),
    (
        "domain-for-bounds",
        "gives -infinity outside of the domain",
        lambda values, flags: np.where(flags, -np.inf, values),
    ),
)


def _beyond(change: Callable[[Array, NDArray[np.bool_]], Array]) -> Maker:
    class Beyond(DensityLoader):
        def said(self, request: Message, reply: Message) -> Message:
            if reply["reply"] == "log_probs":
                values = np.array([float(value) for value in reply["log_prob"]])
                found = change(values, np.array(reply["out_of_domain"]))
                reply["log_prob"] = [as_number(value) for value in found.tolist()]
            return reply

    return Beyond


Flags = Callable[[Density, Array, list[bool]], list[bool]]


def _box(density: Density, points: Array, margin: float) -> list[bool]:
    lower, upper = (
        np.asarray(edge) for edge in (density.manifest.domain.lower, density.manifest.domain.upper)
    )
    wide = margin * (upper - lower)
    beyond = (points < lower - wide) | (points > upper + wide)
    return np.any(beyond, axis=1).tolist()


def _strict_box(density: Density, points: Array) -> list[bool]:
    domain = density.manifest.domain
    return np.any((points <= domain.lower) | (points >= domain.upper), axis=1).tolist()


_FLAGS: tuple[tuple[str, str, Flags], ...] = (
    ("never-flags", "flags no point of a density", lambda _d, _p, flags: [False] * len(flags)),
    ("always-flags", "flags every point of a density", lambda _d, _p, flags: [True] * len(flags)),
    ("flags-upside-down", "says which points are inside", lambda _d, _p, flags: [not flag for flag in flags]),
    ("flags-once", "flags all points if one is outside", lambda _d, _p, flags: [any(flags)] * len(flags)),
    ("flags-by-bounds", "flags by the bounds alone", lambda d, p, _: [not item for item in d.in_bounds(p)]),
    ("flags-without-conditions", "does not flag conditions", lambda d, p, _: _box(d, p, 0.0)),
    (
        "flags-with-a-margin",
        "takes a billionth beyond the box of a density for inside",
        lambda d, p, flags: flags if d.conditions else _box(d, p, 1e-9),
    ),
    (
        "edges-are-outside",
        "takes the edges of the box of a density for outside",
        lambda d, p, flags: flags if d.conditions else _strict_box(d, p),
    ),
    (
        "flags-the-first-column",
        "looks at the first parameter only",
        lambda d, p, _: (
            (p[:, 0] < d.manifest.domain.lower[0]) | (p[:, 0] > d.manifest.domain.upper[0])
        ).tolist(),
    ),
)


def _flags(change: Flags) -> Maker:
    class Flagging(DensityLoader):
        def said(self, request: Message, reply: Message) -> Message:
            if reply["reply"] == "log_probs":
                points = np.asarray(request["points"], dtype=np.float64)
                reply["out_of_domain"] = change(self.density, points, reply["out_of_domain"])
            return reply

    return Flagging


_BATCHES: tuple[tuple[str, str, Callable[[list[Any]], list[Any]]], ...] = (
    ("first-row-for-all", "gives all points the first one's value", lambda rows: rows[:1] * len(rows)),
    ("rows-reversed", "answers a batch from its end", lambda rows: rows[::-1]),
    ("loses-the-last-row", "leaves the last point of a batch out", lambda rows: rows[:-1] or rows),
    (
        "large-batches-wrap",
        "repeats the first block in large batches",
        lambda rows: [rows[number % _BLOCK] for number in range(len(rows))],
    ),
    ("rows-sorted", "sorts what it answers", lambda rows: sorted(rows, key=str)),
)


def _batch(change: Callable[[list[Any]], list[Any]]) -> Maker:
    class Batch(DensityLoader):
        def said(self, request: Message, reply: Message) -> Message:
            for key in ("log_prob", "samples"):
                if reply["reply"] in {"log_probs", "samples"} and key in reply:
                    reply[key] = change(reply[key])
            return reply

    return Batch
