"""What an index says of one bundle."""

from __future__ import annotations

import re
from dataclasses import asdict, dataclass
from typing import Any

from llb.bundle import (
    Analysis,
    AnyBundle,
    DensityManifest,
    Manifest,
    ManifestHead,
    Reference,
    content_id,
    file_digests,
)

__all__ = ["Entry", "ErrorOf", "entry_of"]


@dataclass(frozen=True)
class ErrorOf:
    """The claimed error of a curve in the region `decision`, or of the log density, in NLL units."""

    function: str
    median: float
    p99: float


@dataclass(frozen=True)
class Entry:
    """A bundle that can be used.

    Attributes:
        path: from the folder of the index, with slashes.
        content_id: of the bundle, whatever its form.
        id, version, title, family, created, license: as in its manifest.
        analysis: likewise.
        authors: their names.
        references: into the literature.
        functions: names of the curves, or `log_prob`.
        inputs: names of the bins or parameters.
        errors: one of each function that has a metric.
    """

    path: str
    content_id: str
    id: str
    version: str
    title: str
    family: str
    created: str
    license: str
    analysis: Analysis
    authors: tuple[str, ...]
    references: tuple[Reference, ...]
    functions: tuple[str, ...]
    inputs: tuple[str, ...]
    errors: tuple[ErrorOf, ...]

    @property
    def inspire_id(self) -> int | None:
        """Number of the publication in INSPIRE; None where no reference gives it."""
        for item in self.references:
            digits = re.fullmatch(r"(?:ins)?([0-9]{1,12})", item.value)
            # HEPData has numbers of its own as well, without `ins`.
            if digits and (
                item.kind == "inspire" or (item.kind == "hepdata" and item.value.startswith("ins"))
            ):
                return int(digits[1])
        return None

    @property
    def worst_error(self) -> float | None:
        """The largest of the 99 % quantiles; None without a metric."""
        return max((item.p99 for item in self.errors), default=None)

    def to_json(self) -> dict[str, Any]:
        """The entry as a JSON object."""
        return {**asdict(self), "analysis": self.analysis.to_json(), "inspire_id": self.inspire_id}


def entry_of(bundle: AnyBundle, path: str) -> Entry:
    """The entry of a bundle at a path.

    Raises:
        FindingError: a file cannot be read.
    """
    manifest = bundle.manifest
    functions, errors = _functions(manifest)
    return Entry(
        path=path,
        content_id=content_id(file_digests(bundle.container)),
        id=manifest.id,
        version=manifest.version,
        title=manifest.title,
        family=manifest.family,
        created=manifest.created,
        license=manifest.license,
        analysis=manifest.analysis,
        authors=tuple(item.name for item in manifest.authors),
        references=manifest.references,
        functions=functions,
        inputs=manifest.columns,
        errors=errors,
    )


def _functions(manifest: ManifestHead) -> tuple[tuple[str, ...], tuple[ErrorOf, ...]]:
    """What the bundle computes, and how well it claims to."""
    if isinstance(manifest, Manifest):
        metrics = [item for item in manifest.validation.metrics if item.region == "decision"]
        errors = tuple(ErrorOf(item.curve, item.median, item.p99) for item in metrics)
        return tuple(item.name for item in manifest.curves), errors
    if isinstance(manifest, DensityManifest):
        found = manifest.validation.metrics
        return ("log_prob",), tuple(ErrorOf("log_prob", item.median, item.p99) for item in found)
    return (), ()
