"""Active: more signals where those who learned from the first ones disagree.

Signals are picked one after the other, with probabilities proportional to their disagreement times the
squared distance to the nearest one picked before: weighted D² sampling (Arthur and Vassilvitskii, SODA 2007),
as batch active learning uses it (Ash et al., arXiv:1906.03671). So the picks go where something is to be
learned, and not all to the same place.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from llb_schema import FindingError, finding
from llb_trainer.sampling.background import Background
from llb_trainer.sampling.randomness import Stream, generator
from llb_trainer.sampling.settings import ActiveSettings, Sampling
from llb_trainer.sampling.strategies import sample_signals

__all__ = ["Disagreement", "active_signals", "pick_diverse"]

Floats = NDArray[np.float64]
Disagreement = Callable[[Floats], Floats]
"""(n, n_bins) signals to (n,) finite numbers, not negative: how far an ensemble's members are apart there."""


def active_signals(
    background: Background,
    published: Floats,
    n: int,
    sampling: Sampling,
    disagreement: Disagreement,
    *,
    first: int = 0,
) -> Floats:
    """Draw candidates by `sampling` and pick those on which the ensemble disagrees, far from each other.

    The picks are one computation over all candidates. The first n of 2 n picks are the n picks, given the
    same candidates and disagreement; a part cannot be drawn on its own.

    Args:
        background: of the analysis.
        published: (n_published, n_bins) yields of published signals, possibly none.
        n: how many.
        sampling: how candidates are drawn, how many, and the settings of the choice.
        disagreement: asked once, about all candidates.
        first: number of the first candidate in the sequence of `sampling`: pass how many signals of
            it are labelled already, and none comes twice.

    Returns:
        (n, n_bins) signal yields in events, in the order in which they were picked.

    Raises:
        FindingError: LLB-T030 and LLB-T031 as for `sample_signals`; LLB-T031 also for fewer candidates than
            `n`; LLB-T032 the disagreement is not one finite number, not negative, per candidate.
    """
    settings = sampling.active
    if n > settings.candidates:
        message = f"{n} signals cannot be picked from active.candidates = {settings.candidates} candidates"
        raise FindingError(
            finding("LLB-T031", message, expected=f"at least {n}", actual=str(settings.candidates))
        )
    candidates = sample_signals(background, published, settings.candidates, sampling, first=first)
    weight = np.asarray(disagreement(candidates), dtype=np.float64)
    if weight.shape != (len(candidates),) or not np.all(np.isfinite(weight) & (weight >= 0)):
        message = "the disagreement is not one finite number, not negative, for each candidate"
        raise FindingError(finding("LLB-T032", message, actual=f"shape {weight.shape}"))
    return candidates[pick_diverse(_flat(background, candidates), weight, n, settings, sampling.seed)]


def pick_diverse(
    points: Floats, weight: Floats, n: int, settings: ActiveSettings, seed: int
) -> NDArray[np.int64]:
    """Pick n of the points, one after the other, by weight and by distance to the picks before.

    Args:
        points: (n_points, n_dimensions), in units in which distances mean something.
        weight: (n_points,) not negative.
        n: how many; no point is picked twice.
        settings: exponents of weight and distance.
        seed: of the picks.

    Returns:
        (n,) row numbers in the order of the picks.
    """
    draws = generator(seed, Stream.PICK).random(n)
    merit = _scaled(weight) ** settings.sharpness
    squared = np.full(len(points), np.inf)
    free = np.ones(len(points), dtype=bool)
    picks = np.empty(n, dtype=np.int64)
    for number in range(n):
        distance = _scaled(squared) ** (0.5 * settings.diversity) if number else np.ones(len(points))
        picks[number] = chosen = _draw(draws[number], [merit * distance, distance, merit], free)
        free[chosen] = False
        squared = np.minimum(squared, np.sum((points - points[chosen]) ** 2, axis=1))
    return picks


def _draw(number: float, chances: list[Floats], free: NDArray[np.bool_]) -> int:
    """The free row on which an even number from 0 to 1 falls, by the first chances that are not all zero."""
    totals = (np.cumsum(np.where(free, chance, 0.0)) for chance in (*chances, np.ones(len(free))))
    total = next(total for total in totals if total[-1] > 0)
    # Rounding may bring the product up to the total, beyond the last row with a chance.
    below = min(number * total[-1], np.nextafter(total[-1], 0.0))
    return int(np.searchsorted(total, below, side="right"))


def _scaled(values: Floats) -> Floats:
    """At most 1, so that no power overflows."""
    return values / max(float(values.max()), 1e-300)


def _flat(background: Background, signals: Floats) -> Floats:
    """Signals in coordinates in which a distance of 1 is one standard deviation everywhere (Anscombe)."""
    return 2 * np.sqrt(signals + background.events + 0.375)
