"""How our pictures look, wherever they are drawn."""

from __future__ import annotations

from typing import Any

__all__ = ["FAINT", "INK", "STYLE"]

INK, FAINT = "#222222", "#8A8A8A"
STYLE: Any = {
    "font.size": 10,
    "axes.titlesize": 11,
    "axes.titleweight": "bold",
    "axes.titlelocation": "left",
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.edgecolor": FAINT,
    "axes.labelcolor": INK,
    "axes.axisbelow": True,
    "text.color": INK,
    "xtick.color": FAINT,
    "ytick.color": FAINT,
    "xtick.labelcolor": INK,
    "ytick.labelcolor": INK,
    "legend.frameon": False,
    "legend.fontsize": 9,
}
"""matplotlib settings, for `matplotlib.rc_context`."""
