"""pyhf patchsets as signal yields, without pyhf and without the workspace."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from llb.bundle import Bundle, Teacher, parse_json
from llb.runtime.input_file import read_input
from llb.runtime.patch_skeleton import PatchedSignal, extract_signal
from llb.runtime.signal_files import Signals
from llb_schema import Finding, FindingError, finding, has_errors

__all__ = ["patchset_signals", "read_patchset"]


@dataclass(frozen=True)
class _Patch:
    """A named patch and the place where it stands."""

    name: str
    operations: Any
    pointer: str


@dataclass
class _Tally:
    """What many patches share and is worth one warning; counts of patches, or of occurrences."""

    removed: Counter[str] = field(default_factory=Counter[str])
    modifiers: Counter[str] = field(default_factory=Counter[str])
    negative: int = 0
    empty: int = 0

    def add(self, signal: PatchedSignal) -> None:
        """Counts one patch."""
        self.removed.update(signal.removed)
        self.modifiers.update(signal.modifiers)
        self.negative += any(value < 0.0 for value in signal.yields.values())
        self.empty += not any(signal.yields.values())

    def warnings(self, learned: tuple[str, ...], path: Path, patches: int) -> Iterator[Finding]:
        """One finding a kind."""
        place = str(path)
        foreign = {kind: count for kind, count in sorted(self.modifiers.items()) if kind not in learned}
        if foreign:
            listed = ", ".join(f"{kind} ({count})" for kind, count in foreign.items())
            yield finding(
                "LLB-Y018",
                f"the signals carry modifiers that the bundle did not learn: {listed}",
                pointer=place,
                expected=", ".join(("the POI's normfactor", *learned)),
                actual=listed,
            )
        for channel, count in self.removed.items():
            message = f"{count} of {patches} patches remove channel {channel!r}, which the bundle keeps"
            yield finding("LLB-Y017", message, pointer=place)
        if self.negative:
            yield finding(
                "LLB-Y008", f"{self.negative} of {patches} signals have negative yields", pointer=place
            )
        if self.empty:
            yield finding("LLB-Y019", f"{self.empty} of {patches} patches add no signal", pointer=place)


def read_patchset(path: Path, bundle: Bundle) -> Signals:
    """The signals of a pyhf patchset in the bundle's bins; see `patchset_signals`.

    Raises:
        FindingError: `LLB-Y020` the bundle was not learned from a workspace; what `patchset_signals` finds.
    """
    manifest = bundle.manifest
    if not manifest.teacher.is_workspace:
        raise FindingError(finding("LLB-Y020", pointer=str(path), actual=manifest.teacher.kind))
    bins = [(item.channel, item.index) for item in sorted(manifest.inputs, key=lambda item: item.column)]
    return patchset_signals(path, manifest.teacher, bins, manifest.signal_model.modifiers)


def patchset_signals(
    path: Path, teacher: Teacher, bins: Sequence[tuple[str, int]], learned: tuple[str, ...]
) -> Signals:
    """The signals of a pyhf patchset (or of one bare JSON patch, named after its file).

    A channel to which a patch adds nothing, or which it removes, has zero signal.

    Args:
        path: the file.
        teacher: the model that the patchset belongs to.
        bins: (channel, index) of each column of the yields.
        learned: signal modifiers, besides the POI's normfactor, that need no warning.

    Returns:
        The signals in the patchset's order, with warnings, one of a kind for the whole patchset: no digest,
        removed channels, negative yields, no signal, modifiers of the signal that the bundle did not learn.

    Raises:
        FindingError: `LLB-X003` unreadable, `LLB-P...` not strict JSON, `LLB-Y010` not a patchset, `LLB-Y011`
            made for another workspace, or what `extract_signal` finds, for all patches at once.
    """
    document = parse_json(read_input(path), str(path))
    findings = _check_digest(document, teacher, path)
    patches = _patches(document, path)
    column = {where: number for number, where in enumerate(bins)}
    yields = np.zeros((len(patches), len(column)))
    tally = _Tally()
    for row, patch in enumerate(patches):
        try:
            signal = extract_signal(patch.operations, teacher, pointer=patch.pointer)
        except FindingError as error:
            findings.extend(error.findings)
            continue
        tally.add(signal)
        foreign = sorted({channel for channel, index in signal.yields if (channel, index) not in column})
        if foreign:
            message = f"the patch adds signal to channels that the bundle does not have: {', '.join(foreign)}"
            findings.append(finding("LLB-Y016", message, pointer=patch.pointer))
            continue
        for key, value in signal.yields.items():
            yields[row, column[key]] = value
    findings += tally.warnings(learned, path, len(patches))
    if has_errors(findings):
        raise FindingError(findings)
    return Signals(tuple(patch.name for patch in patches), yields, tuple(findings))


def _check_digest(document: Any, teacher: Teacher, path: Path) -> list[Finding]:
    """A patchset quotes its workspace's digest; a wrong one means that its indices count something else."""
    digest: Any = document
    for key in ("metadata", "digests", "sha256"):
        digest = digest.get(key) if isinstance(digest, dict) else None
    if digest is None:
        return [finding("LLB-Y012", pointer=str(path), expected=teacher.pyhf_digest)]
    if digest != teacher.pyhf_digest:
        wrong = finding("LLB-Y011", pointer=str(path), expected=teacher.pyhf_digest, actual=str(digest)[:80])
        raise FindingError(wrong)
    return []


def _patches(document: Any, path: Path) -> list[_Patch]:
    if isinstance(document, list):
        return [_Patch(path.stem, document, str(path))]
    items = document.get("patches") if isinstance(document, dict) else None
    if not isinstance(items, list) or not items:
        raise FindingError(finding("LLB-Y010", pointer=str(path), expected="an object with a list `patches`"))
    patches: list[_Patch] = []
    findings: list[Finding] = []
    for row, item in enumerate(items):
        place = f"{path}#/patches/{row}"
        metadata = item.get("metadata") if isinstance(item, dict) else None
        name = metadata.get("name") if isinstance(metadata, dict) else None
        if not isinstance(name, str) or not isinstance(item.get("patch"), list):
            findings.append(finding("LLB-Y010", pointer=place, expected="`metadata.name` and a list `patch`"))
            continue
        patches.append(_Patch(name, item["patch"], f"{place} ({name})"))
    for name, count in Counter(patch.name for patch in patches).items():
        if count > 1:
            findings.append(finding("LLB-Y010", f"{count} patches are called {name!r}", pointer=str(path)))
    if findings:
        raise FindingError(findings)
    return patches
