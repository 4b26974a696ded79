from __future__ import annotations

import json
from pathlib import Path

import pytest
from commands import run

from llb.bundle import content_id, file_digests, open_container
from llb_schema import FORMAT_VERSION

GOLDEN = Path(__file__).resolve().parents[2] / "golden"
OLD, CURRENT = GOLDEN / "format-0.1.0.llb.zip", GOLDEN / f"format-{FORMAT_VERSION}.llb.zip"


def test_for_people(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "new.llb"
    code, text, err = run(capsys, "upgrade", OLD, "--out", out)
    assert (code, err) == (0, "")
    expected = content_id(file_digests(open_container(out)))
    assert text == (
        f"golden@1.0.1: directory {out}, 8 files\ncontent id {expected}\nformat 0.1.0 -> {FORMAT_VERSION}\n"
    )
    assert run(capsys, "validate", out)[0] == 0


def test_for_programs(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "new.llb.zip"
    code, text, err = run(capsys, "upgrade", OLD, "--out", out, "--format", "json")
    assert (code, err) == (0, "")
    assert json.loads(text) == {
        "upgraded": True,
        "format_version_before": "0.1.0",
        "id": "golden",
        "version": "1.0.1",
        "format_version": FORMAT_VERSION,
        "content_id": content_id(file_digests(open_container(out))),
        "path": str(out),
        "form": "zip",
        "files": 8,
    }


def test_a_current_bundle_is_left_alone(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "new.llb"
    code, text, err = run(capsys, "upgrade", CURRENT, "--out", out)
    assert (code, err) == (0, "")
    assert text == f"{CURRENT} is of format {FORMAT_VERSION}, which is current; nothing was written\n"
    code, text, _ = run(capsys, "upgrade", CURRENT, "--out", out, "--format", "json")
    assert (code, json.loads(text)) == (0, {"upgraded": False, "format_version": FORMAT_VERSION})
    assert not out.exists()


def test_overwriting_is_asked_for(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "new.llb"
    assert run(capsys, "upgrade", OLD, "--out", out)[0] == 0
    code, text, err = run(capsys, "upgrade", OLD, "--out", out)
    assert (code, text) == (2, "")
    assert err.startswith("[LLB-X002]")
    assert run(capsys, "upgrade", OLD, "--out", out, "--force")[0] == 0


def test_what_is_no_bundle_is_one_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, text, err = run(capsys, "upgrade", tmp_path / "nothing", "--out", tmp_path / "new.llb")
    assert (code, text) == (2, "")
    assert err.startswith("[LLB-A001]")
    assert err.count("\n") == 1
