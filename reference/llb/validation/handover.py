"""What the two sides of a confined validation say to each other: strict JSON, a line a level, never pickle.

The process that runs the graph may have been taken over by it, so nothing that it says is believed but what
the catalogue and the manifest allow.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

from llb.bundle import (
    Bundle,
    Container,
    DensityBundle,
    Manifest,
    ManifestHead,
    checked_bundle,
    parse_json,
)
from llb.validation.results import LAST_LEVEL, FreshPoints, LevelResult, Wanted
from llb.validation.run_limits import RunLimits
from llb_schema import Finding, catalogue, finding, has_errors, number_to_json

__all__ = ["Request", "read_result", "result_line"]

_TEXTS = frozenset(("code", "severity", "requirement", "pointer", "message", "expected", "actual", "hint"))
_MAX_TEXT = 10_000


@dataclass(frozen=True)
class Request:
    """What is to be checked.

    Attributes:
        bundle: with the contents of the files that the levels read; no file is opened again.
        level: 3 to 6.
        limits: of the process that checks it.
        wanted: for level 6, which fresh points.
    """

    bundle: Bundle | DensityBundle
    level: int
    limits: RunLimits
    wanted: Wanted | None = None

    def to_bytes(self) -> bytes:
        """A line of JSON, then the contents of the files one after the other.

        Raises:
            FindingError: a file has changed since its digest was checked, or cannot be read.
        """
        files = {path: self.bundle.read(path) for path in _needed(self.bundle.manifest)}
        head = {
            "level": self.level,
            "limits": [self.limits.seconds, self.limits.memory],
            "wanted": None if self.wanted is None else [self.wanted.points, self.wanted.seed],
            "location": str(self.bundle.location),
            "manifest": self.bundle.raw,
            "files": {path: len(data) for path, data in files.items()},
        }
        line = json.dumps(head, allow_nan=False).encode("ascii")
        return b"\n".join((line, b"".join(files.values())))

    @classmethod
    def read(cls, stream: BinaryIO) -> Request:
        """The request that the other side has written; ValueError or KeyError where it is none."""
        head = json.loads(stream.readline())
        contents = {path: stream.read(size) for path, size in head["files"].items()}
        container = Container.of(Path(head["location"]), contents)
        bundle = checked_bundle(head["manifest"], container)
        wanted = None if head["wanted"] is None else Wanted(*head["wanted"])
        return cls(bundle, head["level"], RunLimits(*head["limits"]), wanted)


def _needed(manifest: ManifestHead) -> list[str]:
    """The files that levels 3 to 6 read."""
    evidence = manifest.evidence
    return sorted({*(spec.path for spec in manifest.graphs), evidence.vectors, *evidence.tables.values()})


def result_line(result: LevelResult) -> bytes:
    """A level's result as one line; numbers that are not finite are null."""
    fresh = result.fresh
    document = {
        "level": result.level,
        "findings": [item.to_json() for item in result.findings],
        "fresh": None if fresh is None else [fresh.signals.tolist(), _with_null(fresh.predicted.tolist())],
    }
    return json.dumps(document, allow_nan=False).encode("ascii") + b"\n"


def _with_null(rows: list[list[float]]) -> list[list[float | None]]:
    return [[number_to_json(value) for value in row] for row in rows]


def read_result(line: bytes, request: Request) -> LevelResult:
    """The result in a line.

    Raises:
        ValueError, KeyError, TypeError, FindingError: it is none.
    """
    # How much may be said at all is bounded where it is read.
    document = parse_json(line, "the answer", max_bytes=len(line))
    level, findings, fresh = document["level"], document["findings"], document["fresh"]
    if not isinstance(level, int) or not isinstance(findings, list):
        raise TypeError("no result of a level")
    found = tuple(_finding(item) for item in findings)
    points = _fresh(fresh, request)
    if level == LAST_LEVEL and points is None and not has_errors(found):
        raise ValueError("no fresh points, and no reason")
    return LevelResult(level, found, points)


def _finding(raw: Any) -> Finding:
    """A finding whose severity and requirement are the catalogue's, whatever is said of them."""
    if not isinstance(raw, dict) or raw.keys() != _TEXTS:
        raise ValueError("no finding")
    texts = {key: value for key, value in raw.items() if isinstance(value, str) and len(value) <= _MAX_TEXT}
    if texts.keys() != _TEXTS or texts["code"] not in catalogue():
        raise ValueError("no finding")
    places = {key: texts[key] for key in ("pointer", "expected", "actual", "hint")}
    return finding(texts["code"], texts["message"], **places)


def _fresh(raw: Any, request: Request) -> FreshPoints | None:
    if raw is None or request.wanted is None:
        return None
    # Imported here: up to level 5 there are no numbers, and this side starts sooner.
    import numpy as np

    signals, predicted = (np.array(part, dtype=np.float64) for part in raw)
    domain, manifest = request.bundle.manifest.domain, request.bundle.manifest
    if not isinstance(manifest, Manifest):
        raise TypeError("fresh points of a density")
    count = request.wanted.points
    if signals.shape != (count, len(domain.lower)) or predicted.shape != (count, len(manifest.own_curves)):
        raise ValueError("fresh points of another shape")
    if not ((signals >= domain.lower) & (signals <= domain.upper)).all():
        raise ValueError("fresh points outside the domain")
    return FreshPoints(signals, predicted)
