"""The profile of a density as a picture."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from llb.evaluation.figures.canvas import EXPECTED, OBSERVED, beside, canvas, plain
from llb.runtime import DensityProfile

__all__ = ["density_profile_figure"]

_HIGHEST = 6.0
_LEVELS = {0.5: "68.3 %", 1.92: "95 %"}


def density_profile_figure(profile: DensityProfile, drawn: NDArray[np.float64] | None = None) -> bytes:
    """A PNG of how far the logarithm falls below its top, with the levels of 68.3 % and 95 %.

    Args:
        profile: the maxima.
        drawn: (n,) draws of the parameter; minus the logarithm of their density is drawn beside it.

    Raises:
        FindingError: `LLB-X001`, matplotlib is not installed.
    """
    with canvas(5.6, 3.8) as (figure, png):
        panel = figure.subplots()
        what = "profile likelihood" if profile.prior_divided else "profile"
        panel.plot(profile.values, profile.drop, color=OBSERVED, label=what)
        if drawn is not None:
            density, edges = np.histogram(drawn, bins=60, range=(profile.values[0], profile.values[-1]))
            middles, seen = 0.5 * (edges[1:] + edges[:-1]), density > 0
            fall = np.log(density.max()) - np.log(np.maximum(density, 1))
            panel.plot(middles[seen], fall[seen], ".", color=EXPECTED, label="marginal, from draws")
        for level, text in _LEVELS.items():
            panel.axhline(level, color="#B8860B", linewidth=0.8, linestyle="--")
            beside(panel, level, text)
        panel.set_xlim(profile.values[0], profile.values[-1])
        panel.set_ylim(0.0, _HIGHEST)
        panel.set_xlabel(plain(profile.parameter))
        panel.set_ylabel("ln density below its top")
        panel.legend(frameon=False)
    return png()
