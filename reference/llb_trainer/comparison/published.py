"""The published signals as their patchset names them: masses, and the patches themselves."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from llb.bundle import Teacher, TeacherChannel
from llb.runtime import Signals, patchset_signals
from llb_trainer.teachers.histfactory import Workspace

__all__ = ["PublishedPatches", "published_signals", "read_patches"]

Patch = Sequence[Mapping[str, Any]]


@dataclass(frozen=True)
class PublishedPatches:
    """What a patchset says besides the yields.

    Attributes:
        labels: names of the coordinates, such as masses; empty if there are no coordinates for all signals.
        values: coordinates by signal, one number per label.
        patches: the JSON patch by signal.
    """

    labels: tuple[str, ...] = ()
    values: Mapping[str, tuple[float, ...]] = field(default_factory=dict)
    patches: Mapping[str, Patch] = field(default_factory=dict)

    def plane(self, names: Sequence[str]) -> NDArray[np.float64]:
        """(n, n_labels) coordinates of these signals, (n, 0) if any of them has none."""
        if not self.labels or any(name not in self.values for name in names):
            return np.empty((len(names), 0))
        return np.array([self.values[name] for name in names], dtype=np.float64).reshape(len(names), -1)


def published_signals(path: Path, workspace: Workspace, learned: tuple[str, ...]) -> Signals:
    """The yields in a patchset for this workspace, before there is a bundle of it.

    Args:
        path: pyhf patchset.
        workspace: what it belongs to; columns of the yields are its bins in pyhf's order.
        learned: signal modifiers that the bundle will learn besides the POI.

    Raises:
        FindingError: as `llb.runtime.patchset_signals`.
    """
    teacher = Teacher(
        kind="histfactory",
        files=(),
        pyhf_digest=workspace.pyhf_digest,
        measurement=workspace.measurement,
        poi=workspace.poi,
        interpolation=workspace.interpolation,
        channels=tuple(TeacherChannel(item.name, item.bins, item.samples) for item in workspace.channels),
        software=(),
    )
    return patchset_signals(path, teacher, workspace.bins, learned)


def read_patches(path: Path) -> PublishedPatches:
    """The coordinates and patches in a patchset that `llb.runtime.patchset_signals` has accepted.

    A bare JSON patch is one signal without coordinates, named after its file. Coordinates that are no
    numbers, or not as many as labels, count as none.
    """
    document = json.loads(path.read_bytes())
    if isinstance(document, list):
        return PublishedPatches(patches={path.stem: document})
    entries = {item["metadata"]["name"]: item for item in document["patches"]}
    patches = {name: item["patch"] for name, item in entries.items()}
    metadata = document.get("metadata")
    labels = metadata.get("labels") if isinstance(metadata, dict) else None
    if not isinstance(labels, list) or not labels:
        return PublishedPatches(patches=patches)
    values = {name: _numbers(item["metadata"].get("values"), len(labels)) for name, item in entries.items()}
    if any(value is None for value in values.values()):
        return PublishedPatches(patches=patches)
    known = {name: value for name, value in values.items() if value is not None}
    return PublishedPatches(tuple(str(label) for label in labels), known, patches)


def _numbers(values: object, count: int) -> tuple[float, ...] | None:
    if not isinstance(values, list) or len(values) != count:
        return None
    if not all(isinstance(x, int | float) and not isinstance(x, bool) and math.isfinite(x) for x in values):
        return None
    return tuple(float(x) for x in values)
