"""What all figures share: a canvas in one style, and the colours of curves and of answers."""

from __future__ import annotations

import io
from collections.abc import Generator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Literal

from llb.evaluation.style import STYLE
from llb_schema import FindingError, finding

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

__all__ = ["CURVE_COLOURS", "EXPECTED", "LINE", "OBSERVED", "Form", "beside", "canvas", "plain"]

Form = Literal["png", "svg"]
"""What a figure is written as; the text of an SVG stays text, in the font of the page around it."""

# Paul Tol's "bright" scheme: distinct for every common colour vision.
CURVE_COLOURS = {
    "observed": "#4477AA",
    "observed_asimov": "#EE6677",
    "apriori": "#228833",
    "apriori_asimov": "#AA3377",
}
OBSERVED, EXPECTED = "#4477AA", "#EE6677"
"""Of observed and of expected CLs and limits."""
LINE = "#B8860B"
"""Of thresholds and of what is tolerated."""
_STYLE = STYLE | {
    "axes.grid": True,
    "grid.color": "#E6E6E6",
    "grid.linewidth": 0.7,
    "lines.solid_capstyle": "round",
    "svg.fonttype": "none",
    "svg.hashsalt": "llb",
}
# No version and no date in the file: the same numbers give the same bytes wherever the fonts are the same.
_PLAIN: dict[Form, dict[str, Any]] = {
    "png": {"metadata": {"Software": None}},
    "svg": {"metadata": dict.fromkeys(("Creator", "Date", "Format", "Type")), "transparent": True},
}


@contextmanager
def canvas(width: float, height: float, form: Form = "png") -> Generator[tuple[Figure, Any]]:
    """A figure in our style, and what gives its bytes once it is drawn; global state stays as it was.

    Args:
        width, height: in inches.
        form: of the bytes.

    Raises:
        FindingError: LLB-X001, matplotlib is not installed.
    """
    try:
        import matplotlib
        from matplotlib.figure import Figure
    except ImportError as error:
        message = "figures need matplotlib: pip install 'llb[report]'"
        raise FindingError(finding("LLB-X001", message)) from error
    written = io.BytesIO()
    with matplotlib.rc_context():
        matplotlib.rcdefaults()
        matplotlib.rcParams.update(_STYLE)
        figure = Figure(figsize=(width, height), layout="constrained")
        yield figure, written.getvalue
        figure.savefig(written, format=form, dpi=160, **_PLAIN[form])


def beside(panel: Axes, height: float, text: str) -> None:
    """Names a horizontal line at its right end, outside the panel."""
    panel.annotate(
        text,
        (1.0, height),
        xycoords=panel.get_yaxis_transform(),
        xytext=(5, 0),
        textcoords="offset points",
        va="center",
        fontsize=9,
        color=LINE,
        annotation_clip=False,
    )


def plain(text: str) -> str:
    """A text from a file as it is: "$" would be mathematics, and control characters are not for an SVG."""
    shown = (mark if mark.isprintable() else mark.encode("unicode_escape").decode() for mark in text)
    return "".join(shown).replace("$", r"\$")
