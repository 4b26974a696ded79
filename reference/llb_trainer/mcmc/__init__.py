"""Markov chains of a density teacher: NUTS in coordinates that its own curvature has made round.

The public names load on first use.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from llb_trainer.mcmc.modes import Laplace, highest_density, laplace
    from llb_trainer.mcmc.run import DensitySampler, SampledDensity, sample_density
    from llb_trainer.mcmc.settings import NutsSettings

__all__ = [
    "DensitySampler",
    "Laplace",
    "NutsSettings",
    "SampledDensity",
    "highest_density",
    "laplace",
    "sample_density",
]

_HOMES = {
    **dict.fromkeys(("Laplace", "highest_density", "laplace"), "modes"),
    **dict.fromkeys(("DensitySampler", "SampledDensity", "sample_density"), "run"),
    "NutsSettings": "settings",
}


def __getattr__(name: str) -> object:
    """The public name, from the module where it lives."""
    if name not in _HOMES:
        raise AttributeError(f"module 'llb_trainer.mcmc' has no attribute {name!r}")
    return getattr(import_module(f"llb_trainer.mcmc.{_HOMES[name]}"), name)


def __dir__() -> list[str]:
    """The public names."""
    return sorted(__all__)
