"""Level 6 with an analytic teacher: every difference is reported with its code."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import bundles
import numpy as np
import pytest
from numpy.typing import NDArray

from llb.bundle import Manifest
from llb.validation import Report, validate
from llb.validation.teacher import OpenTeacher, Relabelling
from llb_schema import FindingError, Severity, finding, validate_document

Array = NDArray[np.float64]
Answers = dict[str, tuple[float, Array]]
Change = Callable[[Answers], Any]


@pytest.fixture(scope="module")
def good(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return bundles.write(tmp_path_factory.mktemp("good") / "x.llb")


def opened(manifest: Manifest, change: Change | None = None) -> OpenTeacher:
    """A teacher that knows the likelihood of `bundles`, and errs as it is told."""

    def label(signals: Array) -> Mapping[str, tuple[float, Array]]:
        truth = bundles.truth(signals)
        answers = {item.name: (item.baseline_nll, truth[:, item.column].copy()) for item in manifest.curves}
        if change is not None:
            change(answers)
        return answers

    return OpenTeacher(manifest.teacher.files[0].sha256, lambda: manifest.teacher.pyhf_digest, label)


def asked(path: Path, change: Change | None = None, points: int = 8, seed: int = 0) -> Report:
    return validate(path, 6, relabelling=Relabelling(lambda m: opened(m, change), points, seed))


def codes(report: Report) -> set[str]:
    return {item.code for item in report.findings if item.severity is not Severity.INFO}


def move(curve: str, by: float, where: slice = slice(None)) -> Change:
    """Adds to Delta NLL of one curve."""

    def change(answers: Answers) -> None:
        answers[curve][1][where] += by

    return change


def rebase(curve: str, by: float) -> Change:
    """Adds to NLL without signal, and leaves every other NLL where it is."""

    def change(answers: Answers) -> None:
        baseline, delta = answers[curve]
        answers[curve] = (baseline + by, delta - by)

    return change


@pytest.mark.requirement("TEACHER-4")
def test_an_honest_bundle_passes_and_says_how_well(good: Path) -> None:
    report = asked(good, points=100)
    assert (report.status, report.level, codes(report)) == ("ok", 6, set())
    said = [item for item in report.findings if item.code == "LLB-C107"]
    assert len(said) == len(bundles.CURVES)
    assert all("at 100 points" in item.message for item in said)
    assert validate_document(report.to_json(), "report") == ()


@pytest.mark.requirement("TEACHER-2", "TEACHER-3", "TEACHER-4")
@pytest.mark.parametrize(
    ("change", "expected", "status"),
    [
        (move("observed", -2e-6, slice(3, 4)), {"LLB-C103"}, "invalid"),
        (move("observed", 2e-6, slice(3, 4)), {"LLB-C104"}, "ok"),
        (move("observed", 5e-7), set(), "ok"),
        (move("apriori", np.nan, slice(0, 1)), {"LLB-C105"}, "ok"),
        (move("apriori", np.nan, slice(-1, None)), {"LLB-C105"}, "ok"),
        (move("apriori", np.nan), {"LLB-C105"}, "ok"),
        (move("observed", 1e-3, slice(-1, None)), {"LLB-C106"}, "ok"),
        (rebase("observed", 1e-5), {"LLB-C102", "LLB-C106"}, "invalid"),
        (rebase("apriori_asimov", -1e-5), {"LLB-C102"}, "invalid"),
    ],
)
def test_what_the_teacher_says_otherwise(change: Change, expected: set[str], status: str, good: Path) -> None:
    report = asked(good, change)
    assert (codes(report), report.status) == (expected, status)


def test_findings_name_both_values(good: Path) -> None:
    (found,) = (
        item for item in asked(good, move("apriori", -0.5, slice(2, 3))).findings if "C103" in item.code
    )
    assert "0.5 lower" in found.message
    assert float(found.expected) - float(found.actual) == pytest.approx(0.5)
    assert found.pointer.startswith(bundles.HELDOUT)


def test_the_seed_chooses_the_points(good: Path) -> None:
    def chosen(seed: int) -> Array:
        seen: list[Array] = []

        def watched(manifest: Manifest) -> OpenTeacher:
            teacher = opened(manifest)
            return replace(teacher, label=lambda signals: seen.append(signals) or teacher.label(signals))

        validate(good, 6, relabelling=Relabelling(watched, 5, seed))
        return seen[0]

    assert chosen(1).shape == (10, 3)
    np.testing.assert_array_equal(chosen(1), chosen(1))
    assert not np.array_equal(chosen(1), chosen(2))


@pytest.mark.requirement("TEACHER-1")
def test_another_file_is_not_asked(good: Path) -> None:
    def other(manifest: Manifest, digest: str) -> OpenTeacher:
        return replace(opened(manifest), sha256="0" * 64, content_digest=lambda: digest)

    report = validate(good, 6, relabelling=Relabelling(lambda m: other(m, "1" * 64)))
    assert [item.code for item in report.findings] == ["LLB-C101"]
    # Only the white space of the file is another.
    report = validate(good, 6, relabelling=Relabelling(lambda m: other(m, m.teacher.pyhf_digest), points=4))
    assert codes(report) == set()


def test_a_teacher_that_cannot_be_opened_is_a_finding(good: Path) -> None:
    def refuse(_: Manifest) -> OpenTeacher:
        raise FindingError(finding("LLB-C108"))

    report = validate(good, 6, relabelling=Relabelling(refuse))
    assert [item.code for item in report.findings] == ["LLB-C108"]


def test_nobody_is_asked_about_a_bundle_with_errors(tmp_path: Path) -> None:
    path = bundles.write(tmp_path / "x.llb")
    bundles.reseal(path, lambda document: document["validation"]["metrics"].pop())
    report = asked(path)
    assert (report.level, codes(report)) == (5, {"LLB-C001"})
