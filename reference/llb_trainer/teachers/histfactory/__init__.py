"""Teacher for HistFactory workspaces (pyhf JSON).

The public names load on first use: reading and checking a workspace needs no jax.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from llb_trainer.teachers.histfactory.opening import histfactory_teacher
    from llb_trainer.teachers.histfactory.teacher import HistFactoryTeacher
    from llb_trainer.teachers.histfactory.workspace import (
        INTERPOLATION,
        Channel,
        OwnSignal,
        Workspace,
        read_workspace,
    )

__all__ = [
    "INTERPOLATION",
    "Channel",
    "HistFactoryTeacher",
    "OwnSignal",
    "Workspace",
    "histfactory_teacher",
    "read_workspace",
]

_HOMES = {
    "HistFactoryTeacher": "teacher",
    "histfactory_teacher": "opening",
    **dict.fromkeys(("INTERPOLATION", "Channel", "OwnSignal", "Workspace", "read_workspace"), "workspace"),
}


def __getattr__(name: str) -> object:
    """The public name, from the module where it lives."""
    if name not in _HOMES:
        raise AttributeError(f"module 'llb_trainer.teachers.histfactory' has no attribute {name!r}")
    return getattr(import_module(f"llb_trainer.teachers.histfactory.{_HOMES[name]}"), name)


def __dir__() -> list[str]:
    """The public names."""
    return sorted(__all__)
