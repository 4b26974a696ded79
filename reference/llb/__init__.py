"""The reader's wing of LLB: opens, checks and runs learned likelihood bundles.

The public names load on first use: importing this package costs nothing and needs no onnxruntime.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from llb.bundle import read_bundle
    from llb.runtime import load
    from llb.validation import validate

__all__ = ["__version__", "load", "read_bundle", "validate"]

__version__ = "0.1.0"

_HOMES = {"load": "llb.runtime", "read_bundle": "llb.bundle", "validate": "llb.validation"}


def __getattr__(name: str) -> object:
    """The public name, from the package where it lives."""
    if name not in _HOMES:
        raise AttributeError(f"module 'llb' has no attribute {name!r}")
    return getattr(import_module(_HOMES[name]), name)


def __dir__() -> list[str]:
    """The public names."""
    return sorted(__all__)
