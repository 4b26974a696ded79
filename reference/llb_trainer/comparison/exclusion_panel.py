"""What is excluded where: the left half of the picture, for whatever coordinates the signals have."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from llb.evaluation.figures import draw_contour
from llb_trainer.comparison.beside import Comparison
from llb_trainer.comparison.published import PublishedPatches

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["draw_exclusion"]

Floats = NDArray[np.float64]

_INK, _FAINT, _EXCLUDED, _WRONG = "#222222", "#8A8A8A", "#4477AA", "#CC3311"
_LEVEL = 0.05
_FLOOR = 1e-5
_RING: dict[str, Any] = {"marker": "o", "ls": "", "ms": 12, "mfc": "none", "mec": _INK, "mew": 1.1}


def draw_exclusion(panel: Axes, comparison: Comparison, published: PublishedPatches) -> None:
    """Draw the signals by their coordinates: a plane, a line, or else CLs against CLs."""
    names = [item.name for item in comparison.scan]
    plane = published.plane(names)
    # Coordinates that never change say nothing.
    moving = [column for column in range(plane.shape[1]) if np.ptp(plane[:, column]) > 0.0]
    labels = [published.labels[column].replace("$", r"\$") for column in moving]
    cls = np.array([item.cls_observed for item in comparison.scan])
    compared = np.isin(names, [point.name for point in comparison.points])
    if len(moving) == 2:
        panel.set(xlabel=labels[0], ylabel=labels[1])
        _draw_plane(panel, comparison, plane[:, moving], cls, compared)
    elif len(moving) == 1:
        panel.set(xlabel=labels[0], ylabel="observed CLs at μ = 1")
        _draw_line(panel, comparison, plane[:, moving[0]], cls, compared)
    else:
        _draw_both(panel, comparison)


def _draw_plane(
    panel: Axes, comparison: Comparison, plane: Floats, cls: Floats, compared: NDArray[np.bool_]
) -> None:
    panel.set_title("Exclusion by the bundle, 95 % CL")
    # Interpolated in the logarithm, where CLs is nearly a plane.
    depth = np.log10(np.clip(cls, _FLOOR, 1.0))
    draw_contour(panel, plane, depth, math.log10(_LEVEL), colour=_EXCLUDED, label="CLs = 0.05", fill=0.14)
    excluded = cls < _LEVEL
    dots: dict[str, Any] = {"ls": "", "marker": "o", "ms": 5.5, "mec": _EXCLUDED, "mew": 1.0}
    panel.plot(*plane[excluded].T, mfc=_EXCLUDED, label="excluded", **dots)
    panel.plot(*plane[~excluded].T, mfc="white", label="allowed", **dots)
    panel.plot(*plane[compared].T, label="compared with pyhf", **_RING)
    theirs = {point.name: point.pyhf.cls_observed for point in comparison.points}
    apart = np.array(
        [
            math.isfinite(theirs.get(item.name, math.nan)) and (theirs[item.name] < _LEVEL) != verdict
            for item, verdict in zip(comparison.scan, excluded, strict=True)
        ],
        dtype=bool,
    )
    if apart.any():
        panel.plot(*plane[apart].T, "x", ms=9, mew=2, color=_WRONG, label="pyhf decides otherwise")
    low, high = plane.min(axis=0), plane.max(axis=0)
    size = high - low
    panel.set_xlim(low[0] - 0.05 * size[0], high[0] + 0.05 * size[0])
    # Room above for the legend.
    panel.set_ylim(low[1] - 0.05 * size[1], high[1] + 0.32 * size[1])
    panel.legend(loc="upper left", ncols=2)


def _draw_line(
    panel: Axes, comparison: Comparison, along: Floats, cls: Floats, compared: NDArray[np.bool_]
) -> None:
    panel.set_title("Observed CLs along the line")
    order = np.argsort(along, kind="stable")
    # A line only where there is one value at each place.
    line = "o-" if len(np.unique(along)) == len(along) else "o"
    panel.plot(along[order], np.maximum(cls[order], _FLOOR), line, ms=4, color=_EXCLUDED, label="bundle")
    theirs = {point.name: point.pyhf.cls_observed for point in comparison.points}
    rows = np.flatnonzero(compared)
    values = [theirs[comparison.scan[row].name] for row in rows]
    panel.plot(along[rows], np.maximum(values, _FLOOR), label="pyhf", **_RING)
    panel.set_yscale("log")
    panel.axhline(_LEVEL, color=_FAINT, lw=1, ls=(0, (4, 3)), label="CLs = 0.05")
    panel.legend(loc="best")


def _draw_both(panel: Axes, comparison: Comparison) -> None:
    ours = np.array([point.bundle.cls_observed for point in comparison.points])
    theirs = np.array([point.pyhf.cls_observed for point in comparison.points])
    panel.set_title("Observed CLs at μ = 1")
    panel.set(xlabel="pyhf", ylabel="bundle", xscale="log", yscale="log")
    known = np.isfinite(ours) & np.isfinite(theirs)
    values = np.maximum(np.concatenate([ours[known], theirs[known], [_LEVEL]]), _FLOOR)
    span = (0.6 * float(values.min()), 1.6 * max(1.0, float(values.max())))
    panel.plot(span, span, color=_FAINT, lw=1, zorder=1, label="equal")
    panel.axhline(_LEVEL, color=_FAINT, lw=1, ls=(0, (4, 3)))
    panel.axvline(_LEVEL, color=_FAINT, lw=1, ls=(0, (4, 3)), label="CLs = 0.05")
    panel.plot(
        np.maximum(theirs[known], _FLOOR),
        np.maximum(ours[known], _FLOOR),
        "o", ms=6.5, color=_EXCLUDED, mec="white", mew=0.8, label="signals",
    )  # fmt: skip
    panel.set(xlim=span, ylim=span)
    panel.legend(loc="upper left")
