"""How good a density is: the error of its logarithm, and distances of samples beside their nulls."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from llb.bundle import SampleMetric
from llb.evaluation.figures.canvas import EXPECTED, OBSERVED, Form, canvas
from llb.evaluation.figures.names import DISTANCE_TITLES
from llb.evaluation.style import FAINT

__all__ = ["distance_figure", "log_prob_figure"]

Floats = NDArray[np.float64]

_SHOWN = 6000
_FLOOR = 1e-16


def log_prob_figure(truth: Floats, error: Floats, *, form: Form = "png") -> bytes:
    """|error of the log density| of held-out points against how far the density has fallen there.

    Args:
        truth: (n,) the teacher's log density.
        error: (n,) the graph's minus it.
        form: of the bytes.

    Raises:
        FindingError: LLB-X001, matplotlib is not installed.
    """
    step = max(1, len(truth) // _SHOWN)
    below = (truth.max() - truth)[::step]
    # What is exact is drawn at the floor.
    size = np.maximum(np.abs(error), _FLOOR)[::step]
    with canvas(5.4, 3.7, form) as (figure, finished):
        panel = figure.subplots()
        panel.scatter(below, size, s=7, color=OBSERVED, alpha=0.4, linewidths=0, rasterized=True)
        for level, text in ((0.5, "median"), (0.95, "95 %")):
            height = float(np.quantile(size, level))
            panel.axhline(height, color=FAINT, lw=1, ls=(0, (5, 3)))
            panel.annotate(
                text, (1.0, height), xycoords=panel.get_yaxis_transform(), xytext=(5, 0),
                textcoords="offset points", va="center", fontsize=9, annotation_clip=False,
            )  # fmt: skip
        # Before the scale: errors may all be the same.
        panel.set_ylim(0.4 * float(size.min()), 2.5 * float(size.max()))
        panel.set_yscale("log")
        panel.set(xlabel="ln density below its largest value", ylabel="|error of ln density|")
        panel.margins(x=0.02)
    return finished()


def distance_figure(metrics: Sequence[SampleMetric], *, form: Form = "png") -> bytes:
    """Claimed distances between samples and truth, each beside that between two samples of the truth.

    Raises:
        FindingError: LLB-X001, matplotlib is not installed.
    """
    rows = np.arange(len(metrics))[::-1]
    value, null, width = (
        np.array([getattr(item, name) for item in metrics]) for name in ("value", "null", "null_std")
    )
    with canvas(6.4, 0.34 * len(metrics) + 1.1, form) as (figure, finished):
        from matplotlib.ticker import LogLocator, NullLocator

        panel = figure.subplots()
        positive = np.concatenate([value[value > 0.0], null[null > 0.0]])
        floor = 0.3 * float(positive.min()) if positive.size else 1e-3
        low, high = np.maximum(null - width, floor), np.maximum(null + width, floor)
        panel.hlines(rows, low, high, color=OBSERVED, lw=6, alpha=0.35, label="truth and truth, ± 1 σ")
        panel.plot(np.maximum(null, floor), rows, "|", color=OBSERVED, ms=9, mew=1.6)
        panel.plot(np.maximum(value, floor), rows, "o", color=EXPECTED, ms=5.5, label="samples and truth")
        panel.set_xscale("log")
        panel.xaxis.set_major_locator(LogLocator(subs=(1.0, 2.0, 5.0)))
        panel.xaxis.set_major_formatter(lambda place, _: f"{place:g}")
        panel.xaxis.set_minor_locator(NullLocator())
        panel.set_yticks(rows, [DISTANCE_TITLES.get(item.quantity, item.quantity) for item in metrics])
        panel.tick_params(axis="y", length=0)
        panel.set_ylim(-0.7, len(metrics) - 0.3)
        panel.set_xlabel("distance")
        figure.legend(loc="outside upper left", ncols=2)
    return finished()
