"""Samples of a density beside the truth: one parameter at a time, and two."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from llb.evaluation.figures.canvas import EXPECTED, OBSERVED, Form, canvas, plain
from llb.evaluation.style import FAINT

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["corner_figure", "marginals_figure", "telling_columns"]

Floats = NDArray[np.float64]

_COLUMNS = 4
_BINS = (12, 40)
_GRID = (12, 36)
"""Fewest and most cells along an axis; between them there are more where there are more points."""
_MASSES = (0.95, 0.683)
_TRUTH, _DRAWN = OBSERVED, EXPECTED
_WIDEST = (0.002, 0.998)
"""Quantiles of the truth between which is drawn."""


def telling_columns(samples: Floats, first: Sequence[int], count: int) -> tuple[int, ...]:
    """The columns that are worth a picture: `first`, then those most correlated with one of them.

    Args:
        samples: (n, columns).
        first: columns that come first; if there are none, the one that is correlated most with another.
        count: at most so many columns are returned.
    """
    with np.errstate(invalid="ignore", divide="ignore"):
        related = np.abs(np.nan_to_num(np.atleast_2d(np.corrcoef(samples, rowvar=False))))
    np.fill_diagonal(related, 0.0)
    chosen = list(first[:count]) or [int(np.argmax(related.max(axis=1)))]
    strength = related[chosen].max(axis=0)
    others = [int(column) for column in np.argsort(-strength, kind="stable") if column not in chosen]
    return tuple((chosen + others)[:count])


def marginals_figure(names: Sequence[str], truth: Floats, drawn: Floats, *, form: Form = "png") -> bytes:
    """A panel for each parameter: held-out points as an area, samples of the density as a line.

    Args:
        names: of the parameters, (m,).
        truth: (n, m) held-out points.
        drawn: (k, m) samples.
        form: of the bytes.

    Raises:
        FindingError: LLB-X001, matplotlib is not installed.
    """
    wide = min(_COLUMNS, len(names))
    high = math.ceil(len(names) / wide)
    with canvas(2.5 * wide, 2.0 * high + 0.4, form) as (figure, finished):
        panels = figure.subplots(high, wide, squeeze=False)
        for panel, name, one, other in zip(panels.flat, names, truth.T, drawn.T, strict=False):
            _draw_marginal(panel, one, other)
            panel.set_xlabel(plain(name))
        for panel in panels.flat[len(names) :]:
            panel.set_axis_off()
        handles, labels = panels[0, 0].get_legend_handles_labels()
        figure.legend(handles, labels, loc="outside upper left", ncols=2)
    return finished()


def corner_figure(names: Sequence[str], truth: Floats, drawn: Floats, *, form: Form = "png") -> bytes:
    """Marginals on the diagonal; below it the smallest regions with 68 % and 95 % of the points.

    Args:
        names: of the parameters, (m,).
        truth: (n, m) held-out points.
        drawn: (k, m) samples.
        form: of the bytes.

    Raises:
        FindingError: LLB-X001, matplotlib is not installed.
    """
    size = len(names)
    with canvas(2.0 * size + 0.6, 2.0 * size + 0.6, form) as (figure, finished):
        panels = figure.subplots(size, size, sharex="col", squeeze=False)
        for row in range(size):
            for column in range(size):
                panel = panels[row, column]
                if column > row:
                    panel.set_axis_off()
                elif column == row:
                    _draw_marginal(panel, truth[:, row], drawn[:, row])
                else:
                    _draw_pair(panel, truth[:, (column, row)], drawn[:, (column, row)])
                    panel.tick_params(labelleft=column == 0)
                panel.locator_params(nbins=4)
            panels[-1, row].set_xlabel(plain(names[row]))
            if row:
                panels[row, 0].set_ylabel(plain(names[row]))
        handles, labels = panels[0, 0].get_legend_handles_labels()
        figure.legend(handles, labels, loc="upper right")
    return finished()


def _span(truth: Floats) -> tuple[float, float]:
    low, high = (float(value) for value in np.quantile(truth, _WIDEST))
    margin = 0.06 * (high - low) if high > low else 0.5
    return low - margin, high + margin


def _cells(points: Floats, between: tuple[int, int]) -> int:
    return int(np.clip(0.7 * np.sqrt(len(points)), *between))


def _draw_marginal(panel: Axes, truth: Floats, drawn: Floats) -> None:
    edges = np.linspace(*_span(truth), _cells(truth, _BINS) + 1)
    (one, _), (other, _) = (np.histogram(values, edges) for values in (truth, drawn))
    width = np.diff(edges)
    # Of all points, drawn or not, so that what lies outside is missing from the area.
    heights = (one / (len(truth) * width), other / (len(drawn) * width))
    panel.stairs(heights[0], edges, fill=True, color=_TRUTH, alpha=0.3, label="held-out points")
    panel.stairs(heights[1], edges, color=_DRAWN, lw=1.5, label="samples of the bundle")
    panel.set_xlim(edges[0], edges[-1])
    panel.set_yticks([])
    panel.spines["left"].set_visible(False)
    panel.locator_params(axis="x", nbins=4)


def _draw_pair(panel: Axes, truth: Floats, drawn: Floats) -> None:
    edges = [np.linspace(*_span(column), _cells(truth, _GRID) + 1) for column in truth.T]
    middles = [0.5 * (item[1:] + item[:-1]) for item in edges]
    for points, colour, look in (
        (truth, _TRUTH, {"linewidths": 4.0, "alpha": 0.35}),
        (drawn, _DRAWN, {"linewidths": 1.2}),
    ):
        _draw_regions(panel, points, edges, middles, {"colors": [colour], **look})
    panel.set_xlim(edges[0][0], edges[0][-1])
    panel.set_ylim(edges[1][0], edges[1][-1])
    for side in ("top", "right"):
        panel.spines[side].set_visible(True)
        panel.spines[side].set_color(FAINT)


def _draw_regions(
    panel: Axes, points: Floats, edges: Sequence[Floats], middles: Sequence[Floats], look: dict[str, Any]
) -> None:
    from scipy.ndimage import gaussian_filter

    counts, _, _ = np.histogram2d(*points.T, bins=list(edges))
    smooth = gaussian_filter(counts, 1.0)
    descending = np.sort(smooth.ravel())[::-1]
    share = np.cumsum(descending) / max(len(points), 1)
    levels = sorted(
        {float(descending[min(np.searchsorted(share, mass), share.size - 1)]) for mass in _MASSES}
    )
    if levels[0] > 0.0:
        panel.contour(*middles, smooth.T, levels=levels, **look)
