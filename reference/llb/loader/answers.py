"""A loader: one bundle open at a time, and an answer to every request of the protocol."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from llb import __version__
from llb.loader.densities import density_described, density_log_probs, density_samples
from llb.loader.opening import Opened, Refusal, open_bundle
from llb.loader.wire import listed, number
from llb.runtime import Density, Limits, ProfileLikelihood, gradients, limits
from llb_schema import LINES, FindingError

__all__ = ["CLASSES", "Loader"]

Array = NDArray[np.float64]
Message = dict[str, Any]

CLASSES = ("core", "archives", "gradient", "limits", "density")
"""Classes of conformance that the loader claims."""

_OF_LIKELIHOODS = frozenset({"evaluate", "gradient", "limits"})
_OF_DENSITIES = frozenset({"log_prob", "sample"})
_TEXT = 2000


class Loader:
    """Answers requests of `urn:llb:schema:1.1:protocol`, one after the other.

    Args:
        opened: opens a bundle; another one takes bundles from elsewhere, or again.
    """

    def __init__(self, opened: Callable[[str], Opened] = open_bundle) -> None:
        self._open_bundle = opened
        self._opened: ProfileLikelihood | Density | None = None
        self._answers: dict[str, Callable[[Mapping[str, Any]], Message]] = {
            "open": self.open,
            "describe": self.describe,
            "evaluate": self.evaluate,
            "gradient": self.gradient,
            "limits": self.limits,
            "log_prob": self.log_prob,
            "sample": self.sample,
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
        if name not in self._answers or not self._has(name):
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
        self._opened = None
        opened = self._open_bundle(request["bundle"])
        if isinstance(opened, Refusal):
            return _rejected(opened.stage, opened.code, opened.pointer, opened.message)
        self._opened = opened
        version = opened.bundle.raw["format_version"]
        inputs = opened.parameters if isinstance(opened, Density) else opened.bin_ids
        return {"reply": "opened", "format_version": version, "inputs": list(inputs)}

    def describe(self, request: Mapping[str, Any]) -> Message:  # noqa: ARG002 - one form for all answers
        """What the manifest says."""
        if isinstance(self._opened, Density):
            return density_described(self._opened)
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
            **{key: {name: listed(curves[name]) for name in asked} for key, curves in values.items()},
            "out_of_domain": self._outside(points),
        }

    def gradient(self, request: Mapping[str, Any]) -> Message:
        """Derivatives of Delta NLL."""
        points = self._points(request)
        slopes = gradients(self.model, points)
        return {
            "reply": "gradients",
            "gradient": {name: [listed(row) for row in slopes[name]] for name in request["curves"]},
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

    def log_prob(self, request: Mapping[str, Any]) -> Message:
        """Log density."""
        return density_log_probs(self.density, request)

    def sample(self, request: Mapping[str, Any]) -> Message:
        """Samples of given noise."""
        return density_samples(self.density, request)

    def close(self, request: Mapping[str, Any]) -> Message:  # noqa: ARG002
        """Closes the bundle."""
        if self._opened is None:
            raise RuntimeError("no bundle is open")
        self._opened = None
        return {"reply": "closed"}

    @property
    def model(self) -> ProfileLikelihood:
        """The open profile likelihood.

        Raises:
            RuntimeError: none is.
        """
        if not isinstance(self._opened, ProfileLikelihood):
            raise RuntimeError("no bundle of a profile likelihood is open")
        return self._opened

    @property
    def density(self) -> Density:
        """The open density.

        Raises:
            RuntimeError: none is.
        """
        if not isinstance(self._opened, Density):
            raise RuntimeError("no bundle of a density is open")
        return self._opened

    def _has(self, name: str) -> bool:
        """Whether the open bundle, if there is one, is of a family that has such a request (PROTOCOL-7)."""
        if isinstance(self._opened, Density):
            return name not in _OF_LIKELIHOODS and (name != "sample" or self._opened.can_sample)
        return self._opened is None or name not in _OF_DENSITIES

    def _failed(self, error: Exception) -> Message:
        """A fault of the signals, where there is a bundle that they are for, or one of ours."""
        if isinstance(error, FindingError) and self._opened is not None:
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
        "cls_observed": number(found.cls_observed),
        "cls_expected": listed(found.cls_expected),
        "cls_apriori": listed(found.cls_apriori),
        "upper_limit_observed": number(found.upper_limit_observed),
        "upper_limit_expected": listed(found.upper_limit_expected),
        "upper_limit_apriori": listed(found.upper_limit_apriori),
    }
