"""Faults of the claims: what the manifest says of its accuracy is not what its own files give."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray
from onnx import helper

from llb_conformance.corpus.case import Case, case
from llb_conformance.corpus.draft import HELDOUT, Draft, faulty
from llb_conformance.corpus.surgery import behind, graph_fault, with_constants

__all__ = ["claim_cases"]

Floats = NDArray[np.float64]


def claim_cases() -> tuple[Case, ...]:
    """Cases of stage `claims`."""
    metrics, coverage = "/validation/metrics", "/uncertainty/coverage"
    both = "A point belongs to the region `all` and to another one."
    curves = "Every curve shows it."
    return (
        _case(
            "claim-missing", "LLB-C001", metrics, lambda draft: draft.manifest["validation"]["metrics"].pop()
        ),
        _case(
            "coverage-missing",
            "LLB-C001",
            coverage,
            lambda draft: draft.manifest["uncertainty"]["coverage"].pop(),
        ),
        _case("claim-too-good", "LLB-C002", f"{metrics}/0/max", _move_truth, both),
        case(
            "coverage-too-good",
            "claims",
            "LLB-C002",
            f"{coverage}/0/within_68",
            graph_fault(_no_error),
            note=curves,
        ),
        _case("claim-of-more-points", "LLB-C004", f"{metrics}/0", _more_points),
        _case("coverage-of-more-points", "LLB-C004", f"{coverage}/0", _more_covered),
        _case("claim-of-an-alias", "LLB-C005", f"{metrics}/0", _of_an_alias),
        _case("claim-twice", "LLB-C008", f"{metrics}/0", _twice, "Either of the two may be the wrong one."),
        _case("heldout-point-outside-the-box", "LLB-C006", f"{HELDOUT}:201", _outside),
        _case("heldout-point-beyond-the-truncation", "LLB-C006", f"{HELDOUT}:201", _beyond),
    )


def _case(name: str, code: str, pointer: str, fault: Callable[[Draft], Any], note: str = "") -> Case:
    return case(name, "claims", code, pointer, faulty(fault), note=note)


def _move_truth(draft: Draft) -> None:
    """Moves the teacher's value of the first curve at one point by more than the claims allow."""
    row = _take(draft, 0.5, 5.0)
    values = _truth(draft, row)
    values[0] += 1e-3
    _append(draft, row, values)


def _no_error(model: Any) -> None:
    """States no error at all: only points that are exact to the last digit are covered."""
    with_constants(model, nothing=0.0)
    behind(model, "sigma", helper.make_node("Mul", ["inner", "nothing"], ["sigma"]))


def _more_points(draft: Draft) -> None:
    draft.manifest["validation"]["metrics"][0]["count"] += 1


def _more_covered(draft: Draft) -> None:
    draft.manifest["uncertainty"]["coverage"][0]["points"] += 1


def _of_an_alias(draft: Draft) -> None:
    metrics = draft.manifest["validation"]["metrics"]
    metrics.insert(0, {**metrics[0], "curve": "apriori_asimov"})


def _twice(draft: Draft) -> None:
    metrics = draft.manifest["validation"]["metrics"]
    metrics.insert(0, metrics[0])


def _outside(draft: Draft) -> None:
    """Moves a point of the tail out of the box, but not out of the tail."""
    signal = _take(draft, 8.0, 25.0)
    signal[2] = -0.1
    _append(draft, signal, _truth(draft, signal))


def _beyond(draft: Draft) -> None:
    """Moves a point of the tail beyond the truncation, but not out of the box."""
    signal = _take(draft, 20.0, 30.0)
    largest = draft.model.delta_nll_max or 0.0
    while _truth(draft, signal).max() <= largest:
        signal *= 1.01
    _append(draft, signal, _truth(draft, signal))


def _truth(draft: Draft, signal: Floats) -> Floats:
    return np.array([float(curve.delta(signal)) for curve in draft.model.own_curves])


def _take(draft: Draft, low: float, high: float) -> Floats:
    """Takes out of the held-out table the first point that has all its values between two numbers."""
    lines = draft.files[HELDOUT].decode().splitlines()
    bins = len(draft.model.bins)
    for position, line in enumerate(lines[1:], start=1):
        numbers = np.array(line.split(",")[1:], np.float64)
        if np.all((numbers[bins:] > low) & (numbers[bins:] < high)):
            del lines[position]
            draft.replace(HELDOUT, "".join(f"{line}\n" for line in lines).encode())
            return numbers[:bins]
    raise ValueError(f"no held-out point lies between {low} and {high}")


def _append(draft: Draft, signal: Floats, values: Floats) -> None:
    """Puts a point at the end of the held-out table."""
    cells = ("moved", *(repr(number) for number in (*signal.tolist(), *values.tolist())))
    draft.replace(HELDOUT, draft.files[HELDOUT] + f"{','.join(cells)}\n".encode())
