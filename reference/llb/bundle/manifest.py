"""The manifest of a profile likelihood as typed, frozen data, from JSON that the schema has accepted."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from llb.bundle.contract import Curve, InputBin, SignalModel, Uncertainty
from llb.bundle.head import ManifestHead, ValidationPaths, head_values
from llb_schema import migrate

__all__ = ["Manifest", "Metric", "ValidationData"]


@dataclass(frozen=True)
class Metric:
    """A claimed accuracy: quantiles of |error of Delta NLL| of one curve in one region, in NLL units."""

    curve: str
    region: str
    count: int
    median: float
    p95: float
    p99: float
    max: float

    @classmethod
    def from_json(cls, raw: Mapping[str, Any]) -> Metric:
        """The metric in a schema-valid JSON object."""
        quantiles = (float(raw[key]) for key in ("median", "p95", "p99", "max"))
        return cls(raw["curve"], raw["region"], int(raw["count"]), *quantiles)


@dataclass(frozen=True)
class ValidationData(ValidationPaths):
    """Paths of the test vectors and of the teacher's truth, and the accuracy claimed from them."""

    benchmarks: str | None
    metrics: tuple[Metric, ...]

    @classmethod
    def from_json(cls, raw: Mapping[str, Any]) -> ValidationData:
        """The section in a schema-valid JSON object."""
        return cls(
            vectors=raw["vectors"],
            heldout=raw["heldout"],
            benchmarks=raw.get("benchmarks"),
            method=raw["method"],
            metrics=tuple(Metric.from_json(item) for item in raw["metrics"]),
        )

    @property
    def tables(self) -> Mapping[str, str]:
        """Paths of all tables, by the role in which the files are listed."""
        more = {} if self.benchmarks is None else {"benchmarks": self.benchmarks}
        return {**super().tables, **more}


@dataclass(frozen=True)
class Manifest(ManifestHead):
    """A whole manifest of the family `profile_likelihood`; attributes are named like its JSON keys."""

    inputs: tuple[InputBin, ...]
    mu_convention: str
    curves: tuple[Curve, ...]
    signal_model: SignalModel
    uncertainty: Uncertainty
    validation: ValidationData

    @classmethod
    def from_json(cls, raw: Mapping[str, Any]) -> Manifest:
        """The manifest in a JSON object that `llb_schema.validate_document(raw, "manifest")` accepts.

        One of an older format version is migrated; `format_version` is then still what it says itself.
        """
        stated, raw = raw["format_version"], migrate(raw, "manifest")
        return cls(
            **head_values(raw, stated),
            inputs=tuple(InputBin.from_json(item) for item in raw["inputs"]),
            mu_convention=raw["mu"]["convention"],
            curves=tuple(Curve.from_json(item) for item in raw["curves"]),
            signal_model=SignalModel.from_json(raw["signal_model"]),
            uncertainty=Uncertainty.from_json(raw["uncertainty"]),
            validation=ValidationData.from_json(raw["validation"]),
        )

    @property
    def evidence(self) -> ValidationPaths:
        """Where the vectors and the truth are, whatever is claimed from them."""
        return self.validation

    @property
    def columns(self) -> tuple[str, ...]:
        """Names of the graph's input columns, in their order."""
        return self.bin_ids

    @property
    def bins(self) -> tuple[InputBin, ...]:
        """The inputs in the order of the graph's columns."""
        return tuple(sorted(self.inputs, key=lambda item: item.column))

    @property
    def bin_ids(self) -> tuple[str, ...]:
        """Ids of the inputs in the order of the graph's columns."""
        return tuple(item.id for item in self.bins)

    @property
    def own_curves(self) -> tuple[Curve, ...]:
        """The curves that have an output column of their own (no aliases), in column order."""
        return tuple(sorted((item for item in self.curves if item.alias_of is None), key=lambda c: c.column))

    def curve(self, name: str) -> Curve:
        """The curve of that name; KeyError if there is none."""
        for item in self.curves:
            if item.name == name:
                return item
        raise KeyError(name)
