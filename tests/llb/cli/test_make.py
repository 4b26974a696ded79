"""`llb quickstart` refuses bad input at once, in one line, before anything expensive."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from bundles import write

from llb.cli.main import main
from llb_trainer.quickstart import load_patchset, load_workspace, patchset_path, workspace_path


@pytest.fixture
def refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Callable[..., str]:
    def run(*arguments: object, out: Path = tmp_path / "q.llb") -> str:
        with pytest.raises(SystemExit) as end:
            main(["quickstart", "--out", str(out), *map(str, arguments)])
        captured = capsys.readouterr()
        assert end.value.code == 2
        assert captured.out == ""
        assert captured.err.count("\n") == 1
        return captured.err

    return run


def test_missing_files(refused: Callable[..., str], tmp_path: Path) -> None:
    assert refused("--workspace", tmp_path / "no.json").startswith("[LLB-X003] there is no file")
    line = refused("--workspace", workspace_path(), "--patchset", tmp_path / "no.json")
    assert line.startswith("[LLB-X003] there is no file")
    assert "LLB-X003" in refused("--workspace", tmp_path)


def test_the_output_is_never_overwritten_unasked(refused: Callable[..., str], tmp_path: Path) -> None:
    (tmp_path / "q.llb").mkdir()
    (tmp_path / "q.llb" / "thesis.tex").write_text("years of work")
    assert refused().startswith("[LLB-X002]")
    assert refused("--force").startswith("[LLB-A012]")
    assert (tmp_path / "q.llb" / "thesis.tex").read_text() == "years of work"


def test_a_picture_of_something_else_is_safe(refused: Callable[..., str], tmp_path: Path) -> None:
    (tmp_path / "q.png").write_bytes(b"a plot")
    for name in ("q.llb", "q.llb.zip", "q.tar.gz", "q"):
        assert refused(out=tmp_path / name).startswith("[LLB-X002]")


def test_a_bundle_may_be_replaced_when_asked(refused: Callable[..., str], tmp_path: Path) -> None:
    write(tmp_path / "q.llb")
    assert "LLB-X002" in refused()
    assert "LLB-X003" in refused("--force", "--workspace", tmp_path / "no.json")


def test_the_folder_must_be_there(refused: Callable[..., str], tmp_path: Path) -> None:
    assert refused(out=tmp_path / "no" / "q.llb").startswith("[LLB-X003] there is no folder")


@pytest.mark.parametrize(
    ("text", "code"),
    [("{", "LLB-W001"), ("[]", "LLB-W002"), ('{"a": 1}', "LLB-W002"), ('{"a": NaN}', "LLB-W005")],
)
def test_no_workspace(refused: Callable[..., str], tmp_path: Path, text: str, code: str) -> None:
    path = tmp_path / "w.json"
    path.write_text(text)
    assert refused("--workspace", path).startswith(f"[{code}]")


def test_a_workspace_that_holds_the_signal_already(refused: Callable[..., str], tmp_path: Path) -> None:
    workspace = load_workspace()
    modifiers = workspace["channels"][0]["samples"][0]["modifiers"]
    modifiers.append({"name": "mu_SIG", "type": "normfactor", "data": None})
    path = tmp_path / "w.json"
    path.write_text(json.dumps(workspace))
    assert refused("--workspace", path).startswith("[LLB-W004]")


def test_a_measurement_that_is_not_there(refused: Callable[..., str]) -> None:
    line = refused("--workspace", workspace_path(), "--measurement", "nothing")
    assert line.startswith("[LLB-W003]")


def test_the_patchset_of_another_workspace(refused: Callable[..., str], tmp_path: Path) -> None:
    patchset = load_patchset()
    patchset["metadata"]["digests"]["sha256"] = "0" * 64
    path = tmp_path / "p.json"
    path.write_text(json.dumps(patchset))
    assert refused("--workspace", workspace_path(), "--patchset", path).startswith("[LLB-Y011]")


def test_no_patchset(refused: Callable[..., str]) -> None:
    line = refused("--workspace", workspace_path(), "--patchset", workspace_path())
    assert line.startswith("[LLB-Y01")


def test_options_that_need_a_workspace(refused: Callable[..., str]) -> None:
    assert refused("--patchset", patchset_path()).startswith("[LLB-X901] --patchset needs the --workspace")
    assert refused("--measurement", "x").startswith("[LLB-X901] --measurement needs a --workspace")


def test_without_the_extra_one_line_names_it(
    refused: Callable[..., str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "optax", None)
    line = refused()
    assert line.startswith("[LLB-X001]")
    assert "optax" in line
    assert "pip install 'llb[train]'" in line


def test_bad_input_is_refused_before_jax_is_loaded(tmp_path: Path) -> None:
    patchset = load_patchset()
    patchset["patches"][0]["patch"][0]["path"] = "/channels/99/samples/-"
    path = tmp_path / "p.json"
    path.write_text(json.dumps(patchset))
    arguments = ["quickstart", "--workspace", str(workspace_path()), "--patchset", str(path)]
    program = f"""
import sys
from llb.cli.main import main
try:
    main({[*arguments, "--out", str(tmp_path / "q.llb")]!r})
except SystemExit as end:
    sys.exit(10 * end.code + bool({{"jax", "matplotlib"}} & sys.modules.keys()))
"""
    result = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert result.returncode == 20, result.stderr
    assert "[LLB-Y013]" in result.stderr
