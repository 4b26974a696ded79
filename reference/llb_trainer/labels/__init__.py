"""Labels: what training learns from; how they are made at any scale, and kept.

The public names load on first use: a worker process needs few of them, and starts the sooner.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from llb_trainer.labels.labelset import (
        Counts,
        LabelSet,
        Origin,
        make_labels,
        signal_count,
        stored_labels,
    )
    from llb_trainer.labels.pilots import background_of, pilot_signals
    from llb_trainer.labels.rows import concatenate, take
    from llb_trainer.labels.run import Watch, Where, label_signals
    from llb_trainer.labels.store import LabelStore, create_store, open_store, read_labels, writing
    from llb_trainer.teachers.contract import Labels

__all__ = [
    "Counts",
    "LabelSet",
    "LabelStore",
    "Labels",
    "Origin",
    "Watch",
    "Where",
    "background_of",
    "concatenate",
    "create_store",
    "label_signals",
    "make_labels",
    "open_store",
    "pilot_signals",
    "read_labels",
    "signal_count",
    "stored_labels",
    "take",
    "writing",
]

_HOMES = {
    **dict.fromkeys(
        ("Counts", "LabelSet", "Origin", "make_labels", "signal_count", "stored_labels"),
        "llb_trainer.labels.labelset",
    ),
    **dict.fromkeys(("background_of", "pilot_signals"), "llb_trainer.labels.pilots"),
    **dict.fromkeys(("concatenate", "take"), "llb_trainer.labels.rows"),
    **dict.fromkeys(("Watch", "Where", "label_signals"), "llb_trainer.labels.run"),
    **dict.fromkeys(
        ("LabelStore", "create_store", "open_store", "read_labels", "writing"), "llb_trainer.labels.store"
    ),
    "Labels": "llb_trainer.teachers.contract",
}


def __getattr__(name: str) -> object:
    """The public name, from the module where it lives."""
    if name not in _HOMES:
        raise AttributeError(f"module 'llb_trainer.labels' has no attribute {name!r}")
    return getattr(import_module(_HOMES[name]), name)


def __dir__() -> list[str]:
    """The public names."""
    return sorted(__all__)
