"""Signals by bin id: names, not places (INPUT-2), and what becomes of wrong ones (PROTOCOL-5)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from llb_conformance.quadratic import QuadraticModel, counting_model
from llb_conformance.suite.case import Case, ConformanceClass, Step
from llb_conformance.suite.expectation import Refused
from llb_conformance.suite.requests import as_signals, evaluating, inside, one_bundle

__all__ = ["signal_cases"]

_INPUT = "input"


def signal_cases() -> Iterator[Case]:
    """Cases of the names and numbers in a signal."""
    model = counting_model()
    points = inside(model, 4, 50)
    said = as_signals(model, points)
    control = model.bin_ids.index("CR[0]")
    bare = model.bin_ids.index("SRlow[0]")
    without = points.copy()
    without[:, control] = 0.0
    yield _case(
        model,
        "order",
        "takes yields by their names, whatever order they come in",
        evaluating(model, points, signals=[dict(reversed(item.items())) for item in said]),
        evaluating(
            model,
            points,
            signals=[_from(item, start) for start, item in enumerate(said)],
        ),
    )
    yield _case(
        model,
        "optional-bin",
        "takes an optional bin that is left out as 0",
        evaluating(model, without, signals=[_without(item, "CR[0]") for item in said]),
        evaluating(model, np.zeros((1, 4)), signals=[dict.fromkeys(_without(said[0], "CR[0]"), 0.0)]),
    )
    mixed = np.concatenate([points[:1], without[1:2], points[2:3]])
    yield _case(
        model,
        "optional-bin-in-some",
        "takes an optional bin of some signals of a request only",
        evaluating(model, mixed, signals=[said[0], _without(said[1], "CR[0]"), said[2]]),
    )
    yield _case(
        model,
        "bare-channel",
        "takes the bare name of a channel of one bin for its bin",
        evaluating(model, points, signals=[_renamed(item, model.bin_ids[bare], "SRlow") for item in said]),
        requirement="INPUT-1",
        conformance_class="recommended",
    )
    yield _case(
        model,
        "bare-channel-of-two-bins",
        "does not take the bare name of a channel of two bins",
        _refused([_renamed(said[0], "SRhigh[0]", "SRhigh")], "LLB-Y001"),
        requirement="INPUT-1",
        conformance_class="recommended",
    )
    yield from _wrong(model, said)
    yield _case(
        model,
        "points-too-short",
        "refuses an array of another length",
        Step(
            {"cmd": "evaluate", "points": [[1.0, 2.0, 3.0]], "curves": ["observed"]},
            Refused(_INPUT, "LLB-Y005"),
        ),
        evaluating(model, points, by_column=True),
        requirement="INPUT-3",
        conformance_class="recommended",
    )


def _wrong(model: QuadraticModel, said: Sequence[Mapping[str, Any]]) -> Iterator[Case]:
    """Signals with one fault; the bundle stays open, and the next signal is answered."""
    good = evaluating(model, inside(model, 3, 51))
    faults = (
        ("unknown-bin", "an unknown bin", {**said[0], "SRhigh[2]": 1.0}, "LLB-Y001"),
        (
            "unknown-bin-of-zero",
            "an unknown bin, though its yield is 0",
            {**said[0], "VR[0]": 0.0},
            "LLB-Y001",
        ),
        (
            "bin-in-another-case",
            "a bin in other letters",
            _renamed(said[0], "SRlow[0]", "srlow[0]"),
            "LLB-Y001",
        ),
        (
            "missing-bin",
            "a signal without a bin that is not optional",
            _without(said[0], "SRhigh[1]"),
            "LLB-Y002",
        ),
        ("no-bins", "a signal without bins", {}, "LLB-Y002"),
        ("nan", "a yield that is NaN", {**said[0], "SRlow[0]": "NaN"}, "LLB-Y004"),
        ("infinity", "a yield that is infinite", {**said[0], "SRhigh[0]": "Infinity"}, "LLB-Y004"),
        ("minus-infinity", "a yield that is minus infinity", {**said[0], "CR[0]": "-Infinity"}, "LLB-Y004"),
    )
    for name, what, signal, code in faults:
        yield _case(model, name, f"refuses {what}, and goes on", _refused([signal], code), good)
    batch = [said[0], _without(said[1], "SRlow[0]"), said[2]]
    yield _case(
        model,
        "one-of-three",
        "refuses a request as a whole if one of its signals has a fault",
        _refused(batch, "LLB-Y002"),
        good,
        requirement="PROTOCOL-5",
    )


def _case(
    model: QuadraticModel,
    name: str,
    what: str,
    *steps: Step,
    requirement: str = "INPUT-2",
    conformance_class: ConformanceClass = "core",
) -> Case:
    return one_bundle(
        f"signal-{name}",
        what,
        model,
        *steps,
        requirements=(requirement,),
        conformance_class=conformance_class,
    )


def _refused(signals: Sequence[Mapping[str, Any]], code: str) -> Step:
    request = {"cmd": "evaluate", "signals": [dict(item) for item in signals], "curves": ["observed"]}
    return Step(request, Refused(_INPUT, code))


def _without(signal: Mapping[str, Any], name: str) -> dict[str, Any]:
    return {key: value for key, value in signal.items() if key != name}


def _renamed(signal: Mapping[str, Any], old: str, new: str) -> dict[str, Any]:
    return {new if key == old else key: value for key, value in signal.items()}


def _from(signal: Mapping[str, Any], start: int) -> dict[str, Any]:
    """The signal with its bins said from another one on."""
    items = list(signal.items())
    return dict(items[start:] + items[:start])
