"""The whole way, short: a workspace becomes a valid bundle whose limits are of the right size."""

from __future__ import annotations

import json
from functools import partial
from pathlib import Path

import numpy as np
import pytest

from llb.runtime import limits
from llb.validation import validate
from llb_schema import FindingError
from llb_trainer.about import workspace_identity
from llb_trainer.comparison import published_signals
from llb_trainer.labels import signal_count
from llb_trainer.pipeline import PipelineResult, open_workspace, run
from llb_trainer.plan import Plan
from llb_trainer.quickstart import patchset_path, workspace_path
from llb_trainer.teachers.histfactory import HistFactoryTeacher, read_workspace
from llb_trainer.training import Recipe

SHORT = Plan(signals=512, recipe=Recipe(width=24, depth=2, members=2, steps=600, batch=128), processes=0)


@pytest.fixture(scope="module")
def stages() -> dict[str, int]:
    """What the run said about its progress: parts finished by stage."""
    return {}


@pytest.fixture(scope="module")
def made(
    tmp_path_factory: pytest.TempPathFactory, stages: dict[str, int]
) -> PipelineResult[HistFactoryTeacher]:
    workspace = read_workspace(workspace_path())

    def on_stage(name: str, size: int):
        stages[name] = -size

        def advance(parts: int) -> None:
            stages[name] += parts

        return advance

    return run(
        partial(open_workspace, workspace, SHORT),
        published_signals(patchset_path(), workspace, ("lumi",)),
        workspace_identity(workspace, patchset_path(), embedded=True),
        tmp_path_factory.mktemp("pipeline") / "short.llb",
        plan=SHORT,
        on_stage=on_stage,
    )


def test_the_bundle_is_valid(made: PipelineResult[HistFactoryTeacher]) -> None:
    report = validate(made.bundle, 4)
    assert report.status == "ok", [str(item) for item in report.findings]


def test_progress_reaches_the_end(made: PipelineResult[HistFactoryTeacher], stages: dict[str, int]) -> None:
    assert made.seconds.keys() == stages.keys()
    assert set(stages.values()) == {0}


def test_limits_are_those_of_the_exact_likelihood(made: PipelineResult[HistFactoryTeacher]) -> None:
    """At the upper limit of the short training, the teacher's own curves give nearly the same CLs."""
    found = limits(made.model, made.published.yields, names=made.published.names)
    near = [row for row, item in enumerate(found) if 0.5 < item.upper_limit_observed < 2.0]
    assert len(near) > 5
    signals = np.array([found[row].upper_limit_observed * made.published.yields[row] for row in near])
    for curve in made.teacher.label(signals).curves:
        ours = made.model.delta_nll(signals)[curve.name]
        assert np.max(np.abs(ours - curve.delta)) < 0.1


def test_provenance_says_how(made: PipelineResult[HistFactoryTeacher]) -> None:
    record = json.loads(made.model.bundle.read("provenance/labels.json"))
    assert record["signals"]["requested"] == signal_count(SHORT.signals, made.published.yields)
    assert record["signals"]["failed"] == made.labels.counts.failed == 0
    training = json.loads(made.model.bundle.read("provenance/training.json"))
    assert training["recipe"]["steps"] == SHORT.recipe.steps


def test_an_existing_bundle_is_refused_before_any_work(
    made: PipelineResult[HistFactoryTeacher], tmp_path: Path
) -> None:
    workspace = read_workspace(workspace_path())
    identity = workspace_identity(workspace, None, embedded=True)
    (tmp_path / "there.llb").mkdir()
    with pytest.raises(FindingError) as caught:
        run(partial(open_workspace, workspace, SHORT), None, identity, tmp_path / "there.llb", plan=SHORT)
    assert caught.value.findings[0].code in {"LLB-X002", "LLB-A012"}
    assert made.bundle.is_dir()
