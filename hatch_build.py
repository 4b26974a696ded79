"""Builds the page of `llb view` when a wheel or an editable installation is made; offline, does without."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

__all__ = ["PageBuildHook"]


class PageBuildHook(BuildHookInterface[Any]):
    """Runs `reference/llb/view/build.py`; a failure is a warning, and `llb view` says what can be done."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:  # noqa: ARG002
        """Called by hatchling with the kind of wheel, `standard` or `editable`."""
        path = Path(self.root) / "reference" / "llb" / "view" / "build.py"
        spec = importlib.util.spec_from_file_location("llb_view_build", path)
        if spec is None or spec.loader is None:
            raise RuntimeError(f"{path} is missing")
        builder = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(builder)
        try:
            builder.build()
        except builder.BuildError as error:
            self.app.display_warning(f"llb view is left out: {error}")
