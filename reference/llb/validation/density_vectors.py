"""The test vectors of a density as typed data, and what they have to have in common with the manifest."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING, Any

from llb.bundle import DensityManifest
from llb.validation.vectors import difference, in_document, repeated_names
from llb_schema import Finding, finding, has_errors, validate_document

# Imported where it computes: to check the document takes no numpy, and less time without.
if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Array = NDArray[np.float64]

__all__ = ["DensityVectors", "RoleVectors", "check_density_vectors"]

_MAX_FINDINGS = 200


@dataclass(frozen=True)
class RoleVectors:
    """The test vectors of one graph.

    Attributes:
        role: of the graph.
        place: key of the document under which they lie, `cases` or `samples`.
        names: names of the vectors.
        given: the input, (vectors, columns).
        condition: the second input; None of a density without conditions.
        expected: (vectors, columns of the output).
        absolute: absolute tolerance by column of the output, in its unit.
        relative: tolerance relative to the expected value.
    """

    role: str
    place: str
    names: tuple[str, ...]
    given: Array
    condition: Array | None
    expected: Array
    absolute: Array
    relative: float


@dataclass(frozen=True)
class DensityVectors:
    """The test vectors of all graphs of a density, by role."""

    by_role: Mapping[str, RoleVectors]

    @classmethod
    def from_json(cls, raw: Mapping[str, Any], manifest: DensityManifest) -> DensityVectors:
        """The vectors in a document for which `check_density_vectors` finds no error."""
        import numpy as np

        width = np.array(manifest.domain.upper) - np.array(manifest.domain.lower)
        # VECTORS-8: the unit of the absolute part.
        units = {"log_prob": np.ones(1), "score": 1.0 / width, "sample": width}
        names = manifest.columns
        found: dict[str, RoleVectors] = {}
        for role in (graph.role for graph in manifest.graphs):
            place = "samples" if role == "sample" else "cases"
            rows = raw[place]
            given = [row["z"] for row in rows] if role == "sample" else _named(rows, "parameters", names)
            expected = (
                [[row["log_prob"]] for row in rows]
                if role == "log_prob"
                else _named(rows, "parameters" if role == "sample" else "score", names)
            )
            conditions = manifest.condition_names
            tolerance = raw["tolerance"][role]
            found[role] = RoleVectors(
                role=role,
                place=place,
                names=tuple(row["name"] for row in rows),
                given=np.array(given, np.float64),
                condition=np.array(_named(rows, "condition", conditions)) if conditions else None,
                expected=np.array(expected, np.float64),
                absolute=float(tolerance["absolute"]) * units[role],
                relative=float(tolerance["relative"]),
            )
        return cls(found)


def _named(rows: Sequence[Mapping[str, Any]], key: str, names: Sequence[str]) -> list[list[float]]:
    return [[float(row[key][name]) for name in names] for row in rows]


def check_density_vectors(raw: Any, manifest: DensityManifest, source: str) -> tuple[Finding, ...]:
    """All findings about a vectors document: its schema, and if that is kept, its fit to the manifest."""
    findings = tuple(in_document(item, source) for item in validate_document(raw, "vectors"))
    if has_errors(findings):
        return findings
    if raw["graph"] != "log_prob":
        place = f"{source}#/graph"
        return (*findings, finding("LLB-M052", pointer=place, expected="log_prob", actual=raw["graph"]))
    return (*findings, *islice(_contents(raw, manifest, source), _MAX_FINDINGS))


def _contents(raw: Mapping[str, Any], manifest: DensityManifest, source: str) -> Iterator[Finding]:
    roles = {graph.role for graph in manifest.graphs}
    missing, unknown = sorted(roles - raw["tolerance"].keys()), sorted(raw["tolerance"].keys() - roles)
    if missing or unknown:
        message = f"{source}: {difference(missing, unknown)} among the tolerances"
        yield finding("LLB-M051", message, pointer=f"{source}#/tolerance")
    if ("sample" in roles) != ("samples" in raw):
        yield finding("LLB-M053", pointer=f"{source}#/samples")
    yield from repeated_names(raw["cases"], f"{source}#/cases", source)
    yield from repeated_names(raw.get("samples", []), f"{source}#/samples", source)
    parameters, conditions = set(manifest.columns), set(manifest.condition_names)
    wanted = {"parameters": parameters, "condition": conditions}
    score = {"score": parameters if "score" in roles else set[str]()}
    for place, keys in (("cases", wanted | score), ("samples", wanted)):
        for position, row in enumerate(raw.get(place, [])):
            yield from _names(row, keys, source, f"{source}#/{place}/{position}")
    for position, row in enumerate(raw.get("samples", [])):
        if len(row["z"]) != len(parameters):
            where = f"{source}#/samples/{position}/z"
            yield finding("LLB-M053", pointer=where, expected=len(parameters), actual=len(row["z"]))


def _names(
    row: Mapping[str, Any], wanted: Mapping[str, set[str]], source: str, where: str
) -> Iterator[Finding]:
    for key, names in wanted.items():
        there: Mapping[str, float] = row.get(key, {})
        missing, unknown = sorted(names - there.keys()), sorted(there.keys() - names)
        if missing or unknown:
            message = f"{source}: {difference(missing, unknown)} in {row['name']!r}"
            yield finding("LLB-M051", message, pointer=f"{where}/{key}")
