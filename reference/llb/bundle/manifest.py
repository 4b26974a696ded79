"""The manifest as typed, frozen data; built from JSON that the schema has accepted."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from llb.bundle.contract import Curve, Domain, GraphSpec, InputBin, SignalModel, Uncertainty
from llb.bundle.identity import Analysis, Author, Reference, Software, Teacher
from llb_schema import migrate

__all__ = ["FileEntry", "Manifest", "Metric", "Provenance", "ValidationData"]


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
class ValidationData:
    """Paths of the test vectors and of the teacher's truth, and the accuracy claimed from them."""

    vectors: str
    heldout: str
    benchmarks: str | None
    method: str
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


@dataclass(frozen=True)
class Provenance:
    """How the bundle was made: paths of the label and training records (None where absent), and software."""

    labels: str | None
    training: str | None
    software: tuple[Software, ...]

    @classmethod
    def from_json(cls, raw: Mapping[str, Any]) -> Provenance:
        """The section in a schema-valid JSON object."""
        software = tuple(Software.from_json(item) for item in raw["software"])
        return cls(raw.get("labels"), raw.get("training"), software)


@dataclass(frozen=True)
class FileEntry:
    """A file of the bundle: POSIX path, size, SHA-256 of its bytes, media type and role."""

    path: str
    bytes: int
    sha256: str
    media_type: str
    role: str

    @classmethod
    def from_json(cls, raw: Mapping[str, Any]) -> FileEntry:
        """The entry in a schema-valid JSON object."""
        return cls(raw["path"], int(raw["bytes"]), raw["sha256"], raw["media_type"], raw["role"])


@dataclass(frozen=True)
class Manifest:
    """A whole manifest of the family `profile_likelihood`; attributes are named like its JSON keys."""

    format_version: str
    id: str
    version: str
    title: str
    authors: tuple[Author, ...]
    license: str
    references: tuple[Reference, ...]
    created: str
    supersedes: str | None
    analysis: Analysis
    teacher: Teacher
    family: str
    inputs: tuple[InputBin, ...]
    mu_convention: str
    curves: tuple[Curve, ...]
    signal_model: SignalModel
    domain: Domain
    uncertainty: Uncertainty
    graphs: tuple[GraphSpec, ...]
    validation: ValidationData
    provenance: Provenance
    files: tuple[FileEntry, ...]
    required_features: tuple[str, ...]
    extensions: Mapping[str, Any]

    @classmethod
    def from_json(cls, raw: Mapping[str, Any]) -> Manifest:
        """The manifest in a JSON object that `llb_schema.validate_document(raw, "manifest")` accepts.

        One of an older format version is migrated; `format_version` is then still what it says itself.
        """
        stated, raw = raw["format_version"], migrate(raw, "manifest")
        return cls(
            format_version=stated,
            id=raw["id"],
            version=raw["version"],
            title=raw["title"],
            authors=tuple(Author.from_json(item) for item in raw["authors"]),
            license=raw["license"],
            references=tuple(Reference.from_json(item) for item in raw["references"]),
            created=raw["created"],
            supersedes=raw.get("supersedes"),
            analysis=Analysis.from_json(raw["analysis"]),
            teacher=Teacher.from_json(raw["teacher"]),
            family=raw["family"],
            inputs=tuple(InputBin.from_json(item) for item in raw["inputs"]),
            mu_convention=raw["mu"]["convention"],
            curves=tuple(Curve.from_json(item) for item in raw["curves"]),
            signal_model=SignalModel.from_json(raw["signal_model"]),
            domain=Domain.from_json(raw["domain"]),
            uncertainty=Uncertainty.from_json(raw["uncertainty"]),
            graphs=tuple(GraphSpec.from_json(item) for item in raw["graphs"]),
            validation=ValidationData.from_json(raw["validation"]),
            provenance=Provenance.from_json(raw["provenance"]),
            files=tuple(FileEntry.from_json(item) for item in raw["files"]),
            required_features=tuple(raw["required_features"]),
            extensions=dict(raw["extensions"]),
        )

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

    def graph(self, role: str) -> GraphSpec | None:
        """The graph with that role, or None."""
        return next((item for item in self.graphs if item.role == role), None)

    def file(self, path: str) -> FileEntry | None:
        """The entry of a listed file, or None."""
        return next((item for item in self.files if item.path == path), None)
