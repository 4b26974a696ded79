"""The curves of single signals against mu."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from llb.evaluation.figures.canvas import CURVE_COLOURS, Form, canvas, plain
from llb.evaluation.figures.names import CURVE_TITLES
from llb.evaluation.style import FAINT, INK

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from llb.runtime import Limits, Rays

__all__ = ["ray_figure"]

_COLUMNS = 3
_HIGHEST = 6.0
_BEYOND_LIMIT = 1.5
_NODES = 161
# Curves often lie on each other.
_DASHES: dict[str, Any] = {"observed": "solid", "observed_asimov": (0, (6, 2)), "apriori": (0, (1.5, 1.5))}


def ray_figure(rays: Rays, answers: Sequence[Limits], curves: Sequence[str], *, form: Form = "png") -> bytes:
    """Delta NLL along mu, a panel for each signal; dashed where the observed upper limit lies.

    Args:
        rays: of the signals, one or more.
        answers: their limits, in the same order.
        curves: which are drawn; an alias lies on its curve.
        form: of the bytes.

    Raises:
        FindingError: LLB-X001, matplotlib is not installed.
    """
    wide = min(_COLUMNS, len(answers))
    high = math.ceil(len(answers) / wide)
    with canvas(3.2 * wide, 2.5 * high + 0.4, form) as (figure, finished):
        panels = figure.subplots(high, wide, squeeze=False, sharey=True)
        lowest = [
            _draw(panel, rays, row, answer, curves)
            for row, (panel, answer) in enumerate(zip(panels.flat, answers, strict=False))
        ]
        panels[0, 0].set_ylim(1.2 * min(lowest) - 0.25, _HIGHEST)
        for panel in panels.flat[len(answers) :]:
            panel.set_axis_off()
        for panel in panels[:, 0]:
            panel.set_ylabel("Δ NLL")
        for column in range(wide):
            last = panels[(len(answers) - 1 - column) // wide, column]
            last.set_xlabel("signal strength μ")
        handles, labels = panels[0, 0].get_legend_handles_labels()
        figure.legend(handles, labels, loc="outside upper left", ncols=len(labels), columnspacing=1.6)
    return finished()


def _draw(panel: Axes, rays: Rays, row: int, answer: Limits, curves: Sequence[str]) -> float:
    """The curves of one signal; the lowest value that they take."""
    end = _end(rays, row, answer)
    start = max(float(rays.mu_low[row]), -0.25 * end)
    mu = np.linspace(start, end, _NODES)
    index = np.full(_NODES, row)
    lowest = 0.0
    for curve in curves:
        values = rays.at(curve, index, mu)
        colour, dashes = CURVE_COLOURS.get(curve, INK), _DASHES.get(curve, "dashdot")
        panel.plot(mu, values, color=colour, ls=dashes, lw=1.7, label=CURVE_TITLES.get(curve, curve))
        lowest = min(lowest, float(np.nanmin(values, initial=0.0)))
    panel.axhline(0.0, color=FAINT, lw=0.8)
    if np.isfinite(answer.upper_limit_observed):
        panel.axvline(answer.upper_limit_observed, color=FAINT, lw=1.1, ls=(0, (4, 3)))
    panel.set_title(plain(answer.name), fontsize=9.5)
    panel.set_xlim(start, end)
    panel.locator_params(axis="x", nbins=5)
    return lowest


def _end(rays: Rays, row: int, answer: Limits) -> float:
    """Where a panel ends: beyond the limits, and within the domain."""
    limits: NDArray[np.float64] = np.array([answer.upper_limit_observed, answer.upper_limit_expected[2]])
    known = limits[np.isfinite(limits) & (limits > 0.0)]
    end = _BEYOND_LIMIT * float(known.max()) if known.size else 1.0
    edge = float(rays.mu_edge[row])
    return edge if 0.0 < edge < end else end
