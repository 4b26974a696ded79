"""The whole way from a statistical model to a bundle, on one page.

    teacher -> signals -> labels -> ensemble -> graph -> bundle

Each stage is a room of its own; this module only walks through them.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Generator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Generic, TypeVar

import numpy as np

from llb.bundle import check_target
from llb.runtime import ProfileLikelihood, Signals, load
from llb_trainer.exact import ExactLimits, exact_limits
from llb_trainer.export.emit import Emission, Identity, benchmarks_of, emit_bundle, label_domain
from llb_trainer.labels import (
    LabelSet,
    LabelStore,
    concatenate,
    make_labels,
    pilot_signals,
    signal_count,
    stored_labels,
)
from llb_trainer.labels.resume import check_curves, check_model
from llb_trainer.plan import Plan
from llb_trainer.teachers.contract import ExploringTeacher
from llb_trainer.teachers.histfactory import HistFactoryTeacher, Workspace, histfactory_teacher
from llb_trainer.training import Trained, train

__all__ = ["PipelineResult", "open_workspace", "run"]

AnyTeacher = TypeVar("AnyTeacher", bound=ExploringTeacher)
OnStage = Callable[[str, int], Callable[[int], None]]
"""Told that a stage begins, with its name and size (0 if unknown); gives what to call as parts finish."""


@dataclass(frozen=True)
class PipelineResult(Generic[AnyTeacher]):
    """What came of it.

    Attributes:
        bundle: path of the bundle.
        model: the bundle, loaded.
        teacher: the teacher, as it searches every signal by itself.
        published: the published signals; none without a patchset.
        labels: what the ensemble learned from.
        trained: the ensemble.
        exact: the teacher's own limits of the published signals.
        seconds: time taken by each stage.
    """

    bundle: Path
    model: ProfileLikelihood
    teacher: AnyTeacher
    published: Signals
    labels: LabelSet
    trained: Trained
    exact: tuple[ExactLimits, ...]
    seconds: Mapping[str, float]


def open_workspace(workspace: Workspace, plan: Plan, store: LabelStore | None = None) -> HistFactoryTeacher:
    """The teacher of a workspace, with the signal model of the plan or, with a store, of its labels.

    Raises:
        FindingError: LLB-L101, LLB-L102 the store is of another model or engine; as `histfactory_teacher`.
    """
    if store is None:
        return histfactory_teacher(workspace, signal_modifiers=plan.signal_modifiers)
    check_model(store, workspace)
    made = store.identity.teacher
    return histfactory_teacher(
        workspace, signal_modifiers=made.signal_modifiers, signal_uncertainty=made.signal_uncertainty
    )


def run(
    open_teacher: Callable[[], AnyTeacher],
    published: Signals | None,
    identity: Identity,
    out: Path,
    *,
    plan: Plan,
    store: LabelStore | None = None,
    overwrite: bool = False,
    on_stage: OnStage | None = None,
) -> PipelineResult[AnyTeacher]:
    """Turn a statistical model into a bundle.

    Args:
        open_teacher: gives the teacher, such as `open_workspace`.
        published: signals of the search, by the teacher's bins: their directions are sampled, the domain
            reaches to them, and the teacher's limits on them go into the bundle.
        identity: what the bundle is called.
        out: where it goes; a directory or, by its suffix, an archive.
        plan: how much work.
        store: a complete label store of this teacher, to learn from it instead of from new labels.
        overwrite: whether a bundle at `out` may be replaced.
        on_stage: told of the progress.

    Raises:
        FindingError: what the stages find; nothing is written then.
    """
    check_target(out, overwrite=overwrite)
    clock = _Clock(on_stage or (lambda _name, _size: lambda _parts: None))

    with clock.stage("Reading the statistical model", 1) as advance:
        teacher = open_teacher()
        n_bins = len(teacher.bins)
        signals = published or Signals((), np.empty((0, n_bins)), ())
        recipe = plan.recipe.sized(n_bins)
        advance(1)
    with clock.stage("Looking for minima", len(teacher.owners)) as advance:
        pilot = (
            pilot_signals(teacher, signals.yields, plan.signals, plan.sampling)
            if store is None
            else store.pilot
        )
        explored = teacher.explored(pilot, progress=advance)
    if store is None:
        with clock.stage("Fitting signals", signal_count(plan.signals, signals.yields)) as advance:
            labels = make_labels(
                explored,
                signals.yields,
                plan.signals,
                plan.sampling,
                processes=plan.processes,
                progress=advance,
            )
    else:
        with clock.stage("Reading the labels", 1) as advance:
            check_curves(store, explored)
            drawn = store.identity.sampled.settings
            labels = stored_labels(
                explored, concatenate(list(store.chunks())), drawn or plan.sampling, given=drawn is None
            )
            advance(1)
    with clock.stage("Training the networks", recipe.steps_for(n_bins)) as advance:
        trained = train(labels, recipe, checkpoints=_checkpoints(out), progress=advance)
    with clock.stage("Finding the exact limits", len(signals.names)) as advance:
        exact = exact_limits(explored, signals.yields, signals.names, progress=advance)
    with clock.stage("Writing the bundle", 1) as advance:
        emission = Emission(
            identity=identity,
            teacher=explored,
            labels=labels,
            recipe=recipe,
            trained=trained,
            domain=label_domain(labels),
            published=dict(zip(signals.names, signals.yields, strict=True)),
            benchmarks=benchmarks_of(exact),
        )
        model = load(emit_bundle(out, emission, overwrite=overwrite))
        advance(1)
    return PipelineResult(out, model, teacher, signals, labels, trained, exact, clock.seconds)


def _checkpoints(out: Path) -> Path:
    """Beside the bundle, so that a training that was killed goes on when the same is asked for again."""
    return out.with_name(f".{out.name}.training")


class _Clock:
    """Announces stages and measures them."""

    def __init__(self, on_stage: OnStage) -> None:
        self.on_stage, self.seconds = on_stage, dict[str, float]()

    @contextmanager
    def stage(self, name: str, size: int) -> Generator[Callable[[int], None]]:
        """A stage of the work; gives what to call as parts finish."""
        began = time.monotonic()
        yield self.on_stage(name, size)
        self.seconds[name] = time.monotonic() - began
