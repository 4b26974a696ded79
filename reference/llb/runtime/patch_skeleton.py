"""One JSON patch as a signal: applied to a skeleton of the workspace, then read off what it has added.

The skeleton has the workspace's channels and samples in the document's order, which is all that a patch's
indices refer to. Background samples have no content there, so whatever tries to change one is noticed.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import jsonpatch
import jsonpointer

from llb.bundle import Teacher, TeacherChannel
from llb_schema import Finding, FindingError, finding

__all__ = ["PatchedSignal", "extract_signal"]

# Thirty copies of what was copied before would fill any memory.
_MAX_COPIED = 100_000


@dataclass(frozen=True)
class PatchedSignal:
    """What a patch adds.

    Attributes:
        yields: events by (channel, bin) for the channels that got a signal; several samples add up.
        removed: channels that the patch takes out of the workspace.
        modifiers: how often each modifier type occurs on the signal, the POI's own normfactor left out.
    """

    yields: Mapping[tuple[str, int], float]
    removed: tuple[str, ...]
    modifiers: Counter[str] = field(default_factory=Counter[str])


def extract_signal(operations: Any, teacher: Teacher, *, pointer: str = "") -> PatchedSignal:
    """The signal in a JSON patch (RFC 6902) against the teacher's workspace document.

    Raises:
        FindingError: `LLB-Y004` a yield is not a finite number, `LLB-Y013` the patch cannot be applied,
            `LLB-Y014` it changes the background, `LLB-Y015` a sample has the wrong number of bins,
            `LLB-Y016` it adds a channel.
    """
    skeleton = _Skeleton(teacher)
    try:
        document = _applied(operations, skeleton.document)
    # Malformed operations reach Python's own containers inside the library, and exhaust its stack.
    except Exception as error:
        if any(_is_inside_a_sample(operation) for operation in _listed(operations)):
            message = f"the patch reaches into a background sample: {str(error)[:120]}"
            raise FindingError(finding("LLB-Y014", message, pointer=pointer)) from error
        message = f"the patch does not fit the workspace: {str(error)[:120]}"
        raise FindingError(finding("LLB-Y013", message, pointer=pointer)) from error
    reading = _Reading(teacher, pointer)
    reading.document(document, skeleton)
    if reading.findings:
        raise FindingError(reading.findings)
    removed = tuple(item.name for item in teacher.channels if item.name not in reading.seen)
    return PatchedSignal(reading.yields, removed, reading.modifiers)


def _applied(operations: Any, document: Any) -> Any:
    """The document, patched in place.

    Raises:
        Exception: of any kind; an operation is malformed or does not fit, or the patch copies without end.
    """
    room = _MAX_COPIED
    for operation in operations:
        if isinstance(operation, dict) and operation.get("op") == "copy":
            room -= _size(jsonpointer.resolve_pointer(document, operation["from"]), room)
            if room < 0:
                raise ValueError(f"it copies more than {_MAX_COPIED} values")
        document = jsonpatch.JsonPatch([operation]).apply(document, in_place=True)
    return document


def _size(value: Any, enough: int) -> int:
    """The number of values in a JSON value; counting ends when there are more than enough."""
    pending, count = [value], 0
    while pending and count <= enough:
        item = pending.pop()
        count += 1
        pending += item.values() if isinstance(item, dict) else _listed(item)
    return count


class _Skeleton:
    """The document to patch, and its own objects, by which untouched background is recognised."""

    def __init__(self, teacher: Teacher) -> None:
        self.channels: dict[str, dict[str, Any]] = {
            item.name: {
                "name": item.name,
                "samples": [{"name": name, "data": None, "modifiers": None} for name in item.samples],
            }
            for item in teacher.channels
        }
        self.samples = {name: list(channel["samples"]) for name, channel in self.channels.items()}
        self.document: dict[str, Any] = {
            "channels": list(self.channels.values()),
            "observations": [{"name": name, "data": None} for name in self.channels],
            "measurements": [_measurement(teacher)],
            "version": "1.0.0",
        }


def _measurement(teacher: Teacher) -> dict[str, Any]:
    return {"name": teacher.measurement, "config": {"poi": teacher.poi, "parameters": None}}


class _Reading:
    """Collects signal and findings from a patched skeleton."""

    def __init__(self, teacher: Teacher, pointer: str) -> None:
        self.teacher = teacher
        self.pointer = pointer
        self.yields: dict[tuple[str, int], float] = {}
        self.modifiers: Counter[str] = Counter()
        self.seen: set[str] = set()
        self.findings: list[Finding] = []

    def document(self, document: Any, skeleton: _Skeleton) -> None:
        """Reads the whole document."""
        parts = document if isinstance(document, dict) else {}
        channels = {item.name: item for item in self.teacher.channels}
        for channel in _listed(parts.get("channels")):
            name = channel.get("name") if isinstance(channel, dict) else None
            if not isinstance(name, str) or name not in channels or channel is not skeleton.channels[name]:
                self._fault("LLB-Y016", f"the patch adds or replaces a channel, {str(name)[:80]!r}")
                continue
            self.seen.add(name)
            self._channel(channels[name], _listed(channel.get("samples")), skeleton.samples[name])
        observed = {name: {"name": name, "data": None} for name in channels}
        for item in _listed(parts.get("observations")):
            name = item.get("name") if isinstance(item, dict) else None
            if not isinstance(name, str) or item != observed.get(name):
                self._fault("LLB-Y014", "the patch changes the observed data")
        if parts.get("measurements") != [_measurement(self.teacher)]:
            self._fault("LLB-Y014", "the patch changes the measurement")

    def _channel(self, channel: TeacherChannel, samples: list[Any], background: list[dict[str, Any]]) -> None:
        own = {id(sample) for sample in background}
        kept = {id(sample) for sample in samples} & own
        for name, sample in zip(channel.samples, background, strict=True):
            if id(sample) not in kept or sample != {"name": name, "data": None, "modifiers": None}:
                self._fault(
                    "LLB-Y014", f"the patch changes background sample {name!r} of channel {channel.name!r}"
                )
        for sample in samples:
            if id(sample) not in own:
                self._sample(channel, sample)

    def _sample(self, channel: TeacherChannel, sample: Any) -> None:
        content = sample if isinstance(sample, dict) else {}
        place = f"sample {str(content.get('name'))[:80]!r} of channel {channel.name!r}"
        modifiers = [item for item in _listed(content.get("modifiers")) if isinstance(item, dict)]
        learned = [item for item in modifiers if _is_poi(item, self.teacher.poi)]
        if not learned:
            self._fault("LLB-Y014", f"{place} does not carry {self.teacher.poi!r}: it would be background")
            return
        data = _listed(content.get("data"))
        if len(data) != channel.bins:
            self._fault("LLB-Y015", f"{place} has {len(data)} yields instead of {channel.bins}")
            return
        bad = [str(value)[:20] for value in data if not _is_number(value)]
        if bad:
            self._fault("LLB-Y004", f"{place} has yields that are not finite numbers: {', '.join(bad[:5])}")
            return
        self.modifiers.update(
            str(item.get("type"))[:40] for item in modifiers if not _is_poi(item, self.teacher.poi)
        )
        for index, value in enumerate(data):
            key = (channel.name, index)
            self.yields[key] = self.yields.get(key, 0.0) + float(value)
            if not math.isfinite(self.yields[key]):
                self._fault("LLB-Y004", f"the samples up to {place} add up to no finite number")

    def _fault(self, code: str, message: str) -> None:
        self.findings.append(finding(code, message, pointer=self.pointer))


def _is_poi(modifier: Mapping[str, Any], poi: str) -> bool:
    return modifier.get("type") == "normfactor" and modifier.get("name") == poi


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)


def _is_inside_a_sample(operation: object) -> bool:
    path = operation.get("path") if isinstance(operation, dict) else None
    parts = path.split("/") if isinstance(path, str) else []
    return len(parts) > 5 and parts[1] == "channels" and parts[3] == "samples"


def _listed(value: object) -> list[Any]:
    return value if isinstance(value, list) else []
