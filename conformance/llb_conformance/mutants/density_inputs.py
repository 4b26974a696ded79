"""Loaders that misread the points, noise or conditions of a density, or get its samples wrong."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from llb.runtime import Density
from llb_conformance.mutants.densities import DensityLoader
from llb_conformance.mutants.mutant import Mutant, Opened, WrongLoader

__all__ = ["density_input_mutants"]

Message = dict[str, Any]
Maker = Callable[[Callable[[str], Opened]], WrongLoader]
Rows = list[list[Any]]
Change = Callable[[Density, Rows], Rows]

_CLASS = "density"
_POINTS = ("points",)
_NOISE = ("noise",)
_BOTH = ("points", "noise")
_CONDITIONS = ("conditions",)


def density_input_mutants() -> Iterator[Mutant]:
    """Faults of what a density is given, and of samples."""
    for name, what, keys, change in _GIVEN:
        yield Mutant(f"density-{name}", what, _given(keys, change), _CLASS)
    for name, what, sampled in _SAMPLES:
        yield Mutant(f"density-{name}", what, _samples(sampled), _CLASS)


def _listed(density: Density, rows: Rows) -> Rows:
    return _permuted([int(item["column"]) for item in density.bundle.raw["parameters"]], rows)


def _listed_conditions(density: Density, rows: Rows) -> Rows:
    return _permuted([int(item["column"]) for item in density.bundle.raw.get("conditions", ())], rows)


def _by_name(density: Density, rows: Rows) -> Rows:
    names = density.parameters
    return _permuted([sorted(names).index(name) for name in names], rows)


def _permuted(places: list[int], rows: Rows) -> Rows:
    return [[row[place] for place in places] if len(row) == len(places) else row for row in rows]


def _clipped(density: Density, rows: Rows) -> Rows:
    domain = density.manifest.domain
    return [
        [
            min(max(value, low), high) if isinstance(value, float) else value
            for value, low, high in zip(row, domain.lower, domain.upper, strict=True)
        ]
        if len(row) == len(domain.lower)
        else row
        for row in rows
    ]


def _each(change: Callable[[float], float]) -> Change:
    return lambda _, rows: [
        [change(value) if isinstance(value, float) else value for value in row] for row in rows
    ]


def _text(text: str, number: float) -> Change:
    return lambda _, rows: [[number if value == text else value for value in row] for row in rows]


def _padded(density: Density, rows: Rows) -> Rows:
    wanted = len(density.parameters)
    return [row + [0.0] * (wanted - len(row)) for row in rows]


def _cut(density: Density, rows: Rows) -> Rows:
    return [row[: len(density.parameters)] for row in rows]


def _of_conditions(change: Callable[[list[Any], int], list[Any]]) -> Change:
    return lambda density, rows: [change(row, len(density.conditions) or len(row)) for row in rows]


def _without_bad(density: Density, rows: Rows) -> Rows:
    good = [row for row in rows if len(row) == len(density.parameters)]
    return good or rows


_GIVEN: tuple[tuple[str, str, tuple[str, ...], Change], ...] = (
    (
        "columns-reversed",
        "takes parameters from the last to the first",
        _POINTS,
        lambda _, r: [x[::-1] for x in r],
    ),
    ("columns-by-name", "takes parameters in the order of their names", _POINTS, _by_name),
    ("columns-as-listed", "takes parameters as the manifest lists them", _POINTS, _listed),
    (
        "swaps-two-columns",
        "takes one parameter for the next",
        _POINTS,
        lambda _, r: [[*x[:1], *x[2:3], *x[1:2], *x[3:]] for x in r],
    ),
    ("clips", "moves points to the edge of the domain", _POINTS, _clipped),
    ("points-in-single-precision", "rounds points", _POINTS, _each(lambda x: float(np.float32(x)))),
    (
        "noise-reversed",
        "takes noise from the last column to the first",
        _NOISE,
        lambda _, r: [x[::-1] for x in r],
    ),
    ("noise-as-listed", "takes noise as the manifest lists parameters", _NOISE, _listed),
    ("noise-sign", "takes noise with the other sign", _NOISE, _each(lambda x: -x)),
    (
        "noise-clipped",
        "clips noise at three standard deviations",
        _NOISE,
        _each(lambda x: min(max(x, -3.0), 3.0)),
    ),
    (
        "noise-uniform",
        "takes noise for quantiles",
        _NOISE,
        _each(lambda x: 0.5 * math.erfc(-x / math.sqrt(2.0))),
    ),
    ("noise-half", "halves noise", _NOISE, _each(lambda x: 0.5 * x)),
    (
        "noise-of-its-own",
        "draws noise by itself",
        _NOISE,
        lambda _, r: np.random.default_rng(1).standard_normal((len(r), len(r[0]))).tolist(),
    ),
    ("ignores-conditions", "takes every condition for 0", _CONDITIONS, _each(lambda _: 0.0)),
    (
        "first-condition-for-all",
        "takes the first row of conditions for all points",
        _CONDITIONS,
        lambda _, r: r[:1],
    ),
    (
        "last-condition-for-all",
        "takes the last row of conditions for all points",
        _CONDITIONS,
        lambda _, r: r[-1:],
    ),
    (
        "conditions-reversed",
        "takes conditions from the last column to the first",
        _CONDITIONS,
        lambda _, r: [x[::-1] for x in r],
    ),
    ("conditions-as-listed", "takes conditions as the manifest lists them", _CONDITIONS, _listed_conditions),
    ("conditions-from-the-end", "takes rows of conditions from the last", _CONDITIONS, lambda _, r: r[::-1]),
    (
        "conditions-clipped",
        "moves conditions to their bounds",
        _CONDITIONS,
        _each(lambda x: min(max(x, -1.0), 1.0)),
    ),
    ("conditions-sign", "takes conditions with the other sign", _CONDITIONS, _each(lambda x: -x)),
    ("nan-is-zero", "takes NaN for 0", _BOTH, _text("NaN", 0.0)),
    ("infinity-is-large", "takes infinity for a large number", _BOTH, _text("Infinity", 1e9)),
    ("minus-infinity-is-low", "takes -infinity for a low number", _BOTH, _text("-Infinity", -1e9)),
    ("short-points-filled", "fills short points with zeros", _BOTH, _padded),
    ("long-points-cut", "leaves out what is too much of a point", _BOTH, _cut),
    ("bad-points-left-out", "leaves out points of another length", _BOTH, _without_bad),
    ("condition-nan-is-zero", "takes a condition that is NaN for 0", _CONDITIONS, _text("NaN", 0.0)),
    (
        "condition-infinity-is-one",
        "takes an infinite condition for its bound",
        _CONDITIONS,
        _text("Infinity", 1.0),
    ),
    (
        "short-conditions-filled",
        "fills short conditions with zeros",
        _CONDITIONS,
        _of_conditions(lambda row, n: row + [0.0] * (n - len(row))),
    ),
    (
        "long-conditions-cut",
        "leaves out what is too much of conditions",
        _CONDITIONS,
        _of_conditions(lambda row, n: row[:n]),
    ),
)


def _given(keys: tuple[str, ...], change: Change) -> Maker:
    class Given(DensityLoader):
        def heard(self, request: Message) -> Message:
            if request["cmd"] in {"log_prob", "sample"}:
                for key in keys:
                    if key in request:
                        request[key] = change(self.density, request[key])
            return request

    return Given


def _base(rows: Rows) -> Rows:
    return [[0.1 * value for value in row] for row in rows]


_SAMPLES: tuple[tuple[str, str, Callable[[Rows], Rows]], ...] = (
    (
        "samples-as-listed",
        "gives the columns of samples from the last on",
        lambda rows: [row[::-1] for row in rows],
    ),
    (
        "samples-one-column-short",
        "leaves the last column of samples out",
        lambda rows: [row[:-1] for row in rows],
    ),
    (
        "samples-in-single-precision",
        "rounds samples",
        lambda rows: [[float(np.float32(x)) for x in row] for row in rows],
    ),
    ("samples-in-other-units", "gives samples in other units", _base),
    ("samples-the-first-row", "gives one sample for all noise", lambda rows: rows[:1] * len(rows)),
    ("samples-not-a-number", "gives NaN for samples", lambda rows: [["NaN"] * len(row) for row in rows]),
)


def _samples(change: Callable[[Rows], Rows]) -> Maker:
    class Sampled(DensityLoader):
        def said(self, request: Message, reply: Message) -> Message:
            if reply["reply"] == "samples":
                reply["samples"] = change(reply["samples"])
            return reply

    return Sampled
