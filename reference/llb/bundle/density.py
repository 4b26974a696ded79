"""The manifest of a density as typed, frozen data: its parameters, what its number means, what is claimed."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

from llb.bundle.head import ManifestHead, ValidationPaths, head_values
from llb_schema import migrate

__all__ = [
    "DENSITY_FAMILIES",
    "Column",
    "DensityManifest",
    "DensityValidation",
    "LogProbMetric",
    "Meaning",
    "Parameter",
    "PriorFactor",
    "SampleMetric",
]

DENSITY_FAMILIES = ("full_likelihood", "parameter_likelihood")
"""The families of functions that have parameters as input."""

_Sorted = TypeVar("_Sorted", bound="Column")


@dataclass(frozen=True)
class Column:
    """A quantity that a graph of a density takes: a condition, or a parameter.

    Attributes:
        name: how loaders name it.
        unit: in plain text, `1` for none.
        column: of the graph's input.
        lower: smallest value; -infinity where the bounds are open.
        upper: largest value, likewise.
        label: how pictures write it.
    """

    name: str
    unit: str
    column: int
    lower: float
    upper: float
    label: str

    @classmethod
    def from_json(cls, raw: Mapping[str, Any]) -> Column:
        """The condition in a schema-valid JSON object."""
        return cls(**_column(raw))


@dataclass(frozen=True)
class Parameter(Column):
    """A parameter of the density; `role` is `poi` or `nuisance`. Outside of its bounds the density is 0."""

    role: str

    @classmethod
    def from_json(cls, raw: Mapping[str, Any]) -> Parameter:
        """The parameter in a schema-valid JSON object."""
        return cls(**_column(raw), role=raw["role"])


def _column(raw: Mapping[str, Any]) -> dict[str, Any]:
    bounds = raw["bounds"]
    return {
        "name": raw["name"],
        "unit": raw["unit"],
        "column": int(raw["column"]),
        "lower": float(bounds.get("lower", -math.inf)),
        "upper": float(bounds.get("upper", math.inf)),
        "label": raw["label"],
    }


@dataclass(frozen=True)
class PriorFactor:
    """The prior of one parameter.

    Attributes:
        parameter: its name.
        kind: `uniform`, `normal`, `lognormal`, `constraint` or `other`.
        mean: of `normal`, or of the logarithm of `lognormal`; NaN of the others.
        width: its standard deviation, likewise.
        text: what `other` is; "" of the others.
    """

    parameter: str
    kind: str
    mean: float = math.nan
    width: float = math.nan
    text: str = ""

    @classmethod
    def from_json(cls, raw: Mapping[str, Any]) -> PriorFactor:
        """The factor in a schema-valid JSON object."""
        mean, width = (float(raw.get(key, math.nan)) for key in ("mean", "width"))
        return cls(raw["parameter"], raw["kind"], mean, width, raw.get("text", ""))


@dataclass(frozen=True)
class Meaning:
    """What the number `log_prob` is (DENSITY-1).

    Attributes:
        kind: `posterior`, `normalized_likelihood` or `likelihood`.
        prior: the factors of a posterior's prior; empty of the others.
        offset: to be added to the graph's number, in double precision; 0 but of a `likelihood`.
    """

    kind: str
    prior: tuple[PriorFactor, ...]
    offset: float

    @classmethod
    def from_json(cls, raw: Mapping[str, Any]) -> Meaning:
        """The section in a schema-valid JSON object."""
        prior = tuple(PriorFactor.from_json(item) for item in raw.get("prior", ()))
        return cls(raw["kind"], prior, float(raw.get("offset", 0.0)))

    @property
    def is_normalized(self) -> bool:
        """Whether the integral over the parameters is 1."""
        return self.kind != "likelihood"


@dataclass(frozen=True)
class LogProbMetric:
    """A claimed accuracy: quantiles of |error of the log density| over the held-out points."""

    count: int
    median: float
    p95: float
    p99: float
    max: float

    @classmethod
    def from_json(cls, raw: Mapping[str, Any]) -> LogProbMetric:
        """The metric in a schema-valid JSON object."""
        return cls(int(raw["count"]), *(float(raw[key]) for key in ("median", "p95", "p99", "max")))


@dataclass(frozen=True)
class SampleMetric:
    """A claimed distance between samples of the density and of the truth, beside its null (CLAIM-4).

    Attributes:
        quantity: which distance.
        value: between `n` samples of the density and `n` held-out points.
        null: its mean between two disjoint samples of the truth, over the repetitions.
        null_std: its standard deviation over them.
        n: points of each sample.
        repetitions: pairs of samples of the truth.
        seed: of all that is drawn.
    """

    quantity: str
    value: float
    null: float
    null_std: float
    n: int
    repetitions: int
    seed: int

    @classmethod
    def from_json(cls, raw: Mapping[str, Any]) -> SampleMetric:
        """The metric in a schema-valid JSON object."""
        return cls(
            quantity=raw["quantity"],
            value=float(raw["value"]),
            null=float(raw["null"]),
            null_std=float(raw["null_std"]),
            n=int(raw["n"]),
            repetitions=int(raw["repetitions"]),
            seed=int(raw["seed"]),
        )


@dataclass(frozen=True)
class DensityValidation(ValidationPaths):
    """Paths of the test vectors and of the held-out points, and what is claimed from them."""

    metrics: tuple[LogProbMetric, ...]
    sample_metrics: tuple[SampleMetric, ...]

    @classmethod
    def from_json(cls, raw: Mapping[str, Any]) -> DensityValidation:
        """The section in a schema-valid JSON object."""
        return cls(
            vectors=raw["vectors"],
            heldout=raw["heldout"],
            method=raw["method"],
            metrics=tuple(LogProbMetric.from_json(item) for item in raw["metrics"]),
            sample_metrics=tuple(SampleMetric.from_json(item) for item in raw.get("sample_metrics", ())),
        )


@dataclass(frozen=True)
class DensityManifest(ManifestHead):
    """A whole manifest of a family of densities; attributes are named like its JSON keys."""

    parameters: tuple[Parameter, ...]
    conditions: tuple[Column, ...]
    density: Meaning
    validation: DensityValidation

    @classmethod
    def from_json(cls, raw: Mapping[str, Any]) -> DensityManifest:
        """The manifest in a JSON object that `llb_schema.validate_document(raw, "manifest")` accepts."""
        stated, raw = raw["format_version"], migrate(raw, "manifest")
        return cls(
            **head_values(raw, stated),
            parameters=_by_column(Parameter.from_json(item) for item in raw["parameters"]),
            conditions=_by_column(Column.from_json(item) for item in raw.get("conditions", ())),
            density=Meaning.from_json(raw["density"]),
            validation=DensityValidation.from_json(raw["validation"]),
        )

    @property
    def evidence(self) -> ValidationPaths:
        """Where the vectors and the truth are, whatever is claimed from them."""
        return self.validation

    @property
    def columns(self) -> tuple[str, ...]:
        """Names of the parameters, in the order of the graph's columns."""
        return tuple(item.name for item in self.parameters)

    @property
    def condition_names(self) -> tuple[str, ...]:
        """Names of the conditions, in the order of the columns of the graph's second input."""
        return tuple(item.name for item in self.conditions)


def _by_column(items: Iterable[_Sorted]) -> tuple[_Sorted, ...]:
    return tuple(sorted(items, key=lambda item: item.column))
