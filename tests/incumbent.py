"""The incumbent's side of OLLL v0.1, written anew from its description: an adapter, two validators' rules.

Metadata are read by literal_eval where the incumbent uses eval, so that what needs more than literals fails.
"""

from __future__ import annotations

import ast
import json
import math
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
import onnx
import onnxruntime
import yaml
from numpy.typing import NDArray

Array = NDArray[np.float64]

CURVES = ("exp", "obs", "A_exp", "A_obs")
_MU0 = ("nLL_exp_mu0", "nLL_obs_mu0", "nLLA_exp_mu0", "nLLA_obs_mu0")
_MAX = ("nLL_exp_max", "nLL_obs_max", "nLLA_exp_max", "nLLA_obs_max")


class Adapter:
    """x = background + s (observed + s in control regions), transforms, network, transforms back."""

    def __init__(self, data: bytes) -> None:
        model = onnx.load_model_from_string(data)
        raw = {item.key: item.value for item in model.metadata_props}
        channels = ast.literal_eval(raw["channels"])
        removed = ast.literal_eval(raw["remove_channels"])
        self.control = [name for part in channels for name, role in part.items() if role == "CR"]
        kept = [
            (name, value)
            for name, value in ast.literal_eval(raw["bkg_yields"])
            if name not in removed and name[: name.rfind("-")] not in removed
        ]
        self.background = dict(kept)
        self.observed = {name: int(value) for name, value in ast.literal_eval(raw["obs_yields"])}
        standard = ast.literal_eval(raw["standardization"])
        width = len(kept)
        self.mean = np.array((standard["features_mean"][0] * 3)[:width])
        self.std = np.array((standard["features_std"][0] * 3)[:width])
        self.target_mean, self.target_std = standard["nLLs_mean"][0], standard["nLLs_std"][0]
        self.config = yaml.safe_load(raw["run_config"])["data"]
        self.bounds = standard
        self.baseline = np.array([json.loads(raw[key]) for key in _MU0])
        self.best = [json.loads(raw[key]) for key in _MAX]
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 1
        self.session = onnxruntime.InferenceSession(data, options)

    def totals(self, signal: Mapping[str, float]) -> list[float]:
        """Total yields of a signal by name of bin."""
        assert set(signal) == set(self.background)
        return [
            (self.observed[name] if name.rpartition("-")[0] in self.control else base) + signal[name]
            for name, base in self.background.items()
        ]

    def predict(self, signal: Mapping[str, float]) -> tuple[Array, Array]:
        """Delta NLL (4,) and its sigma (4,), one point at a time."""
        x = np.array(self.totals(signal))
        for name in self.config["trafos"]["fvs_standardized"]:
            x = (x - self.mean) / self.std if name == "standardization" else _forward(name, x)
        (found,) = self.session.run(None, {"features": [list(map(float, x))]})
        out = np.array(found[0], np.float64)
        eps = 1e-5
        above, below = self.back(out[:4] + eps), self.back(out[:4] - eps)
        return self.back(out[:4]), np.abs(above - below) / (2.0 * eps) * out[4:]

    def back(self, y: Array) -> Array:
        """The transforms of the targets undone."""
        trafos = self.config["nLL_trafos"]
        parts = trafos["per_output"] if isinstance(trafos, dict) else [trafos] * 4
        if isinstance(parts, dict):
            parts = list(parts.values())
        scale = trafos.get("asinh_scale", 1.0) if isinstance(trafos, dict) else 1.0
        values = list(map(float, y))
        for column, names in enumerate(parts):
            for name in reversed(names):
                values[column] = self._undone(name, values[column], column, scale)
        return np.array(values)

    def _undone(self, name: str, y: float, column: int, scale: float) -> float:
        match name:
            case "standardization":
                return y * self.target_std[column] + self.target_mean[column]
            case "log_w_negatives":
                return math.copysign(math.expm1(abs(y)), y)
            case "log":
                return math.exp(y)
            case "asinh":
                return scale * math.sinh(y)
            case "logit_bounded":
                lo, hi = (self.bounds[key][0][column] for key in ("nLLs_lo", "nLLs_hi"))
                return lo + (hi - lo) / (1.0 + math.exp(-y))
        raise ValueError(name)

    def nll(self, signal: Mapping[str, float], mu: float) -> Array:
        """NLL (4,) at mu times the signal."""
        delta, _ = self.predict({name: mu * value for name, value in signal.items()})
        return self.baseline + delta


def _forward(name: str, x: Array) -> Array:
    return np.sign(x) * np.log1p(np.abs(x)) if name == "log_w_negatives" else np.log(x)


def adapter_validator(data: bytes) -> None:
    """The rules of the adapter's own validator; AssertionError says which is broken."""
    raw = {item.key: item.value for item in onnx.load_model_from_string(data).metadata_props}
    parsed: dict[str, Any] = {}
    for key, value in raw.items():
        try:
            parsed[key] = json.loads(value)
        except ValueError:
            parsed[key] = value
    assert isinstance(parsed["preprocessing"]["features_pipeline"], list)
    assert isinstance(parsed["channels"], list)
    assert all(isinstance(item, dict) for item in parsed["channels"])
    for key in ("obs_yields", "bkg_yields"):
        assert all(isinstance(item, list) for item in parsed[key])
    assert isinstance(parsed["run_config"], str)


def validator_errors(data: bytes) -> list[str]:
    """Codes of the errors that the validator of the standard has, by the list of its checks."""
    model = onnx.load_model_from_string(data)
    onnx.checker.check_model(model)
    return list(_errors(model))


def _finite(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)


def _errors(model: onnx.ModelProto) -> Iterator[str]:  # noqa: C901 - one flat list of checks
    keys = [item.key for item in model.metadata_props]
    raw = {item.key: item.value for item in model.metadata_props}
    if len(keys) != len(raw):
        yield "DUPLICATE_KEY"
    plain = ("olll_schema_version", "model_type", "model_name", "model_author", "model_license", "input_type")
    lists = ("x_min", "x_max", "y_min", "y_max", "obs_yields", "bkg_yields", "bkg_unc", "remove_channels")
    objects = ("source", "channels", "preprocessing", "standardization")
    required = {*plain, *lists, *objects, "removeCRsVRs", *_MU0, *_MAX}
    if not required <= set(raw):
        yield "MISSING_REQUIRED"
        return
    values = {key: json.loads(raw[key]) for key in required - set(plain)}
    if raw["olll_schema_version"] != "0.1":
        yield "VERSION"
    if not all(raw[key].strip() for key in plain):
        yield "MODEL"
    if raw["input_type"] != "total_yields":
        yield "INPUT_TYPE"
    yield from _source_errors(values["source"])
    channels = values["channels"]
    if not isinstance(channels, dict) or not channels or not set(channels.values()) <= {"SR", "CR", "VR"}:
        yield "CHANNELS"
    names = [[item[0] for item in values[key]] for key in ("obs_yields", "bkg_yields", "bkg_unc")]
    numbers = [item[1] for key in ("obs_yields", "bkg_yields", "bkg_unc") for item in values[key]]
    if not all(_finite(number) and number >= 0 for number in numbers) or len(set(names[0])) != len(names[0]):
        yield "YIELDS"
    if names[0] != names[1] or names[0] != names[2]:
        yield "YIELD_ORDER"
    known = channels if isinstance(channels, dict) else {}
    if known and not all(any(n == c or n.startswith(c + "-") for c in known) for n in names[0]):
        yield "BIN_CHANNEL"
    if not isinstance(values["removeCRsVRs"], bool) or not set(values["remove_channels"]) <= set(known):
        yield "REMOVAL"
    yield from _graph_errors(model, values)
    for key in _MU0:
        if not _finite(float(raw[key])):
            yield "LIKELIHOOD"
    for key in _MAX:
        if len(values[key]) != 2 or not all(map(_finite, values[key])):
            yield "LIKELIHOOD"
    config = yaml.safe_load(raw["run_config"]) if "run_config" in raw else {}
    if not isinstance(config, dict):
        yield "INVALID_RUN_CONFIG"


def _source_errors(source: dict[str, Any]) -> Iterator[str]:
    texts = [source.get(key) for key in ("analysis_id", "arxiv", "experiment")]
    model = source.get("statistical_model", {})
    texts += [model.get("reference"), model.get("filename")]
    good = all(isinstance(text, str) and text.strip() for text in texts)
    if not good or not _finite(source.get("sqrt_s")) or source["sqrt_s"] <= 0:
        yield "SOURCE"
    if model.get("type") not in {"histfactory", "hs3", "combine"}:
        yield "SOURCE"


def _graph_errors(model: onnx.ModelProto, values: dict[str, Any]) -> Iterator[str]:
    for low, high in (("x_min", "x_max"), ("y_min", "y_max")):
        pairs = list(zip(values[low], values[high], strict=True))
        if not pairs or not all(_finite(a) and _finite(b) and a <= b for a, b in pairs):
            yield "BOUNDS"
    outputs = list(model.graph.output)
    if len(outputs) != 1 or len(values["y_min"]) != 4:
        yield "OUTPUT_CONVENTION"
    if outputs[0].type.tensor_type.shape.dim[-1].dim_value != 8:
        yield "GRAPH_DIM"
    width = model.graph.input[0].type.tensor_type.shape.dim[-1].dim_value
    if width != len(values["x_min"]):
        yield "GRAPH_DIM"
    for key in ("features_pipeline", "nLLs_pipeline"):
        if not isinstance(values["preprocessing"].get(key), list | dict):
            yield "PREPROCESSING"
    for what, size in (("features", width), ("nLLs", 4)):
        mean, std = (values["standardization"][f"{what}_{part}"][0] for part in ("mean", "std"))
        if len(mean) != size or len(std) != size or not all(_finite(x) and x > 0 for x in std):
            yield "STANDARDIZATION"
