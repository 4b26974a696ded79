"""From a workspace to a complete label store, or to the labels of given signals: what `llb label` does."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from llb_schema import Finding, finding
from llb_trainer.labels.identity import (
    Sampled,
    StoreIdentity,
    TeacherRecord,
    engine,
    model_of,
    signals_digest,
    teacher_record,
)
from llb_trainer.labels.merge import merge
from llb_trainer.labels.pilots import background_of, pilot_signals, pilots_among
from llb_trainer.labels.request import Campaign, Signals
from llb_trainer.labels.resume import check_resumable, check_teacher
from llb_trainer.labels.run import CHUNK, Watch, label_signals, label_store
from llb_trainer.labels.store import LabelStore, create_store, writing
from llb_trainer.sampling import Background, sample_signals
from llb_trainer.teachers.contract import Labels
from llb_trainer.teachers.histfactory import HistFactoryTeacher, histfactory_teacher

__all__ = ["DEFAULT_POINTS", "Labelled", "fill_store", "label_given"]

Floats = NDArray[np.float64]
OnStage = Callable[[str, int], Callable[[int], None]]
"""Told that a stage begins, with its name and size (0 if unknown); gives what to call as parts finish."""

DEFAULT_POINTS = 10_000
"""Signals that are drawn where nobody says how many."""


@dataclass(frozen=True)
class Labelled:
    """What came of it.

    Attributes:
        store: the complete store.
        merged: its file with all labels.
        made: signals labelled by this run; the others were there before.
        seconds: time that this took.
        findings: warnings on the way.
    """

    store: LabelStore
    merged: Path
    made: int
    seconds: float
    findings: tuple[Finding, ...]

    @property
    def failed(self) -> int:
        """Signals without a proven minimum on some curve."""
        return sum(record.failures for record in self.store.records.values())


def fill_store(campaign: Campaign, path: Path, *, resume: bool, on_stage: OnStage, watch: Watch) -> Labelled:
    """Make a label store, or go on with one, and merge it.

    Args:
        campaign: what to label.
        path: the store.
        resume: whether to go on with a store that is there.
        on_stage: told of the progress.
        watch: told of failures and findings; its `signals` is not used.

    Raises:
        FindingError: LLB-X002 there is a store and `resume` is false; LLB-L101 to L105, L108 it is another
            one or not readable; what the teacher and the workers raise.
    """
    _check(campaign)
    stored = check_resumable(campaign, path, resume=resume)
    teacher = _opened(campaign, on_stage)
    pilot = _pilot(campaign, teacher) if stored is None else stored.pilot
    teacher = _explored(teacher, pilot, on_stage)
    if stored is None:
        names, signals = _drawn(campaign.signals, teacher)
        create_store(path, _identity(campaign, teacher, names, signals), names, signals, pilot)
    else:
        check_teacher(stored, teacher)
    said: list[Finding] = []

    def say(item: Finding) -> None:
        said.append(item)
        watch.finding(item)

    with writing(path) as store:
        for item in store.findings:
            say(item)
        missing = sum(len(store.names[store.rows(number)]) for number in store.missing)
        advance = on_stage("Fitting signals", missing)
        began = time.monotonic()
        label_store(teacher, store, campaign.where, replace(watch, signals=advance, finding=say))
        seconds = time.monotonic() - began
        advance = on_stage("Merging the chunks", 1)
        merged = merge(store)
        advance(1)
        done = Labelled(store, merged, missing, seconds, tuple(said))
        if done.failed:
            say(finding("LLB-L120", f"{done.failed} of {len(store.names)} signals have no proven minimum"))
        return replace(done, findings=tuple(said))


def label_given(campaign: Campaign, on_stage: OnStage) -> tuple[TeacherRecord, Labels]:
    """The labels of the given signals of a campaign, without a store, and what the teacher says of itself.

    Raises:
        FindingError: what the teacher and the workers raise.
    """
    _check(campaign)
    opened = _opened(campaign, on_stage)
    teacher = _explored(opened, _pilot(campaign, opened), on_stage)
    _, signals = _drawn(campaign.signals, teacher)
    advance = on_stage("Fitting signals", len(signals))
    where = campaign.where
    labels = label_signals(
        teacher, signals, scheduler=where.scheduler, processes=where.processes, progress=advance
    )
    return teacher_record(teacher), labels


def _check(campaign: Campaign) -> None:
    """What can be refused is refused before anything expensive."""
    nothing = Background(np.zeros(1), np.zeros((1, 1)))
    # Asking for no signals tells whether the strategy is known.
    sample_signals(nothing, np.empty((0, 1)), 0, campaign.signals.sampling)
    if campaign.where.scheduler:
        from llb_trainer.labels.cluster import check_scheduler

        check_scheduler(campaign.where.scheduler)


def _opened(campaign: Campaign, on_stage: OnStage) -> HistFactoryTeacher:
    advance = on_stage("Reading the statistical model", 1)
    teacher = histfactory_teacher(
        campaign.workspace,
        signal_modifiers=campaign.signal_modifiers,
        signal_uncertainty=campaign.signal_uncertainty,
    )
    advance(1)
    return teacher


def _identity(
    campaign: Campaign, teacher: HistFactoryTeacher, names: tuple[str, ...], signals: Floats
) -> StoreIdentity:
    asked = campaign.signals
    sampling = asdict(asked.sampling) if asked.given is None else {}
    chunk = asked.chunk or CHUNK
    sampled = Sampled(len(names), chunk, signals_digest(names, signals), sampling)
    return StoreIdentity(model_of(campaign.workspace), engine(), sampled, teacher_record(teacher))


def _drawn(asked: Signals, teacher: HistFactoryTeacher) -> tuple[tuple[str, ...], Floats]:
    if asked.given is not None:
        return asked.given
    n = asked.n or DEFAULT_POINTS
    signals = sample_signals(background_of(teacher), _published(asked, teacher), n, asked.sampling)
    return tuple(f"signal-{row}" for row in range(n)), signals


def _pilot(campaign: Campaign, teacher: HistFactoryTeacher) -> Floats:
    """Signals to explore with: some of the given ones and variations of them, or drawn like the others."""
    asked = campaign.signals
    if asked.given is not None:
        return teacher.around(pilots_among(asked.given[1]))
    return pilot_signals(teacher, _published(asked, teacher), asked.n or DEFAULT_POINTS, asked.sampling)


def _published(asked: Signals, teacher: HistFactoryTeacher) -> Floats:
    return np.empty((0, len(teacher.bins))) if asked.published is None else asked.published


def _explored(teacher: HistFactoryTeacher, pilot: Floats, on_stage: OnStage) -> HistFactoryTeacher:
    return teacher.explored(pilot, progress=on_stage("Looking for minima", len(teacher.owners)))
