"""How often the stated error of a graph covers its true one."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from llb.evaluation.figures.canvas import CURVE_COLOURS, LINE, Form, canvas
from llb.evaluation.figures.names import CURVE_TITLES
from llb.evaluation.metrics import REGIONS, TWO_SIDED_95, Comparison
from llb.evaluation.style import FAINT, INK

__all__ = ["coverage_figure"]

_SIGMAS = np.linspace(0.0, 3.0, 121)


def coverage_figure(comparisons: Sequence[Comparison], *, form: Form = "png") -> bytes:
    """The fraction of held-out points within k standard deviations against that of a normal distribution.

    Points of the region `decision`, as in `llb.evaluation.coverage`. On the diagonal the stated error is
    right; above it is too large.

    Args:
        comparisons: those without a stated error, or without points there, are left out.
        form: of the bytes.

    Raises:
        FindingError: LLB-X001, matplotlib is not installed.
    """
    nominal = np.array([math.erf(value / math.sqrt(2.0)) for value in _SIGMAS])
    with canvas(4.4, 4.2, form) as (figure, finished):
        panel = figure.subplots()
        panel.plot([0.0, 1.0], [0.0, 1.0], color=FAINT, lw=1)
        for sigmas in (1.0, TWO_SIDED_95):
            level = math.erf(sigmas / math.sqrt(2.0))
            panel.plot(level, level, "D", color=LINE, ms=5, zorder=4)
            panel.annotate(
                f"{sigmas:g} σ", (level, level), xytext=(8, -10), textcoords="offset points", color=LINE
            )
        for item in comparisons:
            rows = REGIONS["decision"](item.truth)
            if item.sigma is None or not rows.any():
                continue
            error, sigma = item.error[rows], item.sigma[rows]
            found = (error[:, np.newaxis] <= sigma[:, np.newaxis] * _SIGMAS).mean(axis=0)
            colour = CURVE_COLOURS.get(item.curve, INK)
            panel.plot(nominal, found, color=colour, lw=1.7, label=CURVE_TITLES.get(item.curve, item.curve))
        panel.set(xlim=(0.0, 1.0), ylim=(0.0, 1.0), aspect="equal")
        panel.set(xlabel="expected fraction within k σ", ylabel="fraction of held-out points")
        if panel.get_legend_handles_labels()[0]:
            panel.legend(loc="lower right")
    return finished()
