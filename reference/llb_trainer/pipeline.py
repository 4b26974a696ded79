"""The whole way from a workspace to a bundle, on one page.

    workspace -> teacher -> signals -> labels -> ensemble -> graph -> bundle

Each stage is a room of its own; this module only walks through them.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Generator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from llb.bundle import check_target
from llb.runtime import ProfileLikelihood, Signals, load
from llb_trainer.comparison import published_signals
from llb_trainer.export.emit import Emission, Identity, emit_bundle, label_domain
from llb_trainer.labels import LabelSet, make_labels, pilot_signals
from llb_trainer.sampling import Sampling
from llb_trainer.teachers.histfactory import HistFactoryTeacher, Workspace, histfactory_teacher
from llb_trainer.training import Recipe, Trained, train

__all__ = ["PipelineResult", "Plan", "run"]

OnStage = Callable[[str, int], Callable[[int], None]]
"""Told that a stage begins, with its name and size (0 if unknown); gives what to call as parts finish."""


@dataclass(frozen=True)
class Plan:
    """What is to be made, and how much work it may cost.

    Attributes:
        signals: signals to label.
        sampling: how they are drawn.
        recipe: how the ensemble is trained.
        signal_modifiers: what multiplies the signal besides the POI; None for lumi where there is one.
        processes: worker processes for the labels; one per core if None, none if 0.
    """

    signals: int = 4_096
    sampling: Sampling = field(default_factory=Sampling)
    recipe: Recipe = field(default_factory=Recipe)
    signal_modifiers: tuple[str, ...] | None = None
    processes: int | None = None


@dataclass(frozen=True)
class PipelineResult:
    """What came of it.

    Attributes:
        bundle: path of the bundle.
        model: the bundle, loaded.
        teacher: the teacher, as it searches every signal by itself.
        published: the published signals; none without a patchset.
        labels: what the ensemble learned from.
        trained: the ensemble.
        seconds: time taken by each stage.
    """

    bundle: Path
    model: ProfileLikelihood
    teacher: HistFactoryTeacher
    published: Signals
    labels: LabelSet
    trained: Trained
    seconds: Mapping[str, float]


def run(
    workspace: Workspace,
    patchset: Path | None,
    identity: Identity,
    out: Path,
    *,
    plan: Plan,
    overwrite: bool = False,
    on_stage: OnStage | None = None,
) -> PipelineResult:
    """Turn a workspace into a bundle.

    Args:
        workspace: the background-only model.
        patchset: published signals; their directions are sampled and some become test vectors.
        identity: what the bundle is called.
        out: where it goes; a directory or, by its suffix, an archive.
        plan: how much work.
        overwrite: whether a bundle at `out` may be replaced.
        on_stage: told of the progress.

    Raises:
        FindingError: what the stages find; nothing is written then.
    """
    check_target(out, overwrite=overwrite)
    clock = _Clock(on_stage or (lambda _name, _size: lambda _parts: None))

    with clock.stage("Reading the statistical model", 1) as advance:
        teacher = histfactory_teacher(workspace, signal_modifiers=plan.signal_modifiers)
        published = _published(patchset, teacher)
        advance(1)
    with clock.stage("Looking for minima", len(teacher.owners)) as advance:
        pilot = pilot_signals(teacher, published.yields, plan.signals, plan.sampling)
        explored = teacher.explored(pilot, progress=advance)
    with clock.stage("Fitting signals", plan.signals) as advance:
        labels = make_labels(
            explored,
            published.yields,
            plan.signals,
            plan.sampling,
            processes=plan.processes,
            progress=advance,
        )
    with clock.stage("Training the networks", plan.recipe.steps) as advance:
        trained = train(labels, explored.branches, plan.recipe, progress=advance)
    with clock.stage("Writing the bundle", 1) as advance:
        emission = Emission(
            identity=identity,
            teacher=explored,
            labels=labels,
            recipe=plan.recipe,
            trained=trained,
            domain=label_domain(labels),
            published=dict(zip(published.names, published.yields, strict=True)),
        )
        model = load(emit_bundle(out, emission, overwrite=overwrite))
        advance(1)
    return PipelineResult(out, model, teacher, published, labels, trained, clock.seconds)


def _published(patchset: Path | None, teacher: HistFactoryTeacher) -> Signals:
    if patchset is None:
        return Signals((), np.empty((0, len(teacher.bins))), ())
    return published_signals(patchset, teacher.workspace, teacher.signal_modifiers)


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
