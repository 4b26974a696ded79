"""Ranks of true values among draws, as a picture."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from llb.evaluation.calibration import Calibration
from llb.evaluation.figures.canvas import LINE, OBSERVED, beside, canvas, plain
from llb.evaluation.style import FAINT

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["calibration_figure"]

_BAND = 1.36
"""Of 95 % of all samples, the Kolmogorov-Smirnov distance times the root of their number stays below."""


def calibration_figure(calibration: Calibration, parameter: str) -> bytes:
    """A PNG: how far the distribution of ranks is from uniform, and p-values of all parameters.

    Args:
        calibration: the ranks.
        parameter: the one whose line is drawn strong.

    Raises:
        FindingError: LLB-X001, matplotlib is not installed.
    """
    column = calibration.names.index(parameter)
    with canvas(8.6, 3.6) as (figure, png):
        left, right = figure.subplots(1, 2, width_ratios=(3, 2))
        _draw_ranks(left, calibration, column)
        _draw_p_values(right, calibration, column)
    return png()


def _draw_ranks(panel: Axes, calibration: Calibration, column: int) -> None:
    count = len(calibration.ranks)
    along = np.linspace(0.0, 1.0, 201)
    for number in [*(item for item in range(len(calibration.names)) if item != column), column]:
        fractions = np.sort((calibration.ranks[:, number] + 0.5) / (calibration.draws + 1))
        excess = np.searchsorted(fractions, along, side="right") / count - along
        strong: Any = {"color": OBSERVED, "lw": 1.8, "label": plain(calibration.names[number])}
        faint: Any = {"color": FAINT, "lw": 0.6, "alpha": 0.35}
        panel.plot(along, excess, **(strong if number == column else faint))
    band = _BAND / np.sqrt(count)
    for side in (-band, band):
        panel.axhline(side, color=LINE, lw=1.2, ls=(0, (5, 3)))
    beside(panel, band, "95 %")
    panel.set_ylim(-2.5 * band, 2.5 * band)
    panel.set_xlim(0.0, 1.0)
    panel.set_xlabel("rank of the true value")
    panel.set_ylabel("excess of the distribution")
    panel.set_title("Ranks, cumulative")
    panel.legend(loc="lower right")


def _draw_p_values(panel: Axes, calibration: Calibration, column: int) -> None:
    values = np.sort(calibration.p_values)
    panel.plot([0.0, 1.0], [0.0, 1.0], color=FAINT, lw=1.0)
    panel.step(values, np.arange(1, len(values) + 1) / len(values), where="post", color=OBSERVED)
    panel.axvline(calibration.p_values[column], color=OBSERVED, lw=1.0, ls=":")
    panel.set_xlim(0.0, 1.0)
    panel.set_ylim(0.0, 1.02)
    panel.set_xlabel("p-value of uniform ranks")
    panel.set_ylabel("parameters below")
    panel.set_title(f"All {len(values)} parameters")
