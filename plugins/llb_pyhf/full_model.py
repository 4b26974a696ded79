"""What pyhf says of a signal on the full model: its own fits, its current backend."""

from __future__ import annotations

import copy
import math
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import jsonpatch
import numpy as np
import pyhf
from pyhf.exceptions import FailedMinimization
from pyhf.infer import hypotest, mle
from pyhf.infer.intervals.upper_limits import upper_limit
from pyhf.utils import digest

from llb.bundle import Manifest
from llb.runtime import Band
from llb_schema import FindingError, finding

__all__ = ["FullModel", "FullModelAnswer"]

_NAN_BAND: Band = (math.nan, math.nan, math.nan, math.nan, math.nan)


@dataclass(frozen=True)
class FullModelAnswer:
    """Numbers of one signal; NaN where a fit fails or nobody asked.

    Attributes:
        name: of the signal.
        mu_hat: best-fit signal strength, not below 0.
        cls_observed, cls_expected: at mu = 1; the a-posteriori band in the order of `llb.runtime.Band`.
        upper_limit_observed, upper_limit_expected: signal strengths at 95 %.
        seconds: wall time, building of the model included.
        failure: what pyhf says where it has no number; otherwise empty.
    """

    name: str
    mu_hat: float
    cls_observed: float
    cls_expected: Band
    upper_limit_observed: float
    upper_limit_expected: Band
    seconds: float
    failure: str = ""


class FullModel:
    """The workspace that a bundle was learned from.

    Args:
        workspace: background-only workspace as a JSON object; it is not changed.
        manifest: of the bundle.

    Raises:
        FindingError: LLB-Y020 the bundle was not learned from a workspace; LLB-Y011, or from another one.
    """

    def __init__(self, workspace: Mapping[str, Any], manifest: Manifest) -> None:
        teacher = manifest.teacher
        if not teacher.is_workspace:
            raise FindingError(finding("LLB-Y020", actual=teacher.kind))
        self.workspace: dict[str, Any] = copy.deepcopy(dict(workspace))
        found = digest(self.workspace)
        if found != teacher.pyhf_digest:
            raise FindingError(finding("LLB-Y011", expected=teacher.pyhf_digest, actual=found))
        self._manifest = manifest

    def with_yields(self, yields: Mapping[str, float]) -> dict[str, Any]:
        """The workspace with a signal by bin id, to which is done what was done to the bundle's signals."""
        learned = self._manifest.signal_model
        modifiers: list[dict[str, Any]] = [
            {"name": self._manifest.teacher.poi, "type": "normfactor", "data": None},
            *({"name": name, "type": name, "data": None} for name in learned.modifiers),
        ]
        if flat := learned.relative_uncertainty:
            data = {"hi": 1.0 + flat, "lo": 1.0 / (1.0 + flat)}
            modifiers.append({"name": "signal_uncertainty", "type": "normsys", "data": data})
        spec = copy.deepcopy(self.workspace)
        for channel in spec["channels"]:
            bins = range(len(channel["samples"][0]["data"]))
            events = [float(yields[f"{channel['name']}[{index}]"]) for index in bins]
            channel["samples"].append({"name": "signal", "data": events, "modifiers": modifiers})
        return spec

    def with_patch(self, patch: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
        """The workspace with everything that a patch brings."""
        return jsonpatch.apply_patch(self.workspace, list(patch))

    def answer(self, name: str, spec: dict[str, Any], *, upper_limits: bool = True) -> FullModelAnswer:
        """CLs at mu = 1 and upper limits of a workspace with a signal."""
        began = time.perf_counter()
        codes = {kind: {"interpcode": code} for kind, code in self._manifest.teacher.interpolation.items()}
        patched, measurement = pyhf.Workspace(spec), self._manifest.teacher.measurement
        model: Any = patched.model(measurement_name=measurement, modifier_settings=codes)
        data, poi = patched.data(model), model.config.poi_index
        bounds = model.config.suggested_bounds()
        bounds[poi] = (0.0, bounds[poi][1])
        mu_hat, observed, expected = math.nan, math.nan, _NAN_BAND
        limit, limits, failure = math.nan, _NAN_BAND, ""
        try:
            best: Any = mle.fit(data, model, par_bounds=bounds)
            mu_hat = float(np.asarray(best)[poi])
            found: Any = hypotest(1.0, data, model, par_bounds=bounds, return_expected_set=True)
            observed, expected = float(found[0]), _band(found[1])
            if upper_limits:
                limit, limits = _upper_limits(model, data, bounds)
        except (FailedMinimization, ValueError) as error:
            failure = f"{type(error).__name__}: {str(error)[:80]}"
        seconds = time.perf_counter() - began
        return FullModelAnswer(name, mu_hat, observed, expected, limit, limits, seconds, failure)


def _upper_limits(model: Any, data: Any, bounds: Any) -> tuple[float, Band]:
    try:
        found: Any = upper_limit(data, model, level=0.05, rtol=1e-4, par_bounds=bounds)
    except TypeError as error:
        raise ValueError(f"pyhf searches for no limits with JAX arrays: {error}") from error
    return float(found[0]), _band(found[1])


def _band(values: Iterable[Any]) -> Band:
    """pyhf's order is that of `Band`: for limits the smallest first."""
    first, second, median, fourth, fifth = (float(np.asarray(value)) for value in values)
    return first, second, median, fourth, fifth
