"""What a manifest says whatever the family of its bundle, as typed, frozen data."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from llb.bundle.contract import Domain, GraphSpec
from llb.bundle.identity import Analysis, Author, Reference, Software, Teacher

__all__ = ["FileEntry", "ManifestHead", "Provenance", "ValidationPaths", "head_values"]


@dataclass(frozen=True)
class ValidationPaths:
    """Paths of the test vectors and of the teacher's truth, and how that was made."""

    vectors: str
    heldout: str
    method: str

    @property
    def tables(self) -> Mapping[str, str]:
        """Paths of all tables, by the role in which the files are listed."""
        return {"heldout": self.heldout}


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
class ManifestHead(ABC):
    """The part of a manifest that all families have; attributes are named like its JSON keys.

    Each family has a class of its own, which adds what its numbers mean.
    """

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
    domain: Domain
    graphs: tuple[GraphSpec, ...]
    provenance: Provenance
    files: tuple[FileEntry, ...]
    required_features: tuple[str, ...]
    extensions: Mapping[str, Any]

    @property
    @abstractmethod
    def evidence(self) -> ValidationPaths:
        """Where the vectors and the truth are, whatever is claimed from them."""

    @property
    @abstractmethod
    def columns(self) -> tuple[str, ...]:
        """Names of the graph's input columns, in their order."""

    def graph(self, role: str) -> GraphSpec | None:
        """The graph with that role, or None."""
        return next((item for item in self.graphs if item.role == role), None)

    def file(self, path: str) -> FileEntry | None:
        """The entry of a listed file, or None."""
        return next((item for item in self.files if item.path == path), None)


def head_values(raw: Mapping[str, Any], stated: str) -> dict[str, Any]:
    """The values of `ManifestHead` in a schema-valid JSON object, by attribute.

    Args:
        raw: the manifest, migrated where its version is an older one.
        stated: the version that it gives itself.
    """
    return {
        "format_version": stated,
        "id": raw["id"],
        "version": raw["version"],
        "title": raw["title"],
        "authors": tuple(Author.from_json(item) for item in raw["authors"]),
        "license": raw["license"],
        "references": tuple(Reference.from_json(item) for item in raw["references"]),
        "created": raw["created"],
        "supersedes": raw.get("supersedes"),
        "analysis": Analysis.from_json(raw["analysis"]),
        "teacher": Teacher.from_json(raw["teacher"]),
        "family": raw["family"],
        "domain": Domain.from_json(raw["domain"]),
        "graphs": tuple(GraphSpec.from_json(item) for item in raw["graphs"]),
        "provenance": Provenance.from_json(raw["provenance"]),
        "files": tuple(FileEntry.from_json(item) for item in raw["files"]),
        "required_features": tuple(raw["required_features"]),
        "extensions": dict(raw["extensions"]),
    }
