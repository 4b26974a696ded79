"""Teacher for simplified likelihoods: counts, expectations, their covariance and third moments.

The public names load on first use: reading and checking a file needs no jax.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from llb_trainer.teachers.simplified.document import (
        SimplifiedLikelihood,
        is_simplified_likelihood,
        read_simplified_likelihood,
    )
    from llb_trainer.teachers.simplified.fit import FitSettings
    from llb_trainer.teachers.simplified.opening import simplified_teacher
    from llb_trainer.teachers.simplified.teacher import SimplifiedTeacher

__all__ = [
    "FitSettings",
    "SimplifiedLikelihood",
    "SimplifiedTeacher",
    "is_simplified_likelihood",
    "read_simplified_likelihood",
    "simplified_teacher",
]

_HOMES = {
    "FitSettings": "fit",
    "SimplifiedLikelihood": "document",
    "SimplifiedTeacher": "teacher",
    "is_simplified_likelihood": "document",
    "read_simplified_likelihood": "document",
    "simplified_teacher": "opening",
}


def __getattr__(name: str) -> object:
    """The public name, from the module where it lives."""
    if name not in _HOMES:
        raise AttributeError(f"module 'llb_trainer.teachers.simplified' has no attribute {name!r}")
    return getattr(import_module(f"llb_trainer.teachers.simplified.{_HOMES[name]}"), name)


def __dir__() -> list[str]:
    """The public names."""
    return sorted(__all__)
