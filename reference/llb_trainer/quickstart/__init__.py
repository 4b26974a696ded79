"""The embedded search of `llb quickstart`: an invented background workspace and its signal patchset.

Both files are package data, written by `llb_trainer.quickstart.generate`. The search is fiction:
its regions, event counts and uncertainties were made up for this project, so that the whole way
from a workspace to a limit can be walked offline and in minutes.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

__all__ = ["load_patchset", "load_workspace", "patchset_path", "workspace_path"]

_FOLDER = Path(__file__).resolve().parent


def workspace_path() -> Path:
    """The background-only workspace, in pyhf's HistFactory JSON."""
    return _FOLDER / "workspace.json"


def patchset_path() -> Path:
    """The patchset with one patch per point of the mass plane, in pyhf's JSON."""
    return _FOLDER / "patchset.json"


def load_workspace() -> dict[str, Any]:
    """The background-only workspace as parsed JSON, a fresh object per call."""
    return json.loads(workspace_path().read_text(encoding="utf-8"))


def load_patchset() -> dict[str, Any]:
    """The patchset as parsed JSON, a fresh object per call."""
    return json.loads(patchset_path().read_text(encoding="utf-8"))
