"""One picture of a comparison: what is excluded where, and how far the bundle is from pyhf."""

from __future__ import annotations

import io
import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from llb.evaluation.style import FAINT, INK, STYLE
from llb_trainer.comparison.beside import ComparedPoint, Comparison
from llb_trainer.comparison.choice import DECIDED_FROM
from llb_trainer.comparison.exclusion_panel import draw_exclusion
from llb_trainer.comparison.published import PublishedPatches
from llb_trainer.comparison.times import timing_sentence

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["comparison_picture"]

Floats = NDArray[np.float64]

_CLS, _LIMIT, _BAND = "#4477AA", "#EE6677", "#228833"
_FEW = 3
_LEAST_CLS = 1e-6
_LEAST_REACH, _MOST_REACH = 1.5, 8.0
"""Half height of the right panel in per cent: room for the band, and not for every outlier."""


def comparison_picture(comparison: Comparison, published: PublishedPatches, title: str) -> bytes:
    """The comparison as a PNG.

    Left, the plane of the signals with the exclusion by the bundle (with one coordinate, CLs along it; with
    none or more than two, CLs by the bundle against CLs by pyhf). Right, the relative differences of CLs and
    upper limit, with a band of 1 %.

    Args:
        comparison: what was compared.
        published: coordinates of the signals.
        title: name of the analysis.

    Raises:
        ModuleNotFoundError: matplotlib is not installed.
    """
    import matplotlib as mpl
    from matplotlib.figure import Figure

    png = io.BytesIO()
    with mpl.rc_context():
        mpl.rcdefaults()
        style: Any = mpl.rcParams  # keyed by a closed list of names in some type stubs
        style.update(STYLE)
        figure = Figure(figsize=(11.0, 5.2), layout="constrained")
        # A title may hold "$", which matplotlib would read as mathematics.
        figure.suptitle(
            f"{title}: learned likelihood beside pyhf\n".replace("$", r"\$") + timing_sentence(comparison),
            x=0.01,
            ha="left",
            fontsize=12,
        )
        left, right = figure.subplots(1, 2, width_ratios=(1.1, 1.0))
        draw_exclusion(left, comparison, published)
        _draw_differences(right, comparison.points)
        figure.savefig(png, format="png", dpi=150, metadata={"Software": None})
    return png.getvalue()


def _draw_differences(panel: Axes, points: Sequence[ComparedPoint]) -> None:
    cls = np.array([point.pyhf.cls_observed for point in points])
    by_cls = 100.0 * np.array([point.cls_difference for point in points])
    by_limit = 100.0 * np.array([point.upper_limit_difference for point in points])
    decided = np.array([point.decided_here for point in points], dtype=bool)
    reach = _reach(np.concatenate([by_cls[decided], by_limit]))
    panel.set_title("Relative difference, bundle to pyhf")
    panel.axhspan(-1.0, 1.0, color=_BAND, alpha=0.12, lw=0)
    panel.axhline(0.0, color=FAINT, lw=1)
    # Room above for the legend.
    panel.set(xscale="log", ylim=(-1.1 * reach, 1.45 * reach))
    panel.set(xlabel="observed CLs at μ = 1 by pyhf", ylabel="relative difference (%)")
    known = np.isfinite(cls) & (cls > 0.0)
    if not known.any():
        panel.text(0.5, 0.3, "pyhf has no number", transform=panel.transAxes, ha="center", color=FAINT)
        return
    low, high = max(float(cls[known].min()), _LEAST_CLS), float(cls[known].max())
    panel.set_xlim(0.6 * min(low, 0.03), 1.6 * max(high, 0.3))
    panel.xaxis.set_major_formatter(lambda value, _: f"{value:g}")
    _mark_exclusion(panel, low)
    shown = np.maximum(cls, low)
    _draw_series(panel, shown, by_limit, reach, ("D", _LIMIT, "upper limit"))
    _draw_series(panel, shown, by_cls, reach, ("o", _CLS, "CLs"))
    restarted = np.array([point.pyhf.restarted for point in points], dtype=bool) & np.isfinite(by_cls)
    if restarted.any():
        height = np.clip(by_cls[restarted], -reach, reach)
        look: dict[str, Any] = {"ms": 13, "mfc": "none", "mec": INK, "mew": 1.0}
        panel.plot(shown[restarted], height, "o", label="pyhf restarted, see the table", **look)
    panel.legend(loc="upper left", ncols=3, columnspacing=1.2, handletextpad=0.4)


def _mark_exclusion(panel: Axes, low: float) -> None:
    """The line CLs = 0.05, the band of 1 %, and grey where a relative difference means nothing."""
    if low < DECIDED_FROM:
        panel.axvspan(0.3 * low, DECIDED_FROM, color="#F1F1F1", lw=0, zorder=0)
    panel.axvline(0.05, ymax=0.84, color=FAINT, lw=1, ls=(0, (4, 3)))
    for text, side in (("excluded  ", "right"), ("  allowed", "left")):
        panel.annotate(
            text, (0.05, 0.02), xycoords=panel.get_xaxis_transform(), ha=side, fontsize=9, color=FAINT
        )
    panel.annotate(
        "± 1 %", (1.0, 1.0), xycoords=panel.get_yaxis_transform(), xytext=(-4, 3),
        textcoords="offset points", ha="right", va="bottom", fontsize=9, color=_BAND,
    )  # fmt: skip


def _draw_series(panel: Axes, x: Floats, values: Floats, reach: float, look: tuple[str, str, str]) -> None:
    """Points in reach as they are, the others as arrows at the edge; with their value if they are few."""
    marker, colour, label = look
    if not np.isfinite(values).any():
        return
    inside = np.abs(values) <= reach
    panel.plot(x[inside], values[inside], marker, color=colour, ms=6.5, mec="white", mew=0.8, label=label)
    outside = np.flatnonzero(np.abs(values) > reach)
    for row in outside:
        side = math.copysign(1.0, values[row])
        panel.plot([x[row]], [side * reach], "^" if side > 0 else "v", color=colour, ms=7, mec="white")
        if len(outside) <= _FEW:
            panel.annotate(
                f"{values[row]:+.3g} %", (x[row], side * reach), xytext=(7, 0), textcoords="offset points",
                va="center", fontsize=8, color=colour,
            )  # fmt: skip


def _reach(percent: Floats) -> float:
    largest = float(np.max(np.abs(percent[np.isfinite(percent)]), initial=0.0))
    return min(max(1.15 * largest, _LEAST_REACH), _MOST_REACH)
