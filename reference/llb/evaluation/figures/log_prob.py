"""How near the logarithm of a density is to the teacher's."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from llb.evaluation.figures.canvas import LINE, OBSERVED, canvas
from llb.evaluation.style import FAINT

__all__ = ["log_prob_figure"]


def log_prob_figure(truth: NDArray[np.float64], error: NDArray[np.float64]) -> bytes:
    """A PNG of the error of the log density at every point, against how far below the highest point it is.

    Args:
        truth: (n,) the teacher's log density.
        error: (n,) the graph's minus the teacher's.

    Raises:
        FindingError: `LLB-X001`, matplotlib is not installed.
    """
    with canvas(5.6, 3.8) as (figure, png):
        panel = figure.subplots()
        low, middle, high = np.quantile(error, [0.16, 0.5, 0.84])
        panel.axhspan(low, high, color=LINE, alpha=0.14, lw=0, label="central 68 %")
        panel.axhline(middle, color=LINE, lw=1)
        panel.axhline(0.0, color=FAINT, lw=1)
        panel.plot(truth.max() - truth, error, ".", color=OBSERVED, ms=3, alpha=0.5, rasterized=True)
        panel.set_xlabel("teacher's ln density below its top")
        panel.set_ylabel("error of the ln density")
        panel.legend()
    return png()
