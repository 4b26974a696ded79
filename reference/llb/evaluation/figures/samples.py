"""Samples of a density beside those of the truth: by parameter, and by pairs of parameters."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import product
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from llb.evaluation.figures.canvas import EXPECTED, OBSERVED, canvas, plain
from llb.evaluation.style import FAINT

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["corner_figure", "marginals_figure", "telling_columns"]

Floats = NDArray[np.float64]

_BINS, _CELLS = 50, 32
_COLUMNS = 4
_CONTENTS = (0.6827, 0.95)
_TAIL = 1e-3
"""Of a marginal distribution, what lies beyond either end of its panel."""


def telling_columns(samples: Floats, first: Sequence[int], count: int) -> tuple[int, ...]:
    """The columns that are worth a picture: `first`, then those most correlated with one of them.

    Args:
        samples: (n, columns).
        first: columns that come first; if there are none, the one that is correlated most with the others.
        count: at most so many columns are returned.
    """
    with np.errstate(invalid="ignore", divide="ignore"):
        related = np.abs(np.nan_to_num(np.atleast_2d(np.corrcoef(samples, rowvar=False))))
    np.fill_diagonal(related, 0.0)
    chosen = list(first[:count]) or [int(np.argmax(related.max(axis=1)))]
    strength = related[chosen].max(axis=0)
    others = [int(column) for column in np.argsort(-strength, kind="stable") if column not in chosen]
    return tuple((chosen + others)[: min(count, samples.shape[1])])


def marginals_figure(names: Sequence[str], drawn: Floats, truth: Floats) -> bytes:
    """A PNG of the distribution of each parameter, of the density and of the truth, one panel each.

    Args:
        names: of the parameters, by column.
        drawn: (n, columns) samples of the density.
        truth: (m, columns) samples of the truth.

    Raises:
        FindingError: `LLB-X001`, matplotlib is not installed.
    """
    rows, columns = -(-len(names) // _COLUMNS), min(len(names), _COLUMNS)
    with canvas(2.6 * columns, 2.2 * rows + 0.4) as (figure, png):
        figure.set_layout_engine("constrained", wspace=0.06, hspace=0.08)
        panels: Any = figure.subplots(rows, columns, squeeze=False).ravel()
        for panel in panels[len(names) :]:
            panel.set_axis_off()
        for column, (panel, name) in enumerate(zip(panels, names, strict=False)):
            _draw_marginal(panel, drawn[:, column], truth[:, column])
            panel.set_xlabel(plain(name))
        handles, labels = panels[0].get_legend_handles_labels()
        figure.legend(handles, labels, loc="outside upper left", ncols=2)
    return png()


def corner_figure(names: Sequence[str], drawn: Floats, truth: Floats) -> bytes:
    """A PNG of all pairs of parameters: regions of highest density that hold 68.3 % and 95 %.

    Filled for the truth, lines for the density; the diagonal has the marginal distributions. Arguments and
    errors as of `marginals_figure`.
    """
    count = len(names)
    with canvas(1.9 * count + 0.6, 1.9 * count + 0.4) as (figure, png):
        grid: Any = figure.subplots(count, count, squeeze=False, sharex="col")
        for row, column in product(range(count), repeat=2):
            panel = grid[row, column]
            if column > row:
                panel.set_axis_off()
            elif column == row:
                _draw_marginal(panel, drawn[:, row], truth[:, row])
            else:
                _draw_pair(panel, drawn[:, (column, row)], truth[:, (column, row)])
                if column == 0:
                    panel.set_ylabel(plain(names[row]))
                else:
                    panel.tick_params(labelleft=False)
            panel.locator_params(nbins=4)
            if row == count - 1:
                panel.set_xlabel(plain(names[column]))
        handles, labels = grid[0, 0].get_legend_handles_labels()
        figure.legend(handles, labels, loc="upper right")
    return png()


def _span(values: Floats) -> tuple[float, float]:
    low, high = np.quantile(values, [_TAIL, 1.0 - _TAIL])
    return (float(low), float(high)) if low < high else (float(low) - 0.5, float(low) + 0.5)


def _draw_marginal(panel: Axes, drawn: Floats, truth: Floats) -> None:
    span = _span(truth)
    # As a density of all samples, also of those beyond the panel.
    unit = _BINS / (span[1] - span[0])
    heights = [np.histogram(values, _BINS, span)[0] * unit / len(values) for values in (truth, drawn)]
    edges = np.linspace(*span, _BINS + 1)
    panel.stairs(heights[0], edges, fill=True, color=OBSERVED, alpha=0.3, label="truth")
    panel.stairs(heights[1], edges, color=EXPECTED, lw=1.4, label="density")
    panel.set_xlim(span)
    panel.set_ylim(0.0, 1.15 * max(height.max() for height in heights))
    panel.set_yticks([])
    panel.spines["left"].set_visible(False)


def _draw_pair(panel: Axes, drawn: Floats, truth: Floats) -> None:
    spans = [_span(truth[:, 0]), _span(truth[:, 1])]
    middles = [np.linspace(*span, _CELLS + 1)[:-1] + 0.5 * (span[1] - span[0]) / _CELLS for span in spans]
    for values, colour, filled in ((truth, OBSERVED, True), (drawn, EXPECTED, False)):
        cells = _smooth(np.histogram2d(values[:, 0], values[:, 1], _CELLS, spans)[0])
        levels = _levels(cells)
        if filled:
            shades = [f"{colour}33", f"{colour}77"]
            panel.contourf(*middles, cells.T, [*levels, cells.max() * 1.001], colors=shades)
        else:
            panel.contour(*middles, cells.T, levels, colors=[colour], linewidths=1.2)
    panel.set_xlim(spans[0])
    panel.set_ylim(spans[1])
    panel.grid(visible=True, color=FAINT, alpha=0.15)


def _levels(cells: Floats) -> list[float]:
    """The heights above which cells hold the contents, ascending; distinct, as contours need them."""
    ordered = np.sort(cells, axis=None)[::-1]
    held = np.cumsum(ordered) / max(float(ordered.sum()), 1e-300)
    found = sorted(float(ordered[min(int(np.searchsorted(held, part)), len(held) - 1)]) for part in _CONTENTS)
    least = 1e-9 * max(float(ordered[0]), 1.0)
    return [max(found[0], least), max(found[1], found[0] + least, 2.0 * least)]


def _smooth(cells: Floats) -> Floats:
    """A little blur, so that contours of few samples are lines and not islands."""
    kernel = np.array([0.25, 0.5, 0.25])
    for axis in (0, 1):
        padded = np.pad(cells, [(1, 1) if axis == side else (0, 0) for side in (0, 1)], mode="edge")
        parts = (np.take(padded, np.arange(step, step + cells.shape[axis]), axis) for step in range(3))
        cells = sum((weight * part for weight, part in zip(kernel, parts, strict=True)), np.zeros_like(cells))
    return cells
