"""Draws docs/images/sampling_strategies.png: 500 signals of each strategy in two bins of the embedded search.

    python benchmarks/sampling_figure.py [OUT]

The two bins are taken on their own. For the active signals, the ensemble is eight cubic polynomials, each
fitted to its own half of 60 mixed signals.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray

from llb.evaluation.style import FAINT, INK, STYLE
from llb_trainer.comparison import published_signals
from llb_trainer.quickstart import patchset_path, workspace_path
from llb_trainer.sampling import (
    ActiveSettings,
    Background,
    Sampling,
    active_signals,
    expected_delta,
    sample_signals,
)
from llb_trainer.teachers.histfactory import histfactory_teacher, read_workspace

__all__ = ["draw", "two_bins"]

Floats = NDArray[np.float64]

OUT = Path(__file__).resolve().parents[1] / "docs" / "images" / "sampling_strategies.png"
BINS = (("SR", 0), ("SR", 2))
SIGNALS = 500
LEARNED = 60
LEVEL = 2.0
# Paul Tol's "bright" scheme: distinct for every common colour vision.
COLOURS = {
    "mixed": "#4477AA",
    "rays": "#228833",
    "sobol": "#B8860B",
    "metropolis": "#EE6677",
    "active": "#AA3377",
}


@dataclass(frozen=True)
class TwoBins:
    """Two bins of a search, as if there were no others.

    Attributes:
        names: of the bins.
        background: their events, and the covariance of these over all nuisance parameters.
        published: (n, 2) yields of the published signals.
    """

    names: tuple[str, str]
    background: Background
    published: Floats


def two_bins() -> TwoBins:
    """Of the embedded search."""
    workspace = read_workspace(workspace_path())
    teacher = histfactory_teacher(workspace)
    published = published_signals(patchset_path(), workspace, teacher.signal_modifiers).yields
    order = [(item.channel, item.index) for item in teacher.bins]
    columns = [order.index(item) for item in BINS]
    events = np.array([teacher.bins[column].background for column in columns])
    first, second = (f"{channel}[{index}]" for channel, index in BINS)
    background = Background(events, teacher.covariance[np.ix_(columns, columns)])
    return TwoBins((first, second), background, published[:, columns])


def signals_of(search: TwoBins) -> dict[str, Floats]:
    """(SIGNALS, 2) yields by strategy."""
    background, published = search.background, search.published
    drawn = {
        name: sample_signals(background, published, SIGNALS, Sampling(strategy=name))
        for name in COLOURS
        if name != "active"
    }
    sampling = Sampling(active=ActiveSettings(candidates=4096))
    ensemble = Ensemble.of(background, sample_signals(background, published, LEARNED, sampling))
    drawn["active"] = active_signals(
        background, published, SIGNALS, sampling, ensemble.disagreement, first=LEARNED
    )
    return drawn


@dataclass(frozen=True)
class Ensemble:
    """Cubic polynomials in the roots of the yields, each fitted to a random half of the signals."""

    coefficients: Floats

    @staticmethod
    def of(background: Background, signals: Floats) -> Ensemble:
        """Eight members."""
        rng = np.random.default_rng(1)
        halves = [rng.permutation(len(signals))[: len(signals) // 2] for _ in range(8)]
        delta = expected_delta(background, signals)
        fits = [np.linalg.lstsq(cubic(signals[half]), delta[half])[0] for half in halves]
        return Ensemble(np.array(fits))

    def disagreement(self, signals: Floats) -> Floats:
        """(n,) standard deviation among the members."""
        return np.std(cubic(signals) @ self.coefficients.T, axis=1)


def cubic(signals: Floats) -> Floats:
    """(n, 10) monomials of the roots of two yields, up to the third power."""
    first, second = np.sqrt(signals).T
    return np.stack([first**i * second**j for i in range(4) for j in range(4 - i)], axis=1)


def draw(search: TwoBins, out: Path) -> None:
    """Five panels of signals, and how each strategy spreads the expected significance."""
    drawn = signals_of(search)
    edge = np.max([signals.max(axis=0) for signals in drawn.values()], axis=0)
    with mpl.rc_context():
        mpl.rcdefaults()
        mpl.rcParams.update(STYLE)
        figure = Figure(figsize=(11.0, 7.4), layout="constrained")
        panels = figure.subplots(2, 3).ravel()
        for panel, (name, colour) in zip(panels, COLOURS.items(), strict=False):
            draw_plane(panel, search, drawn[name], edge, colour)
            panel.set_title(name)
        draw_significance(panels[-1], search.background, drawn)
        figure.savefig(out, format="png", dpi=150, metadata={"Software": None})


def draw_plane(panel: Axes, search: TwoBins, signals: Floats, edge: Floats, colour: str) -> None:
    """Signals over the plane of two bins, with the published directions and the contour."""
    for direction in search.published[np.any(search.published > 0, axis=1)]:
        reach = np.linspace(0.0, 1.0, 2)[:, None] * direction * np.min(edge / np.maximum(direction, 1e-9))
        panel.plot(*reach.T, color=FAINT, lw=0.4, alpha=0.5, zorder=1)
    axes = [np.linspace(0.0, np.sqrt(1.05 * top), 300) ** 2 for top in edge]
    grid = np.stack(np.meshgrid(*axes), axis=-1)
    delta = expected_delta(search.background, grid.reshape(-1, 2)).reshape(300, 300)
    panel.contour(*axes, delta, levels=[LEVEL], colors=[INK], linewidths=1.4, zorder=3)
    rim = axes[0][np.argmin(np.abs(delta[75] - LEVEL))]
    panel.annotate(f"Δ = {LEVEL:g}", (rim, axes[1][75]), xytext=(5, 0), textcoords="offset points", color=INK)
    panel.scatter(*signals.T, s=7, color=colour, alpha=0.65, linewidths=0, zorder=2, clip_on=False)
    for axis, top, name in zip("xy", edge, search.names, strict=True):
        root = (lambda value: np.sqrt(np.maximum(value, 0.0)), np.square)
        getattr(panel, f"set_{axis}scale")("function", functions=root)
        getattr(panel, f"set_{axis}lim")(0.0, 1.05 * top)
        getattr(panel, f"set_{axis}label")(f"signal events in {name}")
        ticks = [tick for tick in (0, 1, 5, 10, 20, 40, 80, 160) if tick < top]
        getattr(panel, f"set_{axis}ticks")(ticks, [str(tick) for tick in ticks])


def draw_significance(panel: Axes, background: Background, drawn: Mapping[str, Floats]) -> None:
    """Share of the signals below each expected significance."""
    share = (np.arange(SIGNALS) + 0.5) / SIGNALS
    for name, colour in COLOURS.items():
        significance = np.sort(np.sqrt(2 * expected_delta(background, drawn[name])))
        # Mixed and rays climb the same ladder: one line is seen through the other.
        line = (0, (3, 3)) if name == "mixed" else "solid"
        panel.plot(
            significance, share, color=colour, lw=1.8, ls=line, label=name, zorder=3 - (line == "solid")
        )
    panel.axvline(np.sqrt(2 * LEVEL), color=INK, lw=1.4)
    panel.set_title("share of the signals below")
    panel.set_xlabel("expected significance √(2Δ)")
    panel.set_xlim(0.0, None)
    panel.set_ylim(0.0, 1.0)
    panel.legend(loc="lower right")


if __name__ == "__main__":
    draw(two_bins(), Path(sys.argv[1]) if len(sys.argv) > 1 else OUT)
