"""A bundle beside pyhf: the same signals, the same signal model, both answers with their times.

The two sides share no code: the bundle answers through `llb.runtime`, pyhf through `llb_trainer.peer`. What
passes between them is only where the teacher found the minima, so that a fit of pyhf in a higher one is
found out.

The public names load on first use: reading a patchset needs neither jax nor matplotlib.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from llb_trainer.comparison.beside import ComparedPoint, Comparison, compare, peer_search
    from llb_trainer.comparison.choice import choose_points
    from llb_trainer.comparison.generated import generated_signals
    from llb_trainer.comparison.optima import KnownMinima, known_minima
    from llb_trainer.comparison.picture import comparison_picture
    from llb_trainer.comparison.published import PublishedPatches, published_signals, read_patches
    from llb_trainer.comparison.table import comparison_json, comparison_notes, comparison_table
    from llb_trainer.comparison.times import duration, timing_sentence

__all__ = [
    "ComparedPoint",
    "Comparison",
    "KnownMinima",
    "PublishedPatches",
    "choose_points",
    "compare",
    "comparison_json",
    "comparison_notes",
    "comparison_picture",
    "comparison_table",
    "duration",
    "generated_signals",
    "known_minima",
    "peer_search",
    "published_signals",
    "read_patches",
    "timing_sentence",
]

_HOMES = {
    "choose_points": "choice",
    **dict.fromkeys(("ComparedPoint", "Comparison", "compare", "peer_search"), "beside"),
    **dict.fromkeys(("KnownMinima", "known_minima"), "optima"),
    "comparison_picture": "picture",
    "generated_signals": "generated",
    **dict.fromkeys(("PublishedPatches", "published_signals", "read_patches"), "published"),
    **dict.fromkeys(("comparison_json", "comparison_notes", "comparison_table"), "table"),
    **dict.fromkeys(("duration", "timing_sentence"), "times"),
}


def __getattr__(name: str) -> object:
    """The public name, from the module where it lives."""
    if name not in _HOMES:
        raise AttributeError(f"module 'llb_trainer.comparison' has no attribute {name!r}")
    return getattr(import_module(f"llb_trainer.comparison.{_HOMES[name]}"), name)


def __dir__() -> list[str]:
    """The public names."""
    return sorted(__all__)
