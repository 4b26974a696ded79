"""What the graph of a profile likelihood gives at the truth in its bundle, and drawings of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from llb.bundle import Bundle
from llb.evaluation import (
    SignalNumbers,
    agreement_figure,
    benchmark_truth,
    compare_heldout,
    coverage_figure,
    error_figure,
    ray_figure,
    read_benchmarks,
    signal_numbers,
)
from llb.runtime import Limits, ProfileLikelihood, Signals, limits, load, rays

__all__ = ["ProfileNumbers", "profile_numbers"]

_PANELS = 6


@dataclass(frozen=True)
class ProfileNumbers:
    """Numbers and drawings; what the bundle has nothing for is None or empty.

    Attributes:
        truth: the teacher's numbers of the benchmarks.
        limits: the bundle's, in the same order.
        limit_difference: median of |relative difference| of the observed limits.
        error_drawing, coverage_drawing, agreement_drawing, ray_drawing: SVG.
    """

    truth: SignalNumbers | None
    limits: Sequence[Limits]
    limit_difference: float | None
    error_drawing: bytes
    coverage_drawing: bytes | None
    agreement_drawing: bytes | None
    ray_drawing: bytes | None


def profile_numbers(bundle: Bundle) -> ProfileNumbers:
    """Runs the graph and draws.

    Raises:
        FindingError: a table cannot be used, the graph fails, or `LLB-X001`, matplotlib is not installed.
    """
    model = load(bundle)
    comparisons = compare_heldout(model)
    truth, benchmarks = benchmark_truth(bundle), read_benchmarks(bundle)
    answers: Sequence[Limits] = ()
    difference = agreement = drawn = None
    if truth is not None and benchmarks is not None:
        signals = Signals(benchmarks.names, benchmarks.signals)
        answers = limits(model, signals)
        found = signal_numbers(answers)
        agreement = agreement_figure(truth, found, form="svg")
        with np.errstate(divide="ignore", invalid="ignore"):
            ratio = found.upper_limit_observed / truth.upper_limit_observed - 1.0
        known = np.isfinite(ratio)
        difference = float(np.median(np.abs(ratio[known]))) if known.any() else None
        drawn = _rays(model, signals, answers)
    return ProfileNumbers(
        truth,
        answers,
        difference,
        error_figure(comparisons, form="svg"),
        coverage_figure(comparisons, form="svg") if model.has_uncertainty else None,
        agreement,
        drawn,
    )


def _rays(model: ProfileLikelihood, signals: Signals, answers: Sequence[Limits]) -> bytes | None:
    """Signals that the domain holds, evenly from the strongest to the weakest."""
    inside = [
        row for row, item in enumerate(answers) if np.isfinite(item.upper_limit_observed) and item.in_domain
    ]
    ordered = sorted(inside, key=lambda row: (answers[row].upper_limit_observed, row))
    if not ordered:
        return None
    places = np.unique(np.linspace(0, len(ordered) - 1, min(_PANELS, len(ordered))).round().astype(int))
    chosen = [ordered[place] for place in places]
    curves = [item.name for item in model.bundle.manifest.own_curves]
    return ray_figure(
        rays(model, signals.yields[chosen]), [answers[row] for row in chosen], curves, form="svg"
    )
