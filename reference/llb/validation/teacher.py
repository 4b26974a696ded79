"""Level 6: the teacher itself is asked again, at held-out points and at fresh ones.

This wing knows no teacher. Whoever validates hands in something that opens one.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from llb.bundle import Bundle, Manifest
from llb.evaluation import HeldOut, read_heldout
from llb.validation.results import FreshPoints
from llb_schema import Finding, finding

__all__ = ["Answers", "OpenTeacher", "Relabelling", "check_teacher"]

Array = NDArray[np.float64]
Answers = Mapping[str, tuple[float, Array]]
"""By curve, aliases included: NLL(0), and Delta NLL of each signal, NaN where no minimum is proven."""

_TOLERANCE = 1e-6
"""TEACHER-2 and -3: differences of NLL that two proven fits may have."""

_TIMES_P99 = 5.0
_MAX_FINDINGS = 20


@dataclass(frozen=True)
class OpenTeacher:
    """A full statistical model whose file lies here.

    Attributes:
        sha256: digest of the raw bytes of its file.
        content_digest: gives pyhf's digest of its content, "" for what is no workspace.
        label: fits signals of shape (n, n_bins), in events and in the bundle's order of columns.
    """

    sha256: str
    content_digest: Callable[[], str]
    label: Callable[[Array], Answers]


@dataclass(frozen=True)
class Relabelling:
    """How the teacher is asked again.

    Attributes:
        open: opens it, with measurement, interpolation and signal model of the manifest.
        points: held-out points that are labelled again, and as many fresh ones.
        seed: which ones.
    """

    open: Callable[[Manifest], OpenTeacher]
    points: int = 32
    seed: int = 0


def check_teacher(bundle: Bundle, relabelling: Relabelling, fresh: FreshPoints) -> tuple[Finding, ...]:
    """All findings about a bundle's truth, by its teacher, sorted by code and place (TEACHER-1 to -4).

    Args:
        bundle: one that has passed level 5.
        relabelling: how the teacher is asked.
        fresh: what the graph gives at fresh points; nothing here runs it.

    Raises:
        FindingError: the teacher cannot be opened or asked; the held-out table cannot be read.
    """
    manifest = bundle.manifest
    teacher = relabelling.open(manifest)
    findings = list(_file(manifest, teacher))
    if findings:
        return tuple(findings)
    generator = np.random.default_rng(relabelling.seed)
    heldout = read_heldout(bundle)
    count = len(heldout.names)
    rows = np.sort(generator.choice(count, min(relabelling.points, count), replace=False))
    answers = teacher.label(np.vstack([heldout.signals[rows], fresh.signals]))
    findings += _baselines(manifest, answers)
    findings += _table(manifest, heldout, rows, answers)
    findings += _errors(manifest, fresh, answers)
    return tuple(sorted(findings, key=lambda item: (item.code, item.pointer)))


def _file(manifest: Manifest, teacher: OpenTeacher) -> Iterator[Finding]:
    known = [item.sha256 for item in manifest.teacher.files]
    if teacher.sha256 not in known:
        digest = teacher.content_digest()
        if not digest or digest != manifest.teacher.pyhf_digest:
            yield finding("LLB-C101", pointer="/teacher", expected=", ".join(known), actual=teacher.sha256)


def _baselines(manifest: Manifest, answers: Answers) -> Iterator[Finding]:
    for position, curve in enumerate(manifest.curves):
        baseline, _ = answers[curve.name]
        if not abs(baseline - curve.baseline_nll) <= _TOLERANCE:
            message = f"the teacher's NLL of {curve.name} without signal is another one"
            place = f"/curves/{position}/baseline_nll"
            expected = repr(baseline)
            yield finding("LLB-C102", message, pointer=place, expected=expected, actual=curve.baseline_nll)


def _table(
    manifest: Manifest, heldout: HeldOut, rows: NDArray[np.intp], answers: Answers
) -> Iterator[Finding]:
    path, count = manifest.validation.heldout, 0
    for curve in manifest.own_curves:
        baseline, delta = answers[curve.name]
        # NLL, not Delta NLL: another baseline has been reported already.
        teacher = baseline + delta[: len(rows)]
        table = curve.baseline_nll + heldout.delta[rows, curve.column]
        for place in np.flatnonzero(~(np.abs(teacher - table) <= _TOLERANCE)):
            count += 1
            if count <= _MAX_FINDINGS:
                name, row = heldout.names[rows[place]], rows[place] + 2
                yield _difference(
                    curve.name, name, f"{path}:{row}", float(teacher[place]), float(table[place])
                )
    if count > _MAX_FINDINGS:
        yield finding("LLB-S016", f"{count - _MAX_FINDINGS} more values differ", pointer=path)


def _difference(curve: str, name: str, place: str, teacher: float, table: float) -> Finding:
    if np.isnan(teacher):
        return finding("LLB-C105", f"the teacher proves no minimum of {curve} at {name!r}", pointer=place)
    code, word = ("LLB-C103", "lower") if teacher < table else ("LLB-C104", "higher")
    message = (
        f"the teacher's NLL of {curve} at {name!r} is {abs(teacher - table):.3g} {word} than the table's"
    )
    return finding(code, message, pointer=place, expected=repr(table), actual=repr(teacher))


def _errors(manifest: Manifest, fresh: FreshPoints, answers: Answers) -> Iterator[Finding]:
    """What the graph gives at fresh points, beside what it claims of the held-out ones."""
    claims = {item.curve: item.p99 for item in manifest.validation.metrics if item.region == "all"}
    for curve in manifest.own_curves:
        _, delta = answers[curve.name]
        error = np.abs(fresh.predicted[:, curve.column] - delta[-len(fresh.signals) :])
        proven, place = np.isfinite(error), f"fresh points: {curve.name}"
        if not proven.all():
            message = f"the teacher proves no minimum of {curve.name} at {int((~proven).sum())} fresh points"
            yield finding("LLB-C105", message, pointer=place)
        if not proven.any():
            continue
        error = error[proven]
        said = f"median {np.median(error):.2g}, largest {error.max():.2g} at {error.size} points"
        yield finding(
            "LLB-C107", f"error of {curve.name} at fresh points of the domain: {said}", pointer=place
        )
        allowed = _TIMES_P99 * claims.get(curve.name, np.inf) + _TOLERANCE
        if error.max() > allowed:
            message = f"{curve.name} errs by {error.max():.2g} at a fresh point of the domain"
            expected = f"at most {allowed:.2g}, {_TIMES_P99:g} times the claimed 99 % quantile"
            yield finding("LLB-C106", message, pointer=place, expected=expected, actual=f"{error.max():.3g}")
