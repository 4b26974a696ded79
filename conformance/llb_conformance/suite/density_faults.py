"""Requests about densities that have to be refused, and what a loader remembers of densities."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from llb_conformance.gaussian import GaussianModel, conditional_model, mixed_model, regression_model
from llb_conformance.quadratic import counting_model
from llb_conformance.suite.bundles import plain
from llb_conformance.suite.case import Bundle, Case, Step
from llb_conformance.suite.density_numbers import Unsupported
from llb_conformance.suite.density_requests import (
    as_rows,
    asking,
    density_bundle,
    density_case,
    density_points,
    describing_density,
    noise_rows,
    opening_density,
    refused_request,
    sampling,
)
from llb_conformance.suite.expectation import Closed, Errored
from llb_conformance.suite.requests import as_signals, evaluating, inside, opening

__all__ = ["density_faults"]

Array = NDArray[np.float64]
Rows = list[list[Any]]

_NOT_FINITE, _LENGTH, _CONDITIONS = "LLB-Y103", "LLB-Y104", "LLB-Y105"


def density_faults() -> Iterator[Case]:
    """Cases of class `density` in which something is refused, unsupported, or forgotten."""
    yield from _bad_points(mixed_model())
    yield from _bad_conditions(conditional_model())
    yield from _states()


def _bad_points(model: GaussianModel) -> Iterator[Case]:
    """Faults of points and of noise; the bundle stays open, and the whole request is refused."""
    points, noise = density_points(model, 3, 40), noise_rows(model, 3, 41)
    good = (asking(model, points), sampling(model, noise))
    for text, name in (("NaN", "nan"), ("Infinity", "infinity"), ("-Infinity", "minus-infinity")):
        yield _refusals(
            f"refuses-{name}",
            f"refuses points and noise with {text}",
            model,
            _NOT_FINITE,
            *_both(_with(points, text), _with(noise, text)),
            good=good,
        )
    for name, what, change in (
        ("too-short", "a column too few", lambda row: row[:-1]),
        ("too-long", "a column too many", lambda row: [*row, 0.5]),
    ):
        bad_points, bad_noise = as_rows(points), as_rows(noise)
        yield _refusals(
            f"refuses-{name}",
            f"refuses points and noise with {what}",
            model,
            _LENGTH,
            *_both([change(row) for row in bad_points], [change(row) for row in bad_noise]),
            *_both([*bad_points[:2], change(bad_points[2])], [change(bad_noise[0]), *bad_noise[1:]]),
            *_both([change(bad_points[0])], [change(bad_noise[0])]),
            good=good,
        )
    yield _refusals(
        "refuses-conditions",
        "refuses conditions of a density that has none",
        model,
        _CONDITIONS,
        {"cmd": "log_prob", "points": as_rows(points), "conditions": [[0.5, 0.5]]},
        {"cmd": "sample", "noise": as_rows(noise), "conditions": [[0.5]] * 3},
        good=good,
        requirement="DENSITY-7",
    )


def _bad_conditions(model: GaussianModel) -> Iterator[Case]:
    conditions = np.array([[0.5, -0.25], [-0.75, 0.125], [0.0, 0.875]])
    points, noise = density_points(model, 3, 50, conditions), noise_rows(model, 3, 51)
    good = (asking(model, points, conditions), sampling(model, noise, conditions))
    said = as_rows(conditions)
    faults: tuple[tuple[str, str, str, Rows | None], ...] = (
        ("missing", "without its conditions", _CONDITIONS, None),
        ("two-for-three", "with two rows of conditions for three points", _CONDITIONS, said[:2]),
        ("four-for-three", "with four rows of conditions for three points", _CONDITIONS, [*said, said[0]]),
        ("too-short", "with a condition too few", _LENGTH, [row[:1] for row in said]),
        ("too-long", "with a condition too many", _LENGTH, [[*row, 0.5] for row in said]),
        ("nan", "with a condition that is NaN", _NOT_FINITE, _with(conditions, "NaN")),
        ("infinity", "with an infinite condition", _NOT_FINITE, _with(conditions, "Infinity")),
    )
    for name, what, code, rows in faults:
        more = {} if rows is None else {"conditions": rows}
        yield _refusals(
            f"conditional-refuses-{name}",
            f"refuses points and noise {what}",
            model,
            code,
            *({**request, **more} for request in _both(as_rows(points), as_rows(noise))),
            good=good,
            requirement="DENSITY-7",
        )


def _states() -> Iterator[Case]:
    """PROTOCOL-4 and PROTOCOL-7: what is open, and of which family."""
    first, second = mixed_model(), regression_model()
    other = replace(first, id="mixed-density-moved", mean=first.mean + np.array([0.3, -0.2, 0.4, 0.1]))
    likelihood = counting_model()
    one, two, third, curves = (*map(density_bundle, (first, second, other)), plain(likelihood))
    points, noise = density_points(first, 4, 70), noise_rows(first, 4, 71)
    signals = as_signals(likelihood, inside(likelihood, 2, 72))
    asked = {"cmd": "log_prob", "points": as_rows(points)}
    drawn = {"cmd": "sample", "noise": as_rows(noise)}
    yield _state(
        "two-bundles",
        "answers from the density that was opened last",
        (one, two, third),
        opening_density(one, first),
        asking(first, points),
        sampling(first, noise),
        opening_density(two, second),
        asking(second, points),
        opening_density(third, other),
        asking(other, points[:2]),
        sampling(other, noise[:2]),
        describing_density(other),
        opening_density(one, first),
        asking(first, points),
    )
    yield _state(
        "repeated",
        "gives the same answer to the same question, whatever was asked in between",
        (one,),
        opening_density(one, first),
        asking(first, points),
        sampling(first, noise),
        asking(first, points[::-1]),
        sampling(first, noise[::-1]),
        asking(first, points),
        sampling(first, noise),
    )
    yield _state(
        "closed",
        "has nothing open after `close`",
        (one,),
        opening_density(one, first),
        Step({"cmd": "close"}, Closed()),
        Step(asked, Errored()),
        Step(drawn, Errored()),
        Step({"cmd": "describe"}, Errored()),
        opening_density(one, first),
        asking(first, points),
    )
    yield _state(
        "of-the-other-family",
        "answers `unsupported` to questions that the open bundle's family does not have",
        (one, curves),
        opening_density(one, first),
        Step({"cmd": "evaluate", "points": as_rows(points), "curves": ["observed"]}, Unsupported()),
        Step({"cmd": "evaluate", "signals": signals, "curves": ["observed"]}, Unsupported()),
        Step({"cmd": "gradient", "points": as_rows(points), "curves": ["observed"]}, Unsupported()),
        Step({"cmd": "limits", "points": as_rows(points), "level": 0.95}, Unsupported()),
        asking(first, points),
        opening(curves, likelihood),
        Step(asked, Unsupported()),
        Step(drawn, Unsupported()),
        evaluating(likelihood, inside(likelihood, 2, 72)),
        requirement="PROTOCOL-7",
    )


def _both(points: Rows, noise: Rows) -> tuple[dict[str, Any], dict[str, Any]]:
    return {"cmd": "log_prob", "points": points}, {"cmd": "sample", "noise": noise}


def _with(rows: Array, text: str) -> Rows:
    """Rows of which the second has this in its second column."""
    said: Rows = [list(row) for row in as_rows(rows)]
    said[1][1] = text
    return said


def _refusals(
    name: str,
    what: str,
    model: GaussianModel,
    code: str,
    *requests: dict[str, Any],
    good: tuple[Step, ...],
    requirement: str = "PROTOCOL-7",
) -> Case:
    """Requests that are refused, and good ones after them: the bundle stays open."""
    return density_case(
        name,
        f"{what}, with {code}, and answers the next question",
        model,
        *(refused_request(code, request) for request in requests),
        *good,
        requirements=tuple(dict.fromkeys((requirement, "PROTOCOL-7", "DENSITY-6"))),
    )


def _state(
    name: str, what: str, bundles: tuple[Bundle, ...], *steps: Step, requirement: str = "PROTOCOL-4"
) -> Case:
    return Case(
        id=f"density-{name}",
        conformance_class="density",
        requirements=(requirement,),
        description=f"The loader {what}.",
        bundles=bundles,
        steps=steps,
    )
