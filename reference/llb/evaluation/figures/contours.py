"""Contours over a plane of scattered signals, on triangles between them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.tri import Triangulation

__all__ = ["draw_contour", "mesh_of"]

Floats = NDArray[np.float64]

_FLAT = 0.01
"""Triangles flatter than this (ratio of inscribed to circumscribed circle) carry no contour."""


def mesh_of(plane: Floats) -> Triangulation | None:
    """Triangles between points (n, 2); None where they span no area."""
    from matplotlib.tri import TriAnalyzer, Triangulation

    if len(plane) < 3 or not np.ptp(plane, axis=0).all():
        return None
    x, y = plane.T
    try:
        # In equal units, or the triangles follow the longer axis.
        mesh = Triangulation(x / np.ptp(x), y / np.ptp(y))
    except (RuntimeError, ValueError):
        return None
    mask = TriAnalyzer(mesh).get_flat_tri_mask(_FLAT)
    return None if mask.all() else Triangulation(x, y, mesh.triangles, mask)


def draw_contour(
    panel: Axes,
    plane: Floats,
    values: Floats,
    level: float,
    *,
    colour: str,
    label: str = "",
    fill: float = 0.0,
    **line: Any,
) -> bool:
    """Draw where values, linear between the points, pass a level; the area below it may be tinted.

    Args:
        panel: where to draw.
        plane: (n, 2) points.
        values: (n,); points without a finite one are left out.
        level: where the line is.
        colour: of the line and of the tint.
        label: for the legend.
        fill: opacity of the tint; 0 for none.
        line: `linewidths`, `linestyles`, `alpha`, `zorder` of the line.

    Returns:
        Whether there is a line; there is none if all values are on one side or the points span no area.
    """
    known = np.isfinite(values)
    mesh = mesh_of(plane[known])
    if mesh is None or not values[known].min() < level < values[known].max():
        return False
    if fill:
        below = [float(values[known].min()) - 1.0, level]
        panel.tricontourf(mesh, values[known], levels=below, colors=[colour], alpha=fill)
    style: dict[str, Any] = {"linewidths": 2.0, "linestyles": "solid", **line}
    # a pattern of dashes is taken for one style a line unless it is in a list
    lines = style | {"linestyles": [style["linestyles"]]}
    panel.tricontour(mesh, values[known], levels=[level], colors=[colour], **lines)
    if label:
        sample: dict[str, Any] = {key: style[key] for key in ("alpha", "zorder") if key in style}
        panel.plot(
            [], [], color=colour, lw=style["linewidths"], ls=style["linestyles"], label=label, **sample
        )
    return True
