"""What the graphs of a density give at the truth in its bundle, and drawings of it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from llb.bundle import DensityBundle
from llb.evaluation import (
    DensityHeldOut,
    corner_figure,
    density_errors,
    distance_figure,
    log_prob_figure,
    marginals_figure,
    read_density_heldout,
    telling_columns,
)
from llb.runtime import Density, load_density

__all__ = ["DensityNumbers", "density_numbers"]

Floats = NDArray[np.float64]

_MARGINALS = 8
_CORNER = 4
_MAX_DRAWS = 20_000
_SEED = 0


@dataclass(frozen=True)
class DensityNumbers:
    """Drawings; None where the bundle has nothing for one.

    Attributes:
        draws: how many samples were drawn.
        shown: names of the parameters in the marginals; the first of them are in the corner.
        error_drawing, distance_drawing, marginals_drawing, corner_drawing: SVG.
    """

    draws: int
    shown: tuple[str, ...]
    error_drawing: bytes | None
    distance_drawing: bytes | None
    marginals_drawing: bytes | None
    corner_drawing: bytes | None


def density_numbers(bundle: DensityBundle) -> DensityNumbers:
    """Runs the graphs and draws.

    Raises:
        FindingError: the table cannot be used, a graph fails, or `LLB-X001`, matplotlib is not installed.
    """
    density, heldout = load_density(bundle), read_density_heldout(bundle)
    errors, metrics = density_errors(density, heldout), bundle.manifest.validation.sample_metrics
    interest = [item.column for item in bundle.manifest.parameters if item.role == "poi"]
    columns = list(telling_columns(heldout.points, interest, _MARGINALS))
    shown = tuple(density.parameters[column] for column in columns)
    marginals = corner = None
    draws = 0
    if density.can_sample:
        truth, drawn = _samples(density, heldout)
        draws = len(drawn)
        marginals = marginals_figure(shown, truth[:, columns], drawn[:, columns], form="svg")
        if len(columns) > 1:
            few = columns[:_CORNER]
            corner = corner_figure(shown[:_CORNER], truth[:, few], drawn[:, few], form="svg")
    return DensityNumbers(
        draws,
        shown,
        None
        if errors is None or heldout.log_prob is None
        else log_prob_figure(heldout.log_prob, errors, form="svg"),
        distance_figure(metrics, form="svg") if metrics else None,
        marginals,
        corner,
    )


def _samples(density: Density, heldout: DensityHeldOut) -> tuple[Floats, Floats]:
    """Held-out points and as many samples, each under the conditions of its point."""
    count = min(len(heldout.points), _MAX_DRAWS)
    given = None if heldout.conditions is None else heldout.conditions[:count]
    return heldout.points[:count], density.sample(count, _SEED, given)
