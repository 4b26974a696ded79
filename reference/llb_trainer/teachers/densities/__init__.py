"""Teachers in parameter space: differentiable log densities of all parameters, interest and nuisance.

The public names load on first use.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from llb_trainer.teachers.densities.contract import DensityTeacher, ExactSampler
    from llb_trainer.teachers.densities.experiments import Experiments, draw_experiments
    from llb_trainer.teachers.densities.histfactory import HistFactoryDensity, histfactory_density
    from llb_trainer.teachers.densities.prior import PriorFactor
    from llb_trainer.teachers.densities.samples import samples_source
    from llb_trainer.teachers.densities.standins import (
        StandIn,
        electroweak_like,
        flavour_like,
        stand_in,
    )
    from llb_trainer.teachers.densities.toy import ToyDensity, read_toy

__all__ = [
    "DensityTeacher",
    "ExactSampler",
    "Experiments",
    "HistFactoryDensity",
    "PriorFactor",
    "StandIn",
    "ToyDensity",
    "draw_experiments",
    "electroweak_like",
    "flavour_like",
    "histfactory_density",
    "read_toy",
    "samples_source",
    "stand_in",
]

_HOMES = {
    **dict.fromkeys(("DensityTeacher", "ExactSampler"), "contract"),
    **dict.fromkeys(("Experiments", "draw_experiments"), "experiments"),
    **dict.fromkeys(("HistFactoryDensity", "histfactory_density"), "histfactory"),
    "PriorFactor": "prior",
    "samples_source": "samples",
    **dict.fromkeys(("StandIn", "electroweak_like", "flavour_like", "stand_in"), "standins"),
    **dict.fromkeys(("ToyDensity", "read_toy"), "toy"),
}


def __getattr__(name: str) -> object:
    """The public name, from the module where it lives."""
    if name not in _HOMES:
        raise AttributeError(f"module 'llb_trainer.teachers.densities' has no attribute {name!r}")
    return getattr(import_module(f"llb_trainer.teachers.densities.{_HOMES[name]}"), name)


def __dir__() -> list[str]:
    """The public names."""
    return sorted(__all__)
