"""A loader: one bundle open at a time, and an answer to every request of the protocol."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from llb import __version__
from llb.loader.opening import Refusal, open_bundle
from llb.runtime import Limits, ProfileLikelihood, gradients, limits
from llb_schema import LINES, FindingError

__all__ = ["CLASSES", "Loader"]

Array = NDArray[np.float64]
Message = dict[str, Any]

CLASSES = ("core", "archives", "gradient", "limits")
"""Classes of conformance that the loader claims."""

_TEXT = 2000


class Loader:
    """Answers requests of `urn:llb:schema:1.0:protocol`, one after the other.

    Args:
        opened: opens a bundle; another one takes bundles from elsewhere, or again.
    """

    def __init__(self, opened: Callable[[str], ProfileLikelihood | Refusal] = open_bundle) -> None:
        self._open_bundle = opened
        self._model: ProfileLikelihood | None = None
        self._answers: dict[str, Callable[[Mapping[str, Any]], Message]] = {
            "open": self.open,
            "describe": self.describe,
            "evaluate": self.evaluate,
            "gradient": self.gradient,
            "limits": self.limits,
            "close": self.close,
        }

    def answer(self, request: Mapping[str, Any]) -> Message:
        """The reply to a request. What goes wrong on the way is the reply `errored`."""
        name = str(request.get("cmd"))
        if name == "start":
            return self.start()
        seq = {"seq": request.get("seq")}
        if name == "stop":
            return {"reply": "stopped", **seq}
        if name not in self._answers:
            return {"reply": "unsupported", **seq, "what": name[:100] or "nothing"}
        try:
            reply = self._answers[name](request)
        except Exception as error:
            reply = self._failed(error)
        return {"reply": reply.pop("reply"), **seq, **reply}

    def start(self) -> Message:
        """Who the loader is."""
        return {
            "reply": "started",
            "protocol": 1,
            "implementation": {"name": "llb", "version": __version__, "language": "Python"},
            "format_versions": list(LINES),
            "classes": list(CLASSES),
        }

    def open(self, request: Mapping[str, Any]) -> Message:
        """Opens a bundle, in the place of the one that is open."""
        self._model = None
        opened = self._open_bundle(request["bundle"])
        if isinstance(opened, Refusal):
            return _rejected(opened.stage, opened.code, opened.pointer, opened.message)
        self._model = opened
        version = opened.bundle.raw["format_version"]
        return {"reply": "opened", "format_version": version, "inputs": list(opened.bin_ids)}

    def describe(self, request: Mapping[str, Any]) -> Message:  # noqa: ARG002 - one form for all answers
        """What the manifest says."""
        manifest = self.model.bundle.manifest
        return {
            "reply": "described",
            "id": manifest.id,
            "version": manifest.version,
            "inputs": list(manifest.bin_ids),
            "curves": {curve.name: curve.baseline_nll for curve in manifest.curves},
            "lower": list(manifest.domain.lower),
            "upper": list(manifest.domain.upper),
        }

    def evaluate(self, request: Mapping[str, Any]) -> Message:
        """Delta NLL, and its stated error if there is one."""
        points = self._points(request) * request.get("mu", 1.0)
        asked = request["curves"]
        values = {"delta_nll": self.model.delta_nll(points)}
        if self.model.has_uncertainty:
            values["sigma"] = self.model.sigma(points)
        return {
            "reply": "values",
            **{key: {name: _listed(curves[name]) for name in asked} for key, curves in values.items()},
            "out_of_domain": self._outside(points),
        }

    def gradient(self, request: Mapping[str, Any]) -> Message:
        """Derivatives of Delta NLL."""
        points = self._points(request)
        slopes = gradients(self.model, points)
        return {
            "reply": "gradients",
            "gradient": {name: [_listed(row) for row in slopes[name]] for name in request["curves"]},
            "out_of_domain": self._outside(points),
        }

    def limits(self, request: Mapping[str, Any]) -> Message:
        """CLs at mu = 1 and upper limits."""
        found = limits(self.model, self._points(request), level=request["level"])
        return {
            "reply": "limits",
            "signals": [_numbers(item) for item in found],
            "out_of_domain": [not item.in_domain for item in found],
        }

    def close(self, request: Mapping[str, Any]) -> Message:  # noqa: ARG002
        """Closes the bundle."""
        _ = self.model
        self._model = None
        return {"reply": "closed"}

    @property
    def model(self) -> ProfileLikelihood:
        """The open bundle.

        Raises:
            RuntimeError: none is.
        """
        if self._model is None:
            raise RuntimeError("no bundle is open")
        return self._model

    def _failed(self, error: Exception) -> Message:
        """A fault of the signals, where there is a bundle that they are for, or one of ours."""
        if isinstance(error, FindingError) and self._model is not None:
            first = error.findings[0]
            return _rejected("input", first.code, first.pointer, first.message)
        return {"reply": "errored", "context": {"message": f"{type(error).__name__}: {error}"[:_TEXT]}}

    def _points(self, request: Mapping[str, Any]) -> Array:
        """Signals or points of a request, shape (N, n_bins)."""
        model = self.model
        if "signals" in request:
            rows = [
                model.signal({name: float(value) for name, value in signal.items()})
                for signal in request["signals"]
            ]
        else:
            rows = [model.signal([float(value) for value in row]) for row in request["points"]]
        return np.array(rows)

    def _outside(self, points: Array) -> list[bool]:
        return [not inside for inside in self.model.in_domain(points)]


def _rejected(stage: str, code: str, pointer: str, message: str) -> Message:
    return {
        "reply": "rejected",
        "stage": stage,
        "code": code,
        "pointer": pointer[:_TEXT],
        "message": message[:_TEXT],
    }


def _numbers(found: Limits) -> Message:
    return {
        "cls_observed": _number(found.cls_observed),
        "cls_expected": _listed(found.cls_expected),
        "cls_apriori": _listed(found.cls_apriori),
        "upper_limit_observed": _number(found.upper_limit_observed),
        "upper_limit_expected": _listed(found.upper_limit_expected),
        "upper_limit_apriori": _listed(found.upper_limit_apriori),
    }


def _listed(values: Iterable[float]) -> list[float | str]:
    return [_number(float(value)) for value in values]


def _number(value: float) -> float | str:
    """A double as the protocol writes it (PROTOCOL-2)."""
    if math.isfinite(value):
        return value
    return "NaN" if math.isnan(value) else "Infinity" if value > 0.0 else "-Infinity"
