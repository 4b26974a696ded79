"""Teacher for HistFactory workspaces (pyhf JSON)."""

from llb_trainer.teachers.histfactory.teacher import HistFactoryTeacher, histfactory_teacher
from llb_trainer.teachers.histfactory.workspace import INTERPOLATION, Channel, Workspace, read_workspace

__all__ = [
    "INTERPOLATION",
    "Channel",
    "HistFactoryTeacher",
    "Workspace",
    "histfactory_teacher",
    "read_workspace",
]
