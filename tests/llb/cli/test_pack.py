from __future__ import annotations

import json
from pathlib import Path

import bundles
import pytest
from commands import run

from llb.bundle import content_id, file_digests, open_container


@pytest.fixture
def bundle(tmp_path: Path) -> Path:
    return bundles.write(tmp_path / "x.llb")


def test_for_people(bundle: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = bundle.with_suffix(".zip")
    code, text, err = run(capsys, "pack", bundle, "--out", out)
    assert (code, err) == (0, "")
    expected = content_id(file_digests(open_container(bundle)))
    assert text == f"three-bins@1.0.0: zip archive {out}, 8 files\ncontent id {expected}\n"


@pytest.mark.parametrize(("suffix", "form"), [(".zip", "zip"), (".tgz", "tar"), (".copy", "directory")])
def test_for_programs(bundle: Path, suffix: str, form: str, capsys: pytest.CaptureFixture[str]) -> None:
    out = bundle.with_suffix(suffix)
    code, text, err = run(capsys, "pack", bundle, "--out", out, "--format", "json")
    assert (code, err) == (0, "")
    assert open_container(out).kind == form
    assert json.loads(text) == {
        "id": "three-bins",
        "version": "1.0.0",
        "format_version": "1.0.0",
        "content_id": content_id(file_digests(open_container(bundle))),
        "path": str(out),
        "form": form,
        "files": 8,
    }


def test_overwriting_is_asked_for(bundle: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = bundle.with_suffix(".zip")
    assert run(capsys, "pack", bundle, "--out", out)[0] == 0
    code, text, err = run(capsys, "pack", bundle, "--out", out)
    assert (code, text) == (2, "")
    assert err.startswith("[LLB-X002]")
    assert run(capsys, "pack", bundle, "--out", out, "--force")[0] == 0


@pytest.mark.parametrize(
    ("source", "target", "found"),
    [
        ("nothing", "y.zip", "LLB-A001"),
        ("x.llb/manifest.json", "y.zip", "LLB-A001"),
        ("empty", "y.zip", "LLB-A010"),
        ("short", "y.zip", "LLB-I003"),
        ("x.llb", "x.llb", "LLB-A013"),
        ("x.llb", "nowhere/y.zip", "LLB-X003"),
        ("x.llb", "empty/", "LLB-X002"),
    ],
)
def test_what_cannot_be_packed_is_one_line_and_leaves_nothing(
    bundle: Path, source: str, target: str, found: str, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = bundle.parent
    (folder / "empty").mkdir()
    (bundles.write(folder / "short") / "LICENSE").unlink()
    before = sorted(folder.rglob("*"))
    code, text, err = run(capsys, "pack", folder / source, "--out", folder / target)
    assert (code, text) == (2, "")
    assert err.startswith(f"[{found}]")
    assert err.count("\n") == 1
    assert sorted(folder.rglob("*")) == before


def test_a_target_is_needed(bundle: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, _, err = run(capsys, "pack", bundle)
    assert code == 2
    assert err.startswith("[LLB-X901] Missing option '--out'")
