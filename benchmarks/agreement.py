"""Who is right: our minima against pyhf's fits, against further starts, and pyhf's own value at ours."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from peers import PeerAnswer, PeerFit

from llb_trainer.teachers.contract import CurveData, Labels

__all__ = [
    "LOCAL_MINIMUM",
    "Against",
    "OurMinima",
    "against_peers",
    "logpdf_difference",
    "second_look_excess",
]

Floats = NDArray[np.float64]

LOCAL_MINIMUM = 1e-3
"""NLL by which pyhf must lie above us to count as being in another minimum."""


@dataclass(frozen=True)
class OurMinima:
    """Our labels as absolute NLL.

    Attributes:
        labels: the labels.
        curves: the data sets they belong to.
    """

    labels: Labels
    curves: tuple[CurveData, ...]

    def nll(self, curve: str) -> Floats:
        """(n,) NLL of a curve, NaN where the minimum is not proven."""
        baseline = next(item.baseline_nll for item in self.curves if item.name == curve)
        found = next(item for item in self.labels.curves if item.name == curve)
        return np.where(found.converged, baseline + found.delta, np.nan)


@dataclass(frozen=True)
class Against:
    """Our minima compared with the best of some fits by pyhf.

    Attributes:
        compared: signals and curves with a minimum on both sides.
        max_nll_excess: largest NLL by which we lie above; negative where we never do.
        local_minimum_fraction: how often pyhf lies more than `LOCAL_MINIMUM` above us.
        local_minimum_max: largest NLL by which it does, 0 if it never does.
        worst: row, curve, and our NLL minus pyhf's, where we are worst.
    """

    compared: int
    max_nll_excess: float
    local_minimum_fraction: float
    local_minimum_max: float
    worst: tuple[int, str, float]


def against_peers(
    ours: OurMinima, answers: Sequence[PeerAnswer], counts: Callable[[PeerFit], bool] = lambda _: True
) -> Against | None:
    """Compare with the lowest of those fits that count; None where there is nothing to compare."""
    best: dict[tuple[int, str], float] = {}
    for fit in (fit for answer in answers for fit in answer.fits):
        if fit.finished and counts(fit):
            key = (fit.row, fit.curve)
            best[key] = min(fit.nll, best.get(key, np.inf))
    nll = {curve.name: ours.nll(curve.name) for curve in ours.labels.curves}
    excess = {(row, curve): float(nll[curve][row] - theirs) for (row, curve), theirs in best.items()}
    excess = {key: value for key, value in excess.items() if np.isfinite(value)}
    if not excess:
        return None
    worst = max(excess, key=lambda key: excess[key])
    above = -np.asarray(list(excess.values()))
    wrong = above > LOCAL_MINIMUM
    return Against(
        compared=len(excess),
        max_nll_excess=excess[worst],
        local_minimum_fraction=float(np.mean(wrong)),
        local_minimum_max=float(np.max(above[wrong], initial=0.0)),
        worst=(*worst, excess[worst]),
    )


def logpdf_difference(ours: OurMinima, answers: Sequence[PeerAnswer]) -> float | None:
    """Largest |-pyhf.logpdf(our optimum) - our NLL|; None where pyhf was not asked."""
    differences = [
        abs(theirs - float(ours.nll(curve)[answer.row]))
        for answer in answers
        for curve, theirs in answer.nll_at_ours.items()
    ]
    return max(differences, default=None)


def second_look_excess(
    ours: OurMinima, rows: NDArray[np.int64], lowest: dict[str, Floats], quantile: float = 0.999
) -> tuple[float, float] | None:
    """Our NLL minus the lowest of further starts: its quantile and its maximum over signals and curves.

    Args:
        ours: all our labels.
        rows: the signals that were looked at again.
        lowest: (n_rows,) NLL by curve, NaN or inf where no further start ended.
        quantile: which.
    """
    excess = np.concatenate([ours.nll(curve)[rows] - again for curve, again in lowest.items()])
    excess = excess[np.isfinite(excess)]
    return (float(np.quantile(excess, quantile)), float(excess.max())) if len(excess) else None
