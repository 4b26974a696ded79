"""pyhf's own models of our files."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np

__all__ = ["Pyhf"]


class Pyhf:
    """pyhf's model of the same files, built without a line of ours."""

    def __init__(self, workspace: Path, patchset: Path | None, patch: str) -> None:
        import pyhf

        spec: Any = json.loads(workspace.read_bytes())
        if patchset is not None:
            spec = pyhf.PatchSet(json.loads(patchset.read_bytes())).apply(spec, patch)
        made = pyhf.Workspace(spec)
        settings = {"normsys": {"interpcode": "code4"}, "histosys": {"interpcode": "code4p"}}
        poi = {} if patchset is not None else {"poi_name": None}
        self.model = made.model(modifier_settings=settings, **poi)
        self.data = made.data(self.model)
        self.names: list[str] = []
        for name in self.model.config.par_order:
            parameter = self.model.config.param_set(name)
            count = parameter.n_parameters
            self.names += [name] if parameter.is_scalar else [f"{name}[{i}]" for i in range(count)]

    def logpdf(self, values: dict[str, float]) -> float:
        theta = np.asarray(self.model.config.suggested_init(), dtype=np.float64)
        for name, value in values.items():
            theta[self.names.index(name)] = value
        return float(self.model.logpdf(theta, self.data)[0])
