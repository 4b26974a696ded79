"""`llb validate --teacher` on the embedded search: the truth of its teacher, and a changed one."""

from __future__ import annotations

import csv
import importlib.util
import io
import json
from collections.abc import Iterable
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from bundles import replace_file, reseal
from commands import run
from numpy.typing import NDArray
from teachers import embedded_teacher

from llb.cli.teacher import asking
from llb.evaluation import accuracy, compare_heldout
from llb.runtime import load
from llb_conformance import QuadraticBin, QuadraticCurve, QuadraticModel, write_quadratic
from llb_schema import FindingError, validate_document
from llb_trainer.quickstart import patchset_path, workspace_path

HELDOUT = "validation/heldout.csv"
POINTS = 12

Array = NDArray[np.float64]


def table(model: QuadraticModel, signals: Array, delta: Array) -> bytes:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(["name", *model.bin_ids, *(curve.name for curve in model.own_curves)])
    writer.writerows([f"p{n}", *row] for n, row in enumerate(np.hstack([signals, delta]).tolist()))
    return text.getvalue().encode()


def claim(path: Path) -> None:
    """Brings the claimed metrics up to date."""
    found = [asdict(item) for item in accuracy(compare_heldout(load(path)))]
    reseal(path, lambda document: document["validation"].update(metrics=found))


def parabolas() -> QuadraticModel:
    """The embedded search to second order."""
    teacher = embedded_teacher()
    bins = tuple(
        QuadraticBin(item.channel, item.index, "SR", observed=int(item.observed), background=item.background)
        for item in teacher.bins
    )
    curves = tuple(
        QuadraticCurve(
            name=curve.name,
            slope=curve.slope if curve.name == "observed" else 0.0 * curve.slope,
            root=np.linalg.cholesky(np.linalg.inv(teacher.covariance + np.diag(curve.main))),
            baseline=curve.baseline_nll,
            alias_of=curve.alias_of or None,
        )
        for curve in teacher.curves
    )
    upper = tuple(2.0 * np.sqrt(item.background) for item in bins)
    return QuadraticModel("embedded", bins, curves, (0.0,) * len(bins), upper)


@pytest.fixture(scope="module")
def bundle(tmp_path_factory: pytest.TempPathFactory) -> Path:
    teacher, model = embedded_teacher(), parabolas()
    path = write_quadratic(model, tmp_path_factory.mktemp("teacher") / "embedded.llb")
    generator = np.random.default_rng(3)
    signals = (
        generator.uniform(size=(POINTS, len(model.bins))) * model.upper * generator.uniform(size=(POINTS, 1))
    )
    labels = teacher.label(signals)
    delta = labels.delta
    workspace = teacher.workspace

    def describe(document: dict[str, Any]) -> None:
        document["signal_model"]["modifiers"] = list(teacher.signal_modifiers)
        document["teacher"] |= {
            "files": [{"name": workspace.name, "bytes": workspace.size, "sha256": workspace.sha256}],
            "pyhf_digest": workspace.pyhf_digest,
            "measurement": workspace.measurement,
            "poi": workspace.poi,
            "channels": [asdict(item) for item in workspace.channels],
        }

    reseal(path, describe)
    replace_file(path, HELDOUT, table(model, signals, delta))
    claim(path)
    return path


def codes(items: Iterable[dict[str, str]]) -> set[str]:
    return {item["code"] for item in items}


def test_the_teacher_confirms_its_labels_and_finds_what_was_changed(
    bundle: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    code, out, err = run(
        capsys, "validate", bundle, "--teacher", workspace_path(), "--points", 6, "--format", "json"
    )
    report = json.loads(out)
    assert validate_document(report, "report") == ()
    assert (code, report["status"], report["level"]) == (0, "ok", 6), report["findings"]
    assert codes(report["findings"]) <= {"LLB-C106", "LLB-C107"}
    assert "Fitting signals" in err

    rows = (bundle / HELDOUT).read_text().splitlines()
    first = rows[1].split(",")
    width = len(rows[0].split(",")) - len(embedded_teacher().owners)
    first[width] = repr(float(first[width]) + 1e-3)
    replace_file(bundle, HELDOUT, "\n".join([rows[0], ",".join(first), *rows[2:]]).encode())
    claim(bundle)
    code, out, _ = run(
        capsys, "validate", bundle, "--teacher", workspace_path(), "--points", POINTS, "--format", "junit"
    )
    assert code == 1
    assert out.count("<failure") == 1
    assert "LLB-C103" in out
    assert f"{HELDOUT}:2" in out


def test_another_workspace_is_refused(
    bundle: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    document = json.loads(workspace_path().read_text())
    document["observations"][0]["data"][0] += 1
    other = tmp_path / "other.json"
    other.write_text(json.dumps(document))
    code, out, _ = run(capsys, "validate", bundle, "--teacher", other)
    assert code == 1
    assert "LLB-C101" in out
    # What is no workspace at all is said by those who read workspaces.
    code, out, _ = run(capsys, "validate", bundle, "--teacher", patchset_path())
    assert (code, "LLB-W" in out) == (1, True)


def test_teachers_that_cannot_be_asked_about_a_bundle(bundle: Path) -> None:
    manifest = load(bundle).bundle.manifest
    teacher = manifest.teacher
    with asking(workspace_path(), 4, 0) as relabelling:
        # The right file, and a manifest that lists other channels than it has.
        fewer = replace(manifest, teacher=replace(teacher, channels=teacher.channels[1:]))
        opened = relabelling.open(fewer)
        assert (opened.sha256, opened.content_digest()) == (teacher.files[0].sha256, teacher.pyhf_digest)
        with pytest.raises(FindingError, match="LLB-C108"):
            opened.label(np.zeros((1, len(manifest.bins))))


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("--level", "6"), "--teacher"),
        (("--level", "4", "--teacher", "w.json"), "level 6"),
        (("--teacher", "missing.json"), "there is no file missing.json"),
    ],
)
def test_wrong_usage_is_one_line(
    arguments: tuple[str, ...], words: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    code, out, err = run(capsys, "validate", tmp_path, *arguments)
    assert (code, out, err.count("\n")) == (2, "", 1)
    assert words in err


def test_without_the_extra_it_says_which_one(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    find = importlib.util.find_spec
    monkeypatch.setattr("llb.cli.given.find_spec", lambda name: None if name == "jax" else find(name))
    code, out, err = run(capsys, "validate", tmp_path, "--teacher", workspace_path())
    assert (code, out, err.count("\n")) == (2, "", 1)
    assert "LLB-X001" in err
    assert "llb[train]" in err
