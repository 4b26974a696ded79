"""The domain: which points are flagged, and how curves go on beyond it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np

from llb_conformance.quadratic import CURVES, QuadraticModel, counting_model, parabola_model
from llb_conformance.suite.bundles import wide_model
from llb_conformance.suite.case import Case, ConformanceClass, Step
from llb_conformance.suite.numbers import Rising
from llb_conformance.suite.requests import as_signals, evaluating, inside, one_bundle, outside, strength

__all__ = ["domain_cases"]


def domain_cases() -> Iterator[Case]:
    """Cases of the flags of DOMAIN-3, and of the continuation."""
    counting, parabola, wide = counting_model(), parabola_model(), wide_model()
    boxed = replace(counting, id="counting-boxed", delta_nll_max=None)
    lower, upper = np.asarray(boxed.lower), np.asarray(boxed.upper)
    middle = 0.3 * upper
    steps = [
        _at(middle, column, edge + shift)
        for column in range(len(upper))
        for edge, sign in ((lower[column], -1.0), (upper[column], 1.0))
        for shift in (0.0, 0.01 * sign, -0.01 * sign)
    ]
    yield _case(
        "box",
        "flags what is beyond an edge of the box, in any column, and nothing else",
        boxed,
        evaluating(boxed, np.array(steps), curves=("observed",)),
    )
    hair = [np.nextafter(upper, np.inf), upper, np.nextafter(lower, -np.inf), lower]
    yield _case(
        "box-edges",
        "takes the edges of the box for inside, and the next double for outside",
        boxed,
        evaluating(
            boxed,
            np.array([_at(middle, column, row[column]) for row in hair for column in range(len(upper))]),
            curves=("observed",),
        ),
    )
    yield _case(
        "box-negative",
        "flags by the lower edge of a box that reaches to negative yields",
        wide,
        evaluating(wide, [_at(np.zeros(40), 7, value) for value in (-2.9, -3.1, 24.9, 25.1)]),
    )
    yield _case(
        "box-mu",
        "flags the point mu * s, not s",
        parabola,
        evaluating(parabola, [[5.0], [2.0], [-1.0]], mu=2.0),
        evaluating(parabola, [[7.0], [13.0], [-5.0]], mu=0.5),
        requirements=("DOMAIN-3", "PROTOCOL-5"),
    )
    yield _case(
        "truncation",
        "flags a point of the box where one curve is above the truncation, whatever curve is asked for",
        counting,
        *(evaluating(counting, _around(counting), curves=(curve,)) for curve in CURVES),
        requirements=("DOMAIN-1", "DOMAIN-3"),
    )
    for model in (counting, parabola, boxed):
        yield _case(
            f"beyond-{model.id}",
            "goes on beyond the domain by a finite, increasing, convex curve, and says so",
            model,
            _rising(model),
            conformance_class="recommended",
        )


def _case(
    name: str,
    what: str,
    model: QuadraticModel,
    *steps: Step,
    requirements: tuple[str, ...] = ("DOMAIN-3",),
    conformance_class: ConformanceClass = "core",
) -> Case:
    return one_bundle(
        f"domain-{name}",
        what,
        model,
        *steps,
        requirements=requirements,
        conformance_class=conformance_class,
    )


def _at(point: np.ndarray, column: int, value: float) -> np.ndarray:
    """The point with another value in one column."""
    moved = point.copy()
    moved[column] = value
    return moved


def _around(model: QuadraticModel) -> np.ndarray:
    """Points of the box on either side of the truncation, 3 % and more of Delta NLL away."""
    limit = model.delta_nll_max or 0.0
    return np.array(
        [
            strength(model, direction, share * limit) * direction
            for direction in inside(model, 6, 60)
            for share in (0.5, 0.97, 1.03, 1.3)
        ]
    )


def _rising(model: QuadraticModel) -> Step:
    """A ray from inside the domain far beyond it, in equal steps."""
    direction = 0.02 * np.asarray(model.upper)
    points = np.arange(40.0, 440.0, 20.0)[:, np.newaxis] * direction
    request = {"cmd": "evaluate", "signals": as_signals(model, points), "curves": list(CURVES)}
    return Step(request, Rising(CURVES, tuple(outside(model, points).tolist())))
