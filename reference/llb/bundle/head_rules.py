"""What a schema cannot say about the part of a manifest that all families have."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator

from llb.bundle.head import ManifestHead
from llb.bundle.members import path_fault
from llb_schema import Finding, finding

__all__ = ["head_rules", "listed", "repeated"]


def head_rules(manifest: ManifestHead) -> Iterator[Finding]:
    """Findings about the teacher's channels, the list of files and the paths that are used."""
    yield from _channels(manifest)
    yield from _files(manifest)
    yield from _paths(manifest)


def repeated(names: Iterable[str]) -> set[str]:
    """Those that are there more than once."""
    return {name for name, count in Counter(names).items() if count > 1}


def listed(values: Iterable[object]) -> str:
    """The first twenty values in a line."""
    shown = [str(value) for value in values]
    return ", ".join(shown[:20]) + (", ..." if len(shown) > 20 else "")


def _channels(manifest: ManifestHead) -> Iterator[Finding]:
    for name in sorted(repeated(channel.name for channel in manifest.teacher.channels)):
        message = f"the teacher's channel {name} is listed more than once"
        yield finding("LLB-M043", message, pointer="/teacher/channels", actual=name)


def _files(manifest: ManifestHead) -> Iterator[Finding]:
    seen: set[str] = set()
    for position, entry in enumerate(manifest.files):
        place = f"/files/{position}/path"
        fault = path_fault(entry.path)
        if entry.path == "manifest.json":
            yield finding("LLB-I005", pointer=place)
        elif fault:
            yield finding("LLB-M016", f"the path {entry.path!r} is not allowed: {fault}", pointer=place)
        elif entry.path.casefold() in seen:
            yield finding(
                "LLB-M016", f"the path {entry.path} is listed twice", pointer=place, actual=entry.path
            )
        seen.add(entry.path.casefold())


def _paths(manifest: ManifestHead) -> Iterator[Finding]:
    evidence, provenance = manifest.evidence, manifest.provenance
    used = [(f"/graphs/{n}/path", graph.path, "graph") for n, graph in enumerate(manifest.graphs)]
    used.append(("/validation/vectors", evidence.vectors, "vectors"))
    used += [(f"/validation/{role}", path, role) for role, path in evidence.tables.items()]
    optional = (
        ("/provenance/labels", provenance.labels, "provenance"),
        ("/provenance/training", provenance.training, "provenance"),
    )
    used += [(place, path, role) for place, path, role in optional if path is not None]
    for place, path, role in used:
        entry = manifest.file(path)
        if entry is None:
            yield finding("LLB-M014", f"{path} is used but not listed in `files`", pointer=place, actual=path)
        elif entry.role != role:
            yield finding("LLB-M015", pointer=place, expected=role, actual=entry.role)
