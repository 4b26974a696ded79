"""Which transforms an OLLL file means: it says so in two places, and they have to agree.

`preprocessing` describes them; `run_config.data` is the training's own configuration, which the incumbent's
adapter decodes instead. Numbers are in `standardization`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

from llb.interop.metadata_values import MetadataValues, is_number, place
from llb.interop.olll_metadata import CURVES
from llb.interop.olll_steps import Asinh, Log, LogitBounded, SignedLog, Standardize, Step
from llb_schema import finding

__all__ = [
    "PLAIN_RUN_CONFIG",
    "Pipelines",
    "TransformSource",
    "Transforms",
    "read_pipelines",
    "read_transforms",
]

TransformSource = Literal["preprocessing", "run_config"]

PLAIN_RUN_CONFIG = "data:\n  trafos:\n    fvs_standardized: []\n  nLL_trafos: []\n"
"""No transforms at all, as our own exports write it. YAML that is no JSON: the validator of the incumbent's
adapter refuses an object here."""

_OUTPUTS = len(CURVES)
_FEATURE_STEPS = frozenset({"log_w_negatives", "log", "standardization"})
_OUTPUT_STEPS = _FEATURE_STEPS | {"asinh", "logit_bounded"}
# The adapter's name for its only set of features, left over from another project.
_FEATURE_SET = "fvs_standardized"


@dataclass(frozen=True)
class Pipelines:
    """Names of the transforms, in the order in which training applied them.

    Attributes:
        features: of the inputs.
        outputs: of each of the four outputs.
        asinh_scale: the scale of every `asinh`; None where it is not said.
    """

    features: tuple[str, ...]
    outputs: tuple[tuple[str, ...], ...]
    asinh_scale: float | None = None

    def same_as(self, other: Pipelines) -> bool:
        """Whether both mean the same transforms; a scale that only one of them states is no contradiction."""
        scales = {item for item in (self.asinh_scale, other.asinh_scale) if item is not None}
        scaled = any("asinh" in names for names in self.outputs)
        return (self.features, self.outputs) == (other.features, other.outputs) and (
            len(scales) < 2 or not scaled
        )


@dataclass(frozen=True)
class Transforms:
    """The transforms with their numbers: of the inputs, and of each of the four outputs."""

    features: tuple[Step, ...]
    outputs: tuple[tuple[Step, ...], ...]


def read_pipelines(
    values: MetadataValues,
    decided: TransformSource | None = None,
    run_config: Mapping[str, Any] | None = None,
) -> Pipelines | None:
    """The transforms that a file means.

    Args:
        values: its metadata; what is wrong with them is added to their findings.
        decided: which of the two places counts where they disagree; None refuses that.
        run_config: the training's configuration, in place of what the file has.

    Returns:
        The transforms; None if they cannot be told.
    """
    before = len(values.found)
    described = _preprocessing(values)
    configured = _run_config(values, run_config, needed=described is None or decided == "run_config")
    if described is None and configured is None:
        if len(values.found) == before:
            values.found.append(finding("LLB-F002", "the key preprocessing is missing", pointer="/metadata"))
        return None
    if described is None or configured is None:
        return described or configured
    if described.same_as(configured):
        scale = described.asinh_scale
        return replace(described, asinh_scale=configured.asinh_scale if scale is None else scale)
    if decided is None:
        values.found.append(
            finding(
                "LLB-F008",
                pointer=place("preprocessing"),
                expected=f"those of run_config, {_shown(configured)}",
                actual=_shown(described),
            )
        )
        return None
    return described if decided == "preprocessing" else configured


def _shown(item: Pipelines) -> str:
    outputs = sorted({", ".join(names) for names in item.outputs})
    return f"{', '.join(item.features)} -> {' | '.join(outputs)}"


def _preprocessing(values: MetadataValues) -> Pipelines | None:
    raw = values.mapping("preprocessing", needed=False)
    if raw is None:
        return None
    return _pipelines(
        values, "preprocessing", raw.get("features_pipeline"), raw.get("nLLs_pipeline"), ("", "")
    )


def _run_config(values: MetadataValues, given: Mapping[str, Any] | None, *, needed: bool) -> Pipelines | None:
    raw: Any = given
    if raw is None:
        if "run_config" not in values.texts:
            return None
        if values.texts["run_config"] == PLAIN_RUN_CONFIG:
            return Pipelines((), ((),) * _OUTPUTS)
        quiet = MetadataValues(values.texts)
        raw = quiet.json("run_config", needed=False)
        if quiet.found:
            code = "LLB-F011" if needed else "LLB-F012"
            values.found.append(finding(code, pointer=place("run_config")))
            return None
    data = raw.get("data") if isinstance(raw, Mapping) else None
    if not isinstance(data, Mapping) or "trafos" not in data or "nLL_trafos" not in data:
        # The template's own example has no transforms in it.
        if needed:
            values.wrong("run_config", "an object with data.trafos and data.nLL_trafos", raw)
        return None
    features = data["trafos"]
    if isinstance(features, Mapping):
        if set(features) != {_FEATURE_SET}:
            values.wrong("run_config", f"one set of features, {_FEATURE_SET}", features, "/data/trafos")
            return None
        features = features[_FEATURE_SET]
    return _pipelines(
        values, "run_config", features, data["nLL_trafos"], ("/data/trafos", "/data/nLL_trafos")
    )


def _pipelines(
    values: MetadataValues, key: str, features: Any, outputs: Any, inside: tuple[str, str]
) -> Pipelines | None:
    inputs = _names(values, key, features, inside[0] or "/features_pipeline", _FEATURE_STEPS)
    there = inside[1] or "/nLLs_pipeline"
    scale = None
    parts = [outputs] * _OUTPUTS
    if isinstance(outputs, Mapping):
        scale = outputs.get("asinh_scale")
        parts = _by_output(outputs.get("per_output"))
        if scale is not None and not (is_number(scale) and scale > 0):
            values.wrong(key, "a positive number", scale, f"{there}/asinh_scale")
            return None
    if parts is None:
        values.wrong(key, f"a pipeline for each of {', '.join(CURVES)}", outputs, f"{there}/per_output")
        return None
    found = [_names(values, key, item, there, _OUTPUT_STEPS) for item in parts]
    if inputs is None or None in found:
        return None
    named = tuple(item for item in found if item is not None)
    return Pipelines(inputs, named, None if scale is None else float(scale))


def _by_output(raw: Any) -> list[Any] | None:
    """A pipeline for each output, from a list in their order or an object by their names."""
    if isinstance(raw, Mapping) and set(raw) == set(CURVES):
        return [raw[name] for name in CURVES]
    return list(raw) if isinstance(raw, list) and len(raw) == _OUTPUTS else None


def _names(
    values: MetadataValues, key: str, raw: Any, inside: str, known: frozenset[str]
) -> tuple[str, ...] | None:
    names = [_name(item) for item in raw] if isinstance(raw, list) else [None]
    if None in names:
        values.wrong(key, "a list of names of transforms", raw, inside)
        return None
    unknown = [name for name in names if name not in known]
    for name in dict.fromkeys(unknown):
        values.found.append(
            finding(
                "LLB-F013",
                f"the transform {str(name)[:60]} is not one that can be rebuilt here",
                pointer=place(key, inside),
                expected=", ".join(sorted(known)),
                actual=str(name)[:60],
            )
        )
    return None if unknown else tuple(name for name in names if name is not None)


def _name(item: Any) -> str | None:
    """The name of a transform, which may be written as an object with nothing but its name."""
    if isinstance(item, Mapping) and len(item) == 1:
        item = item.get("name", item.get("type"))
    return item if isinstance(item, str) else None


def read_transforms(values: MetadataValues, pipelines: Pipelines, inputs: int) -> Transforms | None:
    """The transforms with their numbers, for that many inputs; None if there is a finding more."""
    before = len(values.found)
    raw = values.mapping("standardization", needed=False)
    numbers = _Numbers(values, raw or {}, pipelines.asinh_scale)
    features = tuple(numbers.step(name, "features", range(inputs), inputs) for name in pipelines.features)
    outputs = tuple(
        tuple(numbers.step(name, "nLLs", (column,), _OUTPUTS) for name in names)
        for column, names in enumerate(pipelines.outputs)
    )
    return None if len(values.found) > before else Transforms(features, outputs)


@dataclass
class _Numbers:
    """The numbers of transforms, each asked for and complained of once."""

    values: MetadataValues
    raw: Mapping[str, Any]
    scale: float | None

    def __post_init__(self) -> None:
        self._known: dict[str, tuple[float, ...] | None] = {}

    def step(self, name: str, what: str, columns: Sequence[int], width: int) -> Step:
        """A transform of some of the columns; one that stands for it where its numbers are missing."""
        match name:
            case "log_w_negatives":
                return SignedLog()
            case "log":
                return Log()
            case "asinh":
                return Asinh(self._scale())
            case "logit_bounded":
                lo, hi = self._part("nLLs_lo", width), self._part("nLLs_hi", width)
                self._rising("nLLs_hi", lo, hi)
                return LogitBounded(*(tuple(item[column] for column in columns) for item in (lo, hi)))
            case _:
                mean, std = self._part(f"{what}_mean", width), self._part(f"{what}_std", width)
                self._rising(f"{what}_std", (0.0,) * width, std)
                return Standardize(*(tuple(item[column] for column in columns) for item in (mean, std)))

    def _part(self, name: str, width: int) -> tuple[float, ...]:
        """A number for each column; ones where they are missing, so that reading can go on."""
        if name not in self._known:
            self._known[name] = self._read(name, width)
        return self._known[name] or (1.0,) * width

    def _read(self, name: str, width: int) -> tuple[float, ...] | None:
        if name not in self.raw:
            self._missing(f"standardization has no {name}", f"/{name}")
            return None
        found = self.values.vector("standardization", self.raw[name], f"/{name}")
        if found is not None and len(found) != width:
            self.values.wrong("standardization", f"{width} numbers", f"{len(found)}", f"/{name}")
            return None
        return found

    def _scale(self) -> float:
        scale: Any = self.raw.get("asinh_scale") if self.scale is None else self.scale
        if is_number(scale) and scale > 0:
            return float(scale)
        self._missing("an asinh has no asinh_scale", "/asinh_scale")
        return 1.0

    def _missing(self, message: str, inside: str) -> None:
        item = finding("LLB-F014", message, pointer=place("standardization", inside))
        if item not in self.values.found:
            self.values.found.append(item)

    def _rising(self, name: str, low: Sequence[float], high: Sequence[float]) -> None:
        if self._known.get(name) is None or all(a < b for a, b in zip(low, high, strict=True)):
            return
        expected = "positive numbers" if name.endswith("_std") else "numbers above nLLs_lo"
        message = f"{name} of standardization are not {expected}"
        where = place("standardization", f"/{name}")
        item = finding("LLB-F005", message, pointer=where, expected=expected)
        if item not in self.values.found:
            self.values.found.append(item)
