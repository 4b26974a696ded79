"""From a trained flow and what is known of its samples to a bundle of the family `full_likelihood`.

The public names load on first use.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from llb_trainer.export.density.bundle import emit_density
    from llb_trainer.export.density.emission import DensityEmission, sample_domain

__all__ = ["DensityEmission", "emit_density", "sample_domain"]

_HOMES = {"DensityEmission": "emission", "emit_density": "bundle", "sample_domain": "emission"}


def __getattr__(name: str) -> object:
    """The public name, from the module where it lives."""
    if name not in _HOMES:
        raise AttributeError(f"module 'llb_trainer.export.density' has no attribute {name!r}")
    return getattr(import_module(f"llb_trainer.export.density.{_HOMES[name]}"), name)


def __dir__() -> list[str]:
    """The public names."""
    return sorted(__all__)
