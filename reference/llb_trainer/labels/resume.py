"""Whether a label store may be gone on with: by the same model, engine, signals and teacher."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from llb_schema import Finding, FindingError, finding
from llb_trainer.labels.identity import engine, model_of, signals_digest, teacher_record
from llb_trainer.labels.request import Campaign, Signals
from llb_trainer.labels.store import LabelStore, open_store
from llb_trainer.teachers.contract import Teacher
from llb_trainer.teachers.histfactory import HistFactoryTeacher, Workspace

__all__ = ["check_curves", "check_model", "check_resumable", "check_teacher"]

_SAME = 1e-7
"""NLL units within which two baselines are the same minimum."""


def check_resumable(campaign: Campaign, path: Path, *, resume: bool) -> LabelStore | None:
    """The store that is to be gone on with, None if there is none yet.

    Raises:
        FindingError: LLB-X002 there is something and `resume` is false; LLB-X003 there is no folder to put it
            in; LLB-L101 another workspace or measurement; LLB-L102 another engine; LLB-L103 other signals are
            asked for; LLB-L105 the store is not readable.
    """
    if not path.parent.is_dir():
        message = f"there is no folder {path.parent} to write {path.name} to"
        raise FindingError(finding("LLB-X003", message, pointer=str(path), hint="Make the folder first."))
    if not path.exists() and not path.is_symlink():
        return None
    if not resume:
        hint = "Go on with a label store by --resume, or choose another path."
        raise FindingError(finding("LLB-X002", f"{path} exists already", pointer=str(path), hint=hint))
    store = open_store(path)
    check_model(store, campaign.workspace)
    findings = _other_signals(store, campaign.signals)
    if findings:
        raise FindingError(findings)
    return store


def _other_model(store: LabelStore, workspace: Workspace) -> list[Finding]:
    stored, asked = store.identity.model, model_of(workspace)
    if replace(stored, workspace="") == replace(asked, workspace=""):
        return []
    was, now = (
        f"{m.workspace}, measurement {m.measurement}, SHA-256 {m.sha256[:12]}" for m in (stored, asked)
    )
    return [finding("LLB-L101", pointer=str(store.path), expected=was, actual=now)]


def _other_engine(store: LabelStore) -> list[Finding]:
    stored, own = store.identity.engine, engine()
    if stored == own:
        return []
    return [finding("LLB-L102", pointer=str(store.path), expected=str(stored), actual=str(own))]


def _other_signals(store: LabelStore, asked: Signals) -> list[Finding]:
    stored = store.identity.sampled
    if asked.given is not None:
        same = signals_digest(*asked.given) == stored.sha256
        return [] if same else [finding("LLB-L103", pointer=str(store.path))]
    had = {**stored.sampling, "n": stored.n, "chunk": stored.chunk}
    found: list[Finding] = []
    for name in ("n", "strategy", "seed", "chunk"):
        value = getattr(asked, name)
        if value is not None and value != had.get(name):
            found.append(
                finding(
                    "LLB-L103",
                    f"the label store has another {name}",
                    pointer=str(store.path),
                    expected=had.get(name, "signals from a file"),
                    actual=value,
                )
            )
    return found


def check_model(store: LabelStore, workspace: Workspace) -> None:
    """Make sure that a store holds labels of this workspace, made by this engine.

    Raises:
        FindingError: LLB-L101 it holds those of another one; LLB-L102 another engine made them.
    """
    findings = [*_other_model(store, workspace), *_other_engine(store)]
    if findings:
        raise FindingError(findings)


def check_curves(store: LabelStore, teacher: Teacher) -> None:
    """Make sure that a teacher gives the labels of a store, to the accuracy that labels have.

    Its last digits may differ from those of the teacher that made them, as after another number of threads.

    Raises:
        FindingError: LLB-L104 the bins, the aliases or the baselines are others.
    """
    stored = store.identity.teacher
    same = stored.bins == tuple(item.id for item in teacher.bins) and all(
        (was.name, was.alias_of) == (now.name, now.alias_of)
        and abs(was.baseline_nll - now.baseline_nll) < _SAME
        for was, now in zip(stored.curves, teacher.curves, strict=True)
    )
    if not same:
        raise FindingError(finding("LLB-L104", pointer=str(store.path)))


def check_teacher(store: LabelStore, teacher: HistFactoryTeacher) -> None:
    """Make sure that a teacher is the one that a store was begun with.

    Raises:
        FindingError: LLB-L101 it has another signal model; LLB-L104 it has other numbers.
    """
    stored, made = store.identity.teacher, teacher_record(teacher)
    was, now = (
        f"{', '.join(item.signal_modifiers) or 'none'}; uncertainty {item.signal_uncertainty:g}"
        for item in (stored, made)
    )
    if was != now:
        message = "the label store was made with another signal model"
        raise FindingError(finding("LLB-L101", message, pointer=str(store.path), expected=was, actual=now))
    if stored != made:
        was, now = (item.fingerprint[:12] for item in (stored, made))
        raise FindingError(finding("LLB-L104", pointer=str(store.path), expected=was, actual=now))
