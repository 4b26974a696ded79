from __future__ import annotations

import importlib.util
import json
import re
import shlex
import subprocess
import sys
from pathlib import Path

import bundles
import hepdata
import publishable
import pytest
from commands import run

from llb.cli.publish import publish_command
from llb.validation import validate


@pytest.fixture(scope="module")
def bundle(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return publishable.write(tmp_path_factory.mktemp("search") / "search.llb")


def test_a_submission_with_how_to_upload_it(
    bundle: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    code, out, err = run(capsys, "publish", "hepdata", bundle, "--out", tmp_path / "out", "--name", "stau")
    assert code == 0
    assert "https://www.hepdata.net/record/sandbox" in out
    assert f"{tmp_path / 'out'}/submission.tar.gz" in out
    assert "Asking hepdata-validator" in err
    assert hepdata.accepted(tmp_path / "out" / "submission.tar.gz") == []
    assert (tmp_path / "out" / "submission" / "stau-1.0.0.tar.gz").is_file()


def test_json_names_what_was_written(
    bundle: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    code, out, _ = run(capsys, "publish", "zenodo", bundle, "--out", tmp_path / "out", "--format", "json")
    done = json.loads(out)
    assert (code, done["written"], done["findings"]) == (0, str(tmp_path / "out"), [])
    assert all((tmp_path / "out" / name).is_file() for name in done["files"])


def test_the_text_for_zenodo_says_how_to_upload(
    bundle: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    _, out, _ = run(capsys, "publish", "zenodo", bundle, "--out", tmp_path / "out")
    assert f"@{tmp_path / 'out'}/deposition.json" in out
    assert "Nothing was uploaded" in out


def test_errors_are_findings_and_nothing_is_written(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    bad = bundles.write(tmp_path / "bad.llb", lambda document: document.update(id="from-github"))
    out = tmp_path / "out"
    code, text, err = run(capsys, "publish", "hepdata", bad, "--out", out)
    assert (code, text) == (1, "Nothing was written.\n")
    assert "[LLB-H002]" in err
    assert "--name" in err
    assert not out.exists()


def test_what_cannot_be_used_is_one_line(
    bundle: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "there").mkdir()
    for arguments, code in (
        (("hepdata", tmp_path / "no.llb", "--out", tmp_path / "o"), "LLB-A001"),
        (("hepdata", bundle, "--out", tmp_path / "there"), "LLB-X002"),
        (("hepdata", bundle, "--out", tmp_path / "no" / "o"), "LLB-X003"),
        (("hepdata", bundle, "--out", tmp_path / "o", "--extend", tmp_path / "there"), "LLB-H011"),
        (("hepdata", bundle, bundle, "--out", tmp_path / "o", "--name", "n"), "LLB-X901"),
        (("hepdata", bundle, "--out", tmp_path / "o", "--name", "a b"), "LLB-X901"),
        (("zenodo", bundle, "--out", tmp_path / "o", "--doi", "zenodo.1"), "LLB-X901"),
    ):
        exit_code, out, err = run(capsys, "publish", *arguments)
        assert (exit_code, out) == (2, "")
        assert f"[{code}]" in err
        assert "Traceback" not in err
    assert sorted(path.name for path in tmp_path.iterdir()) == ["there"]


def test_without_the_extra_it_is_named(
    bundle: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    find = importlib.util.find_spec
    monkeypatch.setattr("llb.cli.given.find_spec", lambda name: None if name == "hepdata_lib" else find(name))
    code, _, err = run(capsys, "publish", "hepdata", bundle, "--out", tmp_path / "out")
    assert code == 2
    assert "[LLB-X001]" in err
    assert "llb[hepdata]" in err


def test_an_extended_submission_keeps_its_bundle(
    bundle: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    mine = hepdata.write_submission(tmp_path / "mine")
    out = tmp_path / "out"
    code, text, _ = run(
        capsys, "publish", "hepdata", bundle, "--extend", mine, "--out", out, "--format", "json"
    )
    assert (code, json.loads(text)["findings"]) == (0, [])
    for name, content in hepdata.archive_files(
        (out / "submission" / "three-bins-1.0.0.tar.gz").read_bytes()
    ).items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_bytes(content)
    assert validate(tmp_path / "three-bins.llb", 5).status == "ok"


def test_zenodo_needs_no_extra() -> None:
    heavy = ("yaml", "hepdata_lib", "hepdata_validator", "PIL", "matplotlib")
    code = f"import sys, llb.publish.zenodo; print(*sorted(set({heavy!r}) & set(sys.modules)))"
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert found.stdout.split() == []


def test_the_commands_of_the_page_are_understood() -> None:
    page = (Path(__file__).resolve().parents[3] / "docs" / "publishing.md").read_text()
    lines = re.findall(r"^llb publish (.*)$", page, re.MULTILINE)
    assert len(lines) >= 3
    for line in lines:
        name, *arguments = shlex.split(line)
        command = publish_command.commands[name]
        assert command.make_context(name, arguments).params["out"]
