"""How near Delta NLL is to the teacher's, and how training got there."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from llb.evaluation.figures.canvas import CURVE_COLOURS, LINE, Form, beside, canvas
from llb.evaluation.figures.names import CURVE_TITLES
from llb.evaluation.metrics import DECISION_MAX, ONE_PERCENT_ON_CLS, Comparison, running_quantiles
from llb.evaluation.style import FAINT, INK

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["error_figure", "learning_figure", "truth_figure"]

Floats = NDArray[np.float64]

_FLOOR = 1e-7
_TRUTH_LABEL = "teacher's Δ NLL"


def truth_figure(comparisons: Sequence[Comparison]) -> bytes:
    """Truth against prediction in the decision region, the residuals below, one column per curve.

    The band of the residuals is an error of 1 % on CLs.

    Raises:
        FindingError: LLB-X001, matplotlib is not installed.
    """
    with canvas(3.6 * len(comparisons), 4.9) as (figure, finished):
        axes = figure.subplots(
            2, len(comparisons), sharex=True, squeeze=False, gridspec_kw={"height_ratios": (3, 1)}
        )
        reach = max(_residual_reach(item) for item in comparisons)
        for column, item in enumerate(comparisons):
            _draw_truth(axes[0, column], axes[1, column], item, reach)
        axes[0, 0].set_ylabel("predicted Δ NLL")
        axes[1, 0].set_ylabel("residual")
    return finished()


def error_figure(comparisons: Sequence[Comparison], *, form: Form = "png") -> bytes:
    """|error| of every held-out point against its Delta NLL, with running quantiles, one panel per curve.

    Raises:
        FindingError: LLB-X001, matplotlib is not installed.
    """
    with canvas(3.9 * len(comparisons), 3.9, form) as (figure, finished):
        axes = figure.subplots(1, len(comparisons), sharex=True, sharey=True, squeeze=False)[0]
        for panel, item in zip(axes, comparisons, strict=True):
            _draw_error(panel, item)
        axes[0].set_ylabel("|error of Δ NLL|")
        _name_thresholds(axes[-1])
        axes[0].legend(loc="lower right")
        axes[0].text(
            DECISION_MAX,
            0.99,
            " decision region",
            transform=axes[0].get_xaxis_transform(),
            ha="left",
            va="top",
            fontsize=8,
            color=FAINT,
        )
    return finished()


def learning_figure(
    steps: Floats, losses: Mapping[str, Floats], validation_steps: Floats, validation: Mapping[str, Floats]
) -> bytes:
    """How training went: the parts of the loss, and the error on points that training does not see.

    Args:
        steps: (n,) optimiser steps at which the losses were noted.
        losses: (n,) values by name of the part.
        validation_steps: (m,) steps at which the error was measured.
        validation: (m,) |error of Delta NLL|, in NLL units, by name of its quantile.

    Raises:
        FindingError: LLB-X001, matplotlib is not installed.
    """
    with canvas(8.6, 3.9) as (figure, finished):
        left, right = figure.subplots(1, 2)
        colours = list(CURVE_COLOURS.values())
        for panel, along, lines in ((left, steps, losses), (right, validation_steps, validation)):
            for colour, (name, values) in zip(colours, lines.items(), strict=False):
                marker = "o" if len(values) < 60 else ""
                panel.plot(along, values, color=colour, label=name, lw=1.6, marker=marker, ms=3)
            panel.set_yscale("log")
            panel.set_xlabel("step")
            panel.locator_params(axis="x", nbins=5)
            panel.xaxis.set_major_formatter(_thousands)
            panel.margins(x=0.02)
            if lines:
                panel.legend(loc="upper right")
        left.set(title="Loss", ylabel="loss")
        right.set(title="Error on points kept from training", ylabel="|error of Δ NLL|")
        right.axhline(ONE_PERCENT_ON_CLS, color=LINE, lw=1.2, ls=(0, (5, 3)))
        beside(right, ONE_PERCENT_ON_CLS, "1 % on CLs")
    return finished()


def _draw_truth(panel: Axes, below: Axes, item: Comparison, reach: float) -> None:
    inside = item.truth <= DECISION_MAX
    truth, predicted = item.truth[inside], item.predicted[inside]
    colour = CURVE_COLOURS.get(item.curve, INK)
    low = min(0.0, float(truth.min(initial=0.0)))
    span = np.array([low, DECISION_MAX])
    dots: dict[str, Any] = {
        "s": 7,
        "alpha": _alpha(truth),
        "color": colour,
        "linewidths": 0,
        "rasterized": True,
    }
    panel.plot(span, span, color=FAINT, lw=1, zorder=1)
    panel.scatter(truth, predicted, **dots)
    panel.set_title(CURVE_TITLES.get(item.curve, item.curve))
    error = np.abs(predicted - truth)
    median, p99 = np.quantile(error, [0.5, 0.99]) if error.size else (np.nan, np.nan)
    note = f"{truth.size:,} points\nmedian error {median:.2g}\n99 % below {p99:.2g}"
    panel.text(0.04, 0.96, note, transform=panel.transAxes, va="top", fontsize=9, color=INK)
    panel.margins(0.03)
    band = ONE_PERCENT_ON_CLS
    below.axhspan(-band, band, color=LINE, alpha=0.16, lw=0)
    below.axhline(0.0, color=FAINT, lw=1)
    below.scatter(truth, np.clip(predicted - truth, -reach, reach), **dots)
    below.set_ylim(-1.06 * reach, 1.06 * reach)
    below.set_xlabel(_TRUTH_LABEL)
    below.text(
        0.98, 0.93, "band: 1 % on CLs", transform=below.transAxes, ha="right", va="top", fontsize=8
    ).set_bbox({"facecolor": "white", "alpha": 0.7, "edgecolor": "none", "pad": 1})


def _draw_error(panel: Axes, item: Comparison) -> None:
    colour = CURVE_COLOURS.get(item.curve, INK)
    panel.axvspan(0.0, DECISION_MAX, color="#F3F5F9", lw=0, zorder=0)
    panel.scatter(
        item.truth,
        np.maximum(item.error, _FLOOR),
        s=6,
        alpha=0.6 * _alpha(item.truth),
        color=colour,
        linewidths=0,
        rasterized=True,
    )
    if item.truth.size:
        centre, (median, high) = running_quantiles(item, (0.5, 0.95))
        panel.plot(centre, np.maximum(median, _FLOOR), color=INK, lw=1.8, label="running median")
        panel.plot(centre, np.maximum(high, _FLOOR), color=INK, lw=1.2, ls=":", label="running 95 %")
    for threshold in (ONE_PERCENT_ON_CLS, 0.1 * ONE_PERCENT_ON_CLS):
        panel.axhline(threshold, color=LINE, lw=1.2, ls=(0, (5, 3)))
    panel.set_yscale("log")
    panel.set_title(CURVE_TITLES.get(item.curve, item.curve))
    panel.set_xlabel(_TRUTH_LABEL)
    panel.margins(x=0.02)


def _name_thresholds(panel: Axes) -> None:
    beside(panel, ONE_PERCENT_ON_CLS, "1 % on CLs")
    beside(panel, 0.1 * ONE_PERCENT_ON_CLS, "0.1 %")


def _residual_reach(item: Comparison) -> float:
    """Half height of the residual panel: the band and nearly all points; the rest is drawn at the edge."""
    error = item.error[item.truth <= DECISION_MAX]
    return max(1.5 * ONE_PERCENT_ON_CLS, float(np.quantile(error, 0.99)) if error.size else 0.0)


def _alpha(points: Floats) -> float:
    """Fainter dots where there are many."""
    return float(np.clip(20.0 / np.sqrt(points.size + 1.0), 0.15, 0.85))


def _thousands(value: float, _position: object) -> str:
    return f"{value:,.0f}"
