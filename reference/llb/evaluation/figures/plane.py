"""The plane of the signals, such as masses: where the bundle errs, and what it excludes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from llb.evaluation.figures.canvas import EXPECTED, OBSERVED, canvas, plain
from llb.evaluation.figures.contours import draw_contour, mesh_of
from llb.evaluation.signal_errors import CLS_DECIDED, SignalNumbers
from llb.evaluation.style import FAINT, INK

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

__all__ = ["error_map_figure", "exclusion_figure"]

Floats = NDArray[np.float64]

_EXCLUDED = 0.0
"""A signal is excluded where the logarithm of its upper limit is below."""
_NONE = "#B0B0B0"
_LEAST_REACH = 0.1
"""Per cent; or else the colours of a perfect bundle would show rounding."""


def error_map_figure(
    plane: Floats, labels: Sequence[str], truth: SignalNumbers, predicted: SignalNumbers
) -> bytes:
    """Relative errors in per cent over the plane: of the observed limit, and of CLs where it is decided.

    Both maps have one scale of colours, which most points are within; the true exclusion is the line.

    Args:
        plane: (n, 2) coordinates of the signals.
        labels: names of the two coordinates.
        truth: the teacher's numbers.
        predicted: the bundle's.

    Raises:
        FindingError: LLB-X001, matplotlib is not installed.
    """
    limit = _percent(truth.upper_limit_observed, predicted.upper_limit_observed)
    decided = (truth.cls_observed > CLS_DECIDED) & (truth.cls_observed < 1.0)
    cls = np.where(decided, _percent(truth.cls_observed, predicted.cls_observed), np.nan)
    reach = _reach(np.concatenate([limit, cls]))
    with canvas(10.4, 4.6) as (figure, finished):
        panels = figure.subplots(1, 2, sharex=True, sharey=True)
        for panel, values, title in zip(
            panels, (limit, cls), ("Observed upper limit", "Observed CLs at μ = 1"), strict=True
        ):
            _frame(panel, plane, labels, title)
            _draw_map(panel, plane, values, reach)
            draw_contour(
                panel,
                plane,
                _log(truth.upper_limit_observed),
                _EXCLUDED,
                colour=INK,
                label="excluded at 95 % CL",
                linewidths=1.4,
            )
        panels[1].set_ylabel("")
        if panels[0].get_legend_handles_labels()[0]:
            panels[0].legend(loc="upper left")
        if not decided.all():
            panels[1].plot([], [], "o", mfc="none", mec=_NONE, ms=6, label="CLs below 0.001, or 1")
            panels[1].legend(loc="upper left")
        _colour_bar(figure, panels, reach)
    return finished()


def exclusion_figure(
    plane: Floats,
    labels: Sequence[str],
    bundle: SignalNumbers,
    teacher: SignalNumbers,
    pyhf: SignalNumbers | None = None,
) -> bytes:
    """What is excluded at 95 % CL, observed and expected: broad lines the bundle, thin ones the teacher.

    Args:
        plane: (n, 2) coordinates of the signals.
        labels: names of the two coordinates.
        bundle: the bundle's numbers.
        teacher: the teacher's.
        pyhf: numbers of pyhf for some or all of the signals (NaN for the others), drawn as crosses where
            they decide otherwise than the teacher's, else as rings.

    Raises:
        FindingError: LLB-X001, matplotlib is not installed.
    """
    with canvas(6.6, 5.0) as (figure, finished):
        panel = figure.subplots()
        _frame(panel, plane, labels, "Exclusion at 95 % CL", above=0.30)  # room for the legend
        panel.plot(*plane.T, ".", color="#C8C8C8", ms=4, zorder=1)
        for kind, colour, dash in (
            ("observed", OBSERVED, "solid"),
            ("expected", EXPECTED, (0, (4, 2))),
        ):
            ours, theirs = (_log(getattr(item, f"upper_limit_{kind}")) for item in (bundle, teacher))
            draw_contour(
                panel, plane, ours, _EXCLUDED, colour=colour, label=f"{kind}, bundle",
                fill=0.10 if kind == "observed" else 0.0, linewidths=5.0, alpha=0.45,
            )  # fmt: skip
            draw_contour(
                panel, plane, theirs, _EXCLUDED, colour=_dark(colour), label=f"{kind}, teacher",
                linewidths=1.4, linestyles=dash, zorder=4,
            )  # fmt: skip
        if pyhf is not None:
            _draw_pyhf(panel, plane, teacher, pyhf)
        if panel.get_legend_handles_labels()[0]:
            panel.legend(loc="upper left", ncols=2, columnspacing=1.4)
    return finished()


def _draw_pyhf(panel: Axes, plane: Floats, teacher: SignalNumbers, pyhf: SignalNumbers) -> None:
    known = np.isfinite(pyhf.upper_limit_observed)
    apart = known & ((pyhf.upper_limit_observed < 1.0) != (teacher.upper_limit_observed < 1.0))
    ring: dict[str, Any] = {"ls": "", "marker": "o", "ms": 8, "mfc": "none", "mew": 0.9, "zorder": 5}
    if (known & ~apart).any():
        panel.plot(*plane[known & ~apart].T, mec=INK, label="pyhf decides the same", **ring)
    if apart.any():
        panel.plot(
            *plane[apart].T, "x", color="#CC3311", ms=9, mew=2, label="pyhf decides otherwise", zorder=5
        )


def _frame(panel: Axes, plane: Floats, labels: Sequence[str], title: str, *, above: float = 0.04) -> None:
    """Title, names of the axes, and a margin around the points, above in units of their height."""
    panel.set(title=title, xlabel=plain(labels[0]), ylabel=plain(labels[1]))
    low, high = plane.min(axis=0), plane.max(axis=0)
    size = np.where(high > low, high - low, 1.0)
    panel.set_xlim(low[0] - 0.04 * size[0], high[0] + 0.04 * size[0])
    panel.set_ylim(low[1] - 0.04 * size[1], high[1] + above * size[1])


def _draw_map(panel: Axes, plane: Floats, values: Floats, reach: float) -> None:
    """Dots in the colour of their value over a tint of the same between them; grey rings for none."""
    known = np.isfinite(values)
    colours: dict[str, Any] = {"cmap": "RdBu_r", "vmin": -reach, "vmax": reach}
    mesh = mesh_of(plane)
    if mesh is not None:
        drawn = known[mesh.triangles].all(axis=1) & (True if mesh.mask is None else ~mesh.mask)
        mesh.set_mask(~drawn)
        tint = np.where(known, values, 0.0)
        if drawn.any():
            panel.tripcolor(mesh, tint, shading="gouraud", alpha=0.45, zorder=0, rasterized=True, **colours)
    size = float(np.clip(9000.0 / max(len(plane), 1), 22.0, 70.0))
    panel.scatter(*plane[~known].T, s=0.6 * size, facecolors="none", edgecolors=_NONE, linewidths=0.8)
    panel.scatter(
        *plane[known].T, c=values[known], s=size, edgecolors=INK, linewidths=0.5, zorder=3, **colours
    )


def _colour_bar(figure: Figure, panels: Any, reach: float) -> None:
    from matplotlib.cm import ScalarMappable
    from matplotlib.colors import Normalize

    scale = ScalarMappable(Normalize(-reach, reach), "RdBu_r")
    bar = figure.colorbar(scale, ax=list(panels), pad=0.015, aspect=28, extend="both")
    bar.set_label("difference of the bundle (%)")
    bar.outline.set_edgecolor(FAINT)  # pyright: ignore[reportCallIssue]


def _percent(truth: Floats, predicted: Floats) -> Floats:
    """Relative errors; NaN where there is none."""
    known = np.isfinite(truth) & np.isfinite(predicted) & (truth > 0.0)
    ratio = np.divide(predicted, truth, out=np.full(truth.shape, np.nan), where=known)
    return 100.0 * (ratio - 1.0)


def _reach(percent: Floats) -> float:
    """End of the scale of colours: two digits, 98 % of the points within."""
    size = np.abs(percent[np.isfinite(percent)])
    largest = float(np.quantile(size, 0.98)) if size.size else 0.0
    return max(float(f"{largest:.1g}"), _LEAST_REACH)


def _log(limits: Floats) -> Floats:
    """log10 of upper limits, smooth across the plane where CLs is not; an infinite one counts as large."""
    known = np.isfinite(limits) & (limits > 0.0)
    value = np.log10(limits, out=np.full(limits.shape, np.nan), where=known)
    return np.where(np.isposinf(limits), 3.0, value)


def _dark(colour: str) -> str:
    """The same colour, darker."""
    return "#" + "".join(f"{int(0.62 * int(colour[at : at + 2], 16)):02X}" for at in (1, 3, 5))
