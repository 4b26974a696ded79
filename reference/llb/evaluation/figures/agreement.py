"""CLs and upper limits of real signals: the bundle's against the teacher's, the difference below."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from llb.evaluation.figures.canvas import EXPECTED, LINE, OBSERVED, Form, canvas
from llb.evaluation.signal_errors import CLS_DECIDED, SignalNumbers
from llb.evaluation.style import FAINT

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["agreement_figure"]

Floats = NDArray[np.float64]

_SERIES = (("observed", OBSERVED, "o"), ("expected", EXPECTED, "D"))
_CLS, _LIMITS = (1e-5, 1.0), (1e-6, 1e9)
"""What is drawn; beyond, points stand at the edge."""
_BAND = 1.0
_LEAST_REACH, _MOST_REACH = 1.5, 10.0
"""Half height of the residuals in per cent."""


def agreement_figure(truth: SignalNumbers, predicted: SignalNumbers, *, form: Form = "png") -> bytes:
    """CLs at mu = 1, left, and upper limits, right; observed, and the a-posteriori expected median.

    A kind of numbers that the teacher does not have is not drawn. The residuals are relative, in per cent,
    with a band of 1 %; CLs below 1e-3 have none. Residuals out of reach are arrows at the edge.

    Args:
        truth: the teacher's numbers.
        predicted: the bundle's, of the same signals.

    Raises:
        FindingError: LLB-X001, matplotlib is not installed.
    """
    with canvas(9.6, 5.4, form) as (figure, finished):
        axes = figure.subplots(2, 2, sharex="col", gridspec_kw={"height_ratios": (2.6, 1)})
        for column, quantity in enumerate(("cls", "upper_limit")):
            upper, lower = axes[0, column], axes[1, column]
            pairs = {
                kind: (getattr(truth, f"{quantity}_{kind}"), getattr(predicted, f"{quantity}_{kind}"))
                for kind, _, _ in _SERIES
            }
            _draw_column(upper, lower, pairs, is_cls=quantity == "cls")
        axes[0, 0].set(title="CLs at μ = 1", ylabel="bundle")
        axes[0, 1].set(title="95 % CL upper limit on μ", ylabel="bundle")
        axes[1, 0].set(xlabel="teacher", ylabel="difference (%)")
        axes[1, 1].set(xlabel="teacher")
    return finished()


def _draw_column(panel: Axes, below: Axes, pairs: dict[str, tuple[Floats, Floats]], *, is_cls: bool) -> None:
    edges = _CLS if is_cls else _LIMITS
    residuals: dict[str, tuple[Floats, Floats]] = {}
    shown: list[Floats] = []
    for kind, colour, marker in _SERIES:
        exact, found = pairs[kind]
        if not np.isfinite(exact).any():
            continue
        known = np.isfinite(exact) & np.isfinite(found) & (exact > 0.0)
        x, y = np.clip(exact[known], *edges), np.clip(found[known], *edges)
        shown += [x, y]
        fair = (x > CLS_DECIDED) & (x < 1.0) if is_cls else x > 0.0
        residuals[kind] = (x[fair], 100.0 * (y[fair] / x[fair] - 1.0))
        # Bundles carry no expected numbers of their teacher: a row of the legend for nothing says nothing.
        has_row = kind == "observed" or known.any()
        label = f"{kind}, median |difference| {_median(residuals[kind][1])}" if has_row else "_nolegend_"
        panel.plot(x, y, marker, color=colour, ms=4.5, mec="white", mew=0.5, alpha=0.85, label=label)
    values = np.concatenate([*shown, np.array([0.05 if is_cls else 1.0])])
    values = values[values > 0.0]
    span = np.array([0.7 * float(values.min()), 1.4 * float(values.max())])
    panel.plot(span, span, color=FAINT, lw=1, zorder=1)
    panel.set(xscale="log", yscale="log", xlim=span, ylim=span)
    if not is_cls:
        for axis in (panel.xaxis, panel.yaxis):
            axis.set_major_formatter(_number)
    if residuals:
        panel.legend(loc="upper left", handletextpad=0.3)
    _draw_residuals(below, residuals)
    decision = 0.05 if is_cls else 1.0
    for each in (panel, below):
        each.axvline(decision, color=FAINT, lw=1, ls=(0, (4, 3)), zorder=0)
    if is_cls:
        below.axvspan(float(span[0]), CLS_DECIDED, color="#F1F1F1", lw=0, zorder=0)


def _draw_residuals(below: Axes, residuals: dict[str, tuple[Floats, Floats]]) -> None:
    size = np.abs(np.concatenate([np.empty(0), *(values for _, values in residuals.values())]))
    reach = float(np.clip(1.15 * size.max(initial=0.0), _LEAST_REACH, _MOST_REACH))
    below.axhspan(-_BAND, _BAND, color=LINE, alpha=0.14, lw=0)
    below.axhline(0.0, color=FAINT, lw=1)
    for kind, colour, marker in _SERIES:
        if kind not in residuals:
            continue
        x, values = residuals[kind]
        look: dict[str, Any] = {"color": colour, "ms": 4, "mec": "white", "mew": 0.4, "alpha": 0.85}
        inside = np.abs(values) <= reach
        below.plot(x[inside], values[inside], marker, **look)
        for arrow, out in (("^", values > reach), ("v", values < -reach)):
            below.plot(x[out], np.sign(values[out]) * 0.97 * reach, arrow, **look)
    below.set_ylim(-1.05 * reach, 1.05 * reach)
    below.annotate(
        "± 1 %", (1.0, _BAND), xycoords=below.get_yaxis_transform(), xytext=(4, 0),
        textcoords="offset points", va="center", fontsize=8, color=LINE, annotation_clip=False,
    )  # fmt: skip


def _median(percent: Floats) -> str:
    return f"{np.median(np.abs(percent)):.2g} %" if percent.size else "-"


def _number(value: float, _position: object) -> str:
    return f"{value:g}"
