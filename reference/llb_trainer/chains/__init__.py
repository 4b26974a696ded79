"""Samples of parameters: chains with what their columns mean, their files, and how far to trust them.

The public names load on first use: a file is read without JAX, and its format's library only where it is met.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from llb_trainer.chains.conditions import Condition, Conditions
    from llb_trainer.chains.description import Description, read_description
    from llb_trainer.chains.diagnostics import Diagnostics, diagnose
    from llb_trainer.chains.files import read_samples, write_samples
    from llb_trainer.chains.parameters import Parameter, lower_bounds, upper_bounds
    from llb_trainer.chains.samples import ParameterSamples
    from llb_trainer.chains.soundness import sample_findings, sound_samples

__all__ = [
    "Condition",
    "Conditions",
    "Description",
    "Diagnostics",
    "Parameter",
    "ParameterSamples",
    "diagnose",
    "lower_bounds",
    "read_description",
    "read_samples",
    "sample_findings",
    "sound_samples",
    "upper_bounds",
    "write_samples",
]

_HOMES = {
    "Condition": "conditions",
    "Conditions": "conditions",
    "Description": "description",
    "Diagnostics": "diagnostics",
    "Parameter": "parameters",
    "ParameterSamples": "samples",
    "diagnose": "diagnostics",
    "lower_bounds": "parameters",
    "read_description": "description",
    "read_samples": "files",
    "sample_findings": "soundness",
    "sound_samples": "soundness",
    "upper_bounds": "parameters",
    "write_samples": "files",
}


def __getattr__(name: str) -> object:
    """The public name, from the module where it lives."""
    if name not in _HOMES:
        raise AttributeError(f"module 'llb_trainer.chains' has no attribute {name!r}")
    return getattr(import_module(f"llb_trainer.chains.{_HOMES[name]}"), name)


def __dir__() -> list[str]:
    """The public names."""
    return sorted(__all__)
