"""The picture of `scaling.py`: cost of a label, cost of a fit and memory, against the size of the model."""

from __future__ import annotations

import io
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from llb.evaluation.style import INK, STYLE

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.cm import ScalarMappable

__all__ = ["scaling_figure"]

Entry = dict[str, Any]

_PANELS = (
    ("seconds_per_label", 1e3, "Cost of a label, one core", "ms per label"),
    ("seconds_per_fit", 1e3, "Cost of a fit, one core", "ms per fit"),
    ("peak_rss_mb", 1e-3, "Peak memory of a worker", "GB"),
)
_LEGENDS = (("synthetic, by parameters", True), ("published (parameters)", False))
_SYNTHETIC = "synthetic"
_MARKERS = "DsPv^Xo"


def scaling_figure(entries: Sequence[Entry]) -> bytes:
    """A PNG: lines join synthetic models of equally many parameters, single markers are published searches.

    Args:
        entries: the models of a report of `scaling.py`.
    """
    import matplotlib as mpl
    from matplotlib.cm import ScalarMappable
    from matplotlib.colors import LogNorm
    from matplotlib.figure import Figure

    png = io.BytesIO()
    sizes = [entry["parameters"] for entry in entries]
    with mpl.rc_context():
        mpl.rcdefaults()
        style: Any = mpl.rcParams  # keyed by a closed list of names in some type stubs
        style.update(STYLE)
        figure = Figure(figsize=(12.5, 4.4), layout="constrained")
        # from dark to light, stopping before the yellow that paper swallows
        colours = mpl.colormaps["viridis"].resampled(256)
        shade = ScalarMappable(LogNorm(min(sizes), 1.6 * max(sizes)), colours)
        for panel, (key, unit, title, label) in zip(figure.subplots(1, 3), _PANELS, strict=True):
            _draw(panel, [entry for entry in entries if entry[key] is not None], key, unit, shade)
            panel.set_title(title)
            panel.set(xscale="log", yscale="log", xlabel="bins", ylabel=label)
            _plain_ticks(panel, sorted({entry["bins"] for entry in entries}))
        for panel, titles in zip(figure.axes, _LEGENDS, strict=False):
            _legend(panel, *titles)
        figure.savefig(png, format="png", dpi=150, metadata={"Software": None})
    return png.getvalue()


def _draw(panel: Axes, entries: Sequence[Entry], key: str, unit: float, shade: ScalarMappable) -> None:
    synthetic = [entry for entry in entries if entry["id"].startswith(_SYNTHETIC)]
    for size in sorted({entry["parameters"] for entry in synthetic}):
        line = sorted((e["bins"], unit * e[key]) for e in synthetic if e["parameters"] == size)
        panel.plot(*zip(*line, strict=True), "o-", ms=3.5, lw=1.4, color=shade.to_rgba(size), label=f"{size}")
    published = [entry for entry in entries if entry not in synthetic]
    for number, entry in enumerate(sorted(published, key=lambda entry: entry["bins"])):
        panel.plot(
            [entry["bins"]],
            [unit * entry[key]],
            _MARKERS[number % len(_MARKERS)],
            ms=7,
            color=shade.to_rgba(entry["parameters"]),
            mec=INK,
            mew=0.8,
            zorder=3,
            label=f"{entry['id']} ({entry['parameters']})",
        )


def _legend(panel: Axes, title: str, lines: bool) -> None:
    """Either the lines or the single markers, the uppermost first."""
    chosen = [line for line in panel.lines if (line.get_linestyle() != "None") == lines]
    if chosen:
        panel.legend(handles=chosen[::-1], title=title, title_fontsize=9, alignment="left", loc="upper left")


def _plain_ticks(panel: Axes, bins: Sequence[int]) -> None:
    """Round numbers, written out."""
    from matplotlib.ticker import LogLocator, NullFormatter

    round_numbers = [n for n in (5, 10, 20, 50, 100, 200, 500) if bins[0] <= n <= bins[-1]]
    panel.set_xticks(round_numbers or [bins[0]], [str(n) for n in round_numbers or [bins[0]]])
    panel.set_xticks([], minor=True)
    low, high = panel.get_ylim()
    panel.set_ylim(low, high * (high / low) ** 0.35)  # room for a legend
    panel.yaxis.set_major_locator(LogLocator(subs=(1.0, 2.0, 5.0)))
    panel.yaxis.set_major_formatter(lambda value, _: f"{value:g}")
    panel.yaxis.set_minor_formatter(NullFormatter())
