"""Steps of dialogues about analytic bundles, with the exact answers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from llb_conformance.quadratic import CURVES, QuadraticModel
from llb_conformance.suite.bundles import plain
from llb_conformance.suite.case import Bundle, Case, ConformanceClass, Step
from llb_conformance.suite.expectation import Described, Opened, Refused
from llb_conformance.suite.numbers import Values
from llb_conformance.suite.tolerance import DELTA, DELTA_SINGLE
from llb_conformance.suite.wire import as_number

__all__ = [
    "as_signals",
    "describing",
    "evaluating",
    "inside",
    "one_bundle",
    "opening",
    "outside",
    "refusing",
    "strength",
]

Array = NDArray[np.float64]


def one_bundle(
    name: str,
    what: str,
    model: QuadraticModel,
    *steps: Step,
    requirements: tuple[str, ...],
    conformance_class: ConformanceClass = "core",
    bundle: Bundle | None = None,
    format_version: str = "1.0.0",
) -> Case:
    """A case about one good bundle, which is opened first.

    Args:
        name: id of the case.
        what: what the loader does, without its subject.
        model: what the bundle's numbers come from.
        steps: after the opening.
        requirements: clauses of the specification.
        conformance_class: class of the case.
        bundle: the bundle, if it is not simply that of the model.
        format_version: of the bundle.
    """
    opened = plain(model) if bundle is None else bundle
    return Case(
        id=name,
        conformance_class=conformance_class,
        requirements=requirements,
        description=f"The loader {what}.",
        bundles=(opened,),
        steps=(opening(opened, model, format_version), *steps),
    )


def opening(bundle: Bundle, model: QuadraticModel, format_version: str = "1.0.0") -> Step:
    """`open`, answered with the names of the columns."""
    return Step({"cmd": "open", "bundle": bundle.name}, Opened(model.bin_ids, format_version))


def describing(model: QuadraticModel) -> Step:
    """`describe`, answered with what the manifest says."""
    baselines = {curve.name: curve.baseline for curve in model.curves}
    return Step(
        {"cmd": "describe"},
        Described(model.id, "1.0.0", model.bin_ids, baselines, model.lower, model.upper),
    )


def refusing(bundle: Bundle, stage: str = "", code: str = "") -> Step:
    """`open`, answered with a refusal, for any reason or for this one."""
    return Step({"cmd": "open", "bundle": bundle.name}, Refused(stage, code))


def as_signals(model: QuadraticModel, points: ArrayLike) -> list[dict[str, Any]]:
    """Points, shape (N, n_bins), as signals by bin id."""
    return [
        {name: as_number(value) for name, value in zip(model.bin_ids, row, strict=True)}
        for row in np.asarray(points, dtype=np.float64).tolist()
    ]


def evaluating(
    model: QuadraticModel,
    points: ArrayLike,
    *,
    curves: Sequence[str] = CURVES,
    mu: float | None = None,
    signals: Sequence[Mapping[str, Any]] | None = None,
    by_column: bool = False,
    sigma: bool = False,
) -> Step:
    """`evaluate`, answered with exact numbers and flags.

    Args:
        model: of the open bundle.
        points: signals by column, shape (N, n_bins).
        curves: asked for, in this order.
        mu: signal strength; None leaves it out of the request.
        signals: how the points are said, by default with every bin in the order of the columns.
        by_column: whether they are said as `points`.
        sigma: whether the stated error has to be in the answer.
    """
    rows = np.asarray(points, dtype=np.float64)
    scaled = rows if mu is None else mu * rows
    flags = outside(model, scaled)
    request: dict[str, Any] = {"cmd": "evaluate"}
    if by_column:
        request["points"] = [[as_number(value) for value in row] for row in rows.tolist()]
    else:
        request["signals"] = as_signals(model, rows) if signals is None else [dict(item) for item in signals]
    request["curves"] = list(curves)
    if mu is not None:
        request["mu"] = mu
    # What a loader answers beyond the domain is its own affair, as long as it is a number.
    delta = {name: _known(model.curve(name).delta(scaled), flags) for name in curves}
    stated = {name: _known(model.curve(name).sigma(scaled), flags) for name in curves} if sigma else None
    zeros = frozenset(int(row) for row in np.flatnonzero(~scaled.any(axis=1)))
    tolerance = DELTA if model.dtype == "float64" else DELTA_SINGLE
    return Step(request, Values(delta, tuple(flags.tolist()), tolerance, zeros, stated))


def _known(values: Array, flags: NDArray[np.bool_]) -> tuple[float, ...]:
    return tuple(np.where(flags, np.nan, values).tolist())


def outside(model: QuadraticModel, points: Array) -> NDArray[np.bool_]:
    """Which points are outside of the domain (DOMAIN-1).

    Raises:
        ValueError: a point is so near to the truncation that rounding decides.
    """
    beyond = np.any((points < model.lower) | (points > model.upper), axis=1)
    limit = model.delta_nll_max
    if limit is None:
        return beyond
    largest = model.largest(points)
    if np.any(~beyond & (np.abs(largest - limit) < 0.01 * limit)):
        raise ValueError(f"{model.id}: a point is too near to the truncation")
    return beyond | (largest > limit)


def inside(model: QuadraticModel, count: int, seed: int) -> Array:
    """Points well inside of the domain, shape (count, n_bins), none of them in the test vectors."""
    # The vectors draw from generators of small seeds.
    generator = np.random.default_rng(1_000 + seed)
    lower, upper = np.asarray(model.lower), np.asarray(model.upper)
    found: list[Array] = []
    while len(found) < count:
        point = (lower + generator.random(len(lower)) * (upper - lower)) * generator.random()
        if model.delta_nll_max is None or model.largest(point) < 0.9 * model.delta_nll_max:
            found.append(point)
    return np.array(found)


def strength(model: QuadraticModel, direction: Array, delta: float) -> float:
    """How often a direction, shape (n_bins,), fits below a largest Delta NLL; at most a thousand times."""
    low, high = 0.0, 1e3
    for _ in range(200):
        middle = 0.5 * (low + high)
        low, high = (middle, high) if model.largest(middle * direction) < delta else (low, middle)
    return low
