"""`llb train`: bundles from a workspace and from its label store, and bad input in one line."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import simplifieds

from llb.cli.main import main
from llb.runtime import load
from llb.validation import validate
from llb_trainer.quickstart import load_workspace, patchset_path, workspace_path

RECIPE = """format = "llb-recipe"
format_version = "1.0"
[labels]
signals = 400
[network]
width = 16
depth = 2
members = 2
[schedule]
steps = 300
batch = 128
"""


@pytest.fixture(scope="module")
def recipe(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("recipe") / "short.toml"
    path.write_text(RECIPE, encoding="utf-8")
    return path


def llb(*arguments: object) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-c", "from llb.cli.main import main; main()", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, timeout=600, check=False)


def told(done: subprocess.CompletedProcess[str]) -> dict[str, Any]:
    assert done.returncode == 0, done.stderr
    # What other packages log is no business of who trains.
    assert "INFO" not in done.stderr
    return json.loads(done.stdout)


def test_a_workspace_becomes_a_bundle(recipe: Path, tmp_path: Path) -> None:
    out = tmp_path / "search.llb"
    options = ("--recipe", recipe, "--patchset", patchset_path(), "--processes", "0", "--format", "json")
    said = told(llb("train", workspace_path(), "--out", out, *options))
    assert said["status"] == "ok"
    assert validate(out).status == "ok"
    manifest = load(out).bundle.manifest
    assert len(said["metrics"]) == len(manifest.validation.metrics)
    assert {item["curve"] for item in said["coverage"]} == {curve.name for curve in manifest.own_curves}
    assert load(out).has_uncertainty
    assert [path.name for path in tmp_path.iterdir()] == ["search.llb"]


def test_a_label_store_becomes_a_bundle(recipe: Path, tmp_path: Path) -> None:
    store, out = tmp_path / "labels", tmp_path / "search.llb"
    made = llb("label", workspace_path(), "--out", store, "--points", "500", "--processes", "0")
    assert made.returncode == 0, made.stderr
    said = told(
        llb(
            "train",
            store,
            "--workspace",
            workspace_path(),
            "--recipe",
            recipe,
            "--out",
            out,
            "--format",
            "json",
        )
    )
    assert said["status"] == "ok"
    assert "Reading the labels" in said["seconds"]
    # Another model than the labels are of is refused before any work.
    other = load_workspace()
    other["observations"][0]["data"][0] += 1
    (tmp_path / "other.json").write_text(json.dumps(other), encoding="utf-8")
    refused = llb(
        "train",
        store,
        "--workspace",
        tmp_path / "other.json",
        "--recipe",
        recipe,
        "--out",
        tmp_path / "o.llb",
    )
    assert refused.returncode == 2
    assert "LLB-L101" in refused.stderr
    assert not (tmp_path / "o.llb").exists()


def test_a_simplified_likelihood_becomes_a_bundle_that_its_teacher_confirms(
    recipe: Path, tmp_path: Path
) -> None:
    source, out = simplifieds.written(tmp_path, simplifieds.document()), tmp_path / "cms.llb"
    signals = tmp_path / "signals.json"
    yields = {"weak": {"SR1": 1.0, "SR2": 0.5, "SR3": 0.2}, "strong": {"SR1": 9.0, "SR2": 6.0, "SR3": 3.0}}
    signals.write_text(json.dumps(yields), encoding="utf-8")
    about = tmp_path / "about.toml"
    about.write_text('title = "A search that somebody made"\nid = "somebodys"\n', encoding="utf-8")
    options = ("--recipe", recipe, "--signals", signals, "--about", about, "--processes", "0")
    said = told(llb("train", source, "--out", out, *options, "--format", "json"))
    assert said["status"] == "ok"
    model = load(out)
    assert (model.bundle.manifest.id, model.bundle.manifest.title) == (
        "somebodys",
        "A search that somebody made",
    )
    assert model.bundle.manifest.teacher.kind == "simplified_likelihood"
    assert model.bin_ids == ("SR1[0]", "SR2[0]", "SR3[0]", "CR[0]")
    assert [reference.value for reference in model.bundle.manifest.references] == ["1809.05548"]
    assert model.bundle.read("validation/benchmarks.csv").count(b"\n") == 3
    done = llb("validate", out, "--teacher", source, "--points", "8", "--format", "json")
    assert json.loads(done.stdout)["level"] == 6, done.stdout
    found = {item["code"] for item in json.loads(done.stdout)["findings"]}
    assert found <= {"LLB-C106", "LLB-C107"}
    other = simplifieds.written(tmp_path, simplifieds.document(observed=[14, 5, 0, 61]))
    done = llb("validate", out, "--teacher", other)
    assert done.returncode == 1
    assert "LLB-C101" in done.stdout


@pytest.fixture
def refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Callable[..., str]:
    def run(*arguments: object) -> str:
        with pytest.raises(SystemExit) as end:
            main(["train", "--out", str(tmp_path / "t.llb"), *map(str, arguments)])
        captured = capsys.readouterr()
        assert end.value.code == 2
        assert captured.out == ""
        assert not (tmp_path / "t.llb").exists()
        return captured.err

    return run


def test_bad_input_is_one_line(refused: Callable[..., str], tmp_path: Path) -> None:
    (tmp_path / "bad.toml").write_text("width = 3", encoding="utf-8")
    simple = simplifieds.written(tmp_path, simplifieds.document())
    (tmp_path / "broken").mkdir()
    broken = simplifieds.written(tmp_path / "broken", simplifieds.document(extra=1))
    for arguments, words in (
        ((tmp_path / "no.json",), "LLB-X003"),
        ((workspace_path(), "--recipe", tmp_path / "no.toml"), "LLB-X003"),
        ((workspace_path(), "--recipe", tmp_path / "bad.toml"), "LLB-T042"),
        ((workspace_path(), "--about", tmp_path / "no.toml"), "LLB-X003"),
        ((workspace_path(), "--about", tmp_path / "bad.toml"), "LLB-T043"),
        ((tmp_path, "--workspace", workspace_path()), "LLB-L105"),
        ((tmp_path,), "--workspace"),
        ((workspace_path(), "--workspace", workspace_path()), "label store"),
        ((workspace_path(), "--patchset", patchset_path(), "--signals", patchset_path()), "not from both"),
        ((simple, "--patchset", patchset_path()), "belong to workspaces"),
        ((broken,), "LLB-W061"),
    ):
        line = refused(*arguments)
        assert words in line
        assert "Traceback" not in line
