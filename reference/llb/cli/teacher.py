"""The door through which `llb validate` asks a teacher: its file, opened as a manifest says."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Generator, Iterable, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from llb.bundle import Manifest
from llb.cli.given import require_files, require_packages
from llb.cli.progress import Stages
from llb.validation.teacher import Answers, OpenTeacher, Relabelling
from llb_schema import FindingError, finding

if TYPE_CHECKING:
    from llb.interop import TeacherFacts
    from llb_trainer.labels.identity import CurveRecord
    from llb_trainer.teachers.contract import CurveData, Labels
    from llb_trainer.teachers.histfactory import Workspace

__all__ = ["asking", "workspace_facts"]

Array = NDArray[np.float64]
OnStage = Callable[[str, int], Callable[[int], None]]

_NEEDED = ("jax", "pyhf")


@contextmanager
def asking(path: Path, points: int, seed: int) -> Generator[Relabelling]:
    """What level 6 asks the teacher with; its progress is shown on stderr as long as the block lasts.

    Args:
        path: the teacher's file: a pyhf JSON workspace, or a simplified likelihood.
        points: held-out points to label again, and fresh ones to label.
        seed: which ones.

    Raises:
        FindingError: `LLB-X003`, there is no such file.
        ModuleNotFoundError: the extra 'train' is not installed.
    """
    require_files(path)
    require_packages(_NEEDED)

    from llb_trainer.workers import one_thread_each, shared_compilation

    with Stages() as stages, one_thread_each(), shared_compilation():
        yield Relabelling(lambda manifest: _opened(path, manifest, stages), points, seed)


def workspace_facts(path: Path, measurement: str | None) -> TeacherFacts:
    """What a bundle says of a workspace: which it is, and the four data sets, from fits without signal.

    Args:
        path: the pyhf JSON workspace.
        measurement: of the workspace; None for its first one.

    Raises:
        FindingError: `LLB-X003`, there is no such file; `LLB-W...`, it cannot be used.
        ModuleNotFoundError: the extra 'train' is not installed.
    """
    require_files(path)
    require_packages(_NEEDED)

    from llb.bundle import AuxiliaryData
    from llb.interop import DataSet, TeacherFacts
    from llb_trainer.teachers.histfactory import histfactory_teacher, read_workspace
    from llb_trainer.workers import one_thread_each, shared_compilation

    with one_thread_each(), shared_compilation():
        teacher = histfactory_teacher(read_workspace(path, measurement, own_signal="float"))
    source, ids = teacher.source, [item.id for item in teacher.bins]
    return TeacherFacts(
        teacher={
            "kind": source.kind,
            "files": [asdict(item) for item in source.files],
            **source.details,
            "channels": [
                {"name": item.name, "bins": item.bins, "samples": list(item.samples)}
                for item in source.channels
            ],
            "software": [{"name": name, "version": version(name)} for name in source.software],
        },
        background={item.id: item.background for item in teacher.bins},
        data={
            curve.name: DataSet(
                dict(zip(ids, curve.main.tolist(), strict=True)),
                tuple(AuxiliaryData(name, values) for name, values in curve.auxiliary),
                curve.baseline_nll,
            )
            for curve in teacher.curves
        },
    )


def _opened(path: Path, manifest: Manifest, on_stage: OnStage) -> OpenTeacher:
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    if manifest.teacher.kind == "simplified_likelihood":
        return OpenTeacher(digest, lambda: "", lambda signals: _simplified(path, manifest, signals, on_stage))
    from llb_trainer.teachers.histfactory import read_workspace

    return OpenTeacher(
        digest,
        lambda: read_workspace(path, own_signal="float").pyhf_digest,
        lambda signals: _answers(_workspace(path, manifest), manifest, signals, on_stage),
    )


def _simplified(path: Path, manifest: Manifest, signals: Array, on_stage: OnStage) -> Answers:
    from llb_trainer.labels import label_signals
    from llb_trainer.teachers.simplified import read_simplified_likelihood, simplified_teacher

    teacher = simplified_teacher(read_simplified_likelihood(path))
    yields = _by_bin([item.id for item in teacher.bins], manifest, signals)
    labels = label_signals(teacher, yields, processes=0, progress=on_stage("Fitting signals", len(yields)))
    return _found(teacher.curves, labels)


def _workspace(path: Path, manifest: Manifest) -> Workspace:
    """The workspace as the bundle's maker has read it: samples that carry its POI kept, or dropped."""
    from llb_trainer.teachers.histfactory import read_workspace

    teacher = manifest.teacher
    wanted = [(item.name, item.bins, item.samples) for item in teacher.channels]
    for own_signal in ("float", "drop"):
        found = read_workspace(
            path, teacher.measurement, interpolation=teacher.interpolation, own_signal=own_signal
        )
        if [(item.name, item.bins, item.samples) for item in found.channels] == wanted:
            return found
    message = f"channels or samples of {path.name} are not those of the manifest"
    raise FindingError(finding("LLB-C108", message, pointer="/teacher/channels"))


def _answers(workspace: Workspace, manifest: Manifest, signals: Array, on_stage: OnStage) -> Answers:
    from llb_trainer.labels.campaign import label_given
    from llb_trainer.labels.request import Campaign, Signals

    learned = manifest.signal_model
    yields = _by_bin(workspace.bin_ids, manifest, signals)
    given = tuple(f"point-{row}" for row in range(len(signals))), yields
    campaign = Campaign(workspace, Signals(given=given), learned.modifiers, learned.relative_uncertainty)
    record, labels = label_given(campaign, on_stage)
    return _found(record.curves, labels)


def _by_bin(ids: Sequence[str], manifest: Manifest, signals: Array) -> Array:
    """Signals in the teacher's order of bins; those that the bundle does not have are empty."""
    columns = {name: column for column, name in enumerate(manifest.bin_ids)}
    yields = np.zeros((len(signals), len(ids)))
    for place, name in enumerate(ids):
        if name in columns:
            yields[:, place] = signals[:, columns[name]]
    return yields


def _found(curves: Iterable[CurveData | CurveRecord], labels: Labels) -> Answers:
    found = {item.name: np.where(item.converged, item.delta, np.nan) for item in labels.curves}
    return {item.name: (item.baseline_nll, found[item.alias_of or item.name]) for item in curves}
