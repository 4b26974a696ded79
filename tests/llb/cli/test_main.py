from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from importlib import import_module
from pathlib import Path

import click
import pytest

from llb.cli.failure import printable, run
from llb.cli.main import cli, main
from llb_conformance import parabola_model, write_quadratic
from llb_schema import FindingError, finding


def llb(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    program = "from llb.cli.main import main; main()"
    return subprocess.run(
        [sys.executable, "-c", program, *arguments],
        capture_output=True,
        text=True,
        env={**os.environ, **environment},
    )


def fail(error: BaseException) -> Callable[[], object]:
    def command() -> object:
        raise error

    return command


@pytest.mark.parametrize(
    ("error", "code", "line"),
    [
        (FindingError(finding("LLB-I001", "the digest differs")), 2, "[LLB-I001] the digest differs."),
        (KeyboardInterrupt(), 130, "Interrupted."),
        (click.Abort(), 130, "Interrupted."),
        (click.UsageError("no such thing"), 2, "[LLB-X901] no such thing."),
        (
            ModuleNotFoundError("No module", name="jax.numpy"),
            2,
            "[LLB-X001] this command needs the package jax",
        ),
        (ModuleNotFoundError("No module named 'x'", name="x"), 2, "[LLB-X900] ModuleNotFoundError"),
        (RuntimeError("surprise\nwith lines"), 2, "[LLB-X900] RuntimeError: surprise\\nwith lines."),
    ],
)
def test_every_failure_is_one_line(
    error: BaseException,
    code: int,
    line: str,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.delenv("LLB_DEBUG", raising=False)
    assert run(fail(error)) == code
    captured = capsys.readouterr()
    assert captured.err.startswith(line)
    assert captured.err.count("\n") == 1
    assert captured.out == ""


def test_all_findings_are_printed(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(fail(FindingError([finding("LLB-I001"), finding("LLB-I004")]))) == 2
    assert capsys.readouterr().err.count("\n") == 2


def test_unexpected_errors_keep_their_traceback_for_debugging(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LLB_DEBUG", "1")
    with pytest.raises(RuntimeError):
        run(fail(RuntimeError("surprise")))


def test_control_characters_cannot_steer_the_terminal() -> None:
    assert printable("a\x1b[2Jb\u202ec\n") == "a\\x1b[2Jb\\u202ec\\n"


def test_help_imports_none_of_the_heavy_modules() -> None:
    program = """
import sys
from llb.cli.main import main
try:
    main(["--help"])
except SystemExit as end:
    heavy = {"numpy", "onnx", "onnxruntime", "jsonschema", "scipy", "rich", "jax", "llb_trainer"}
    sys.exit(end.code or bool(heavy & sys.modules.keys()))
"""
    result = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert result.returncode == 0
    for name in ("quickstart", "label", "validate", "show", "diff", "pack", "explain", "eval", "limit"):
        assert f"\n  {name} " in result.stdout


@pytest.mark.parametrize(
    ("arguments", "unneeded"),
    [
        (("explain",), ("numpy", "jsonschema", "rich")),
        (("diff", "BUNDLE", "BUNDLE"), ("numpy", "onnx", "onnxruntime", "scipy", "rich")),
        (("pack", "BUNDLE", "--out", "OUT"), ("numpy", "onnx", "onnxruntime", "scipy", "rich")),
        (("show", "BUNDLE"), ("onnx", "onnxruntime", "scipy")),
        (("import", "olll", "--help"), ("numpy", "onnx", "jsonschema", "rich")),
        (("export", "olll", "--help"), ("numpy", "onnx", "jsonschema", "rich")),
        (("validate", "BUNDLE", "--level", "2"), ("onnx", "onnxruntime", "scipy", "rich")),
        (("validate", "BUNDLE"), ("scipy", "rich")),
        (("eval", "BUNDLE", "--signal", "SIGNAL"), ("scipy", "rich")),
    ],
)
def test_commands_import_only_what_they_need(
    arguments: tuple[str, ...], unneeded: tuple[str, ...], tmp_path: Path
) -> None:
    model = parabola_model()
    signal = tmp_path / "signal.json"
    signal.write_text(json.dumps(dict.fromkeys(model.bin_ids, 1.0)))
    bundle = write_quadratic(model, tmp_path / "toy.llb")
    names = {"BUNDLE": str(bundle), "SIGNAL": str(signal), "OUT": str(tmp_path / "copy.llb.zip")}
    program = f"""
import sys
from llb.cli.main import main
try:
    main({[names.get(item, item) for item in arguments]!r})
except SystemExit as end:
    print("exit", end.code, *sorted({set(unneeded)!r} & sys.modules.keys()))
"""
    result = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert result.stdout.splitlines()[-1] == "exit 0", result


@pytest.mark.parametrize(
    "name", ["label", "validate", "show", "diff", "pack", "import", "export", "explain", "eval", "limit"]
)
def test_every_command_has_the_announced_help_and_an_example(name: str) -> None:
    command = cli.get_command(click.Context(cli), name)
    assert command is not None
    assert command.name == name
    module, _, text = import_module("llb.cli.main").COMMANDS[name]
    assert command.callback is not None
    assert command.callback.__module__ == module
    assert command.get_short_help_str(200) == text
    assert "Example:" in (command.help or "")


@pytest.mark.parametrize(
    "arguments", [["nonsense"], ["validate"], ["validate", "x", "--level", "9"], ["--nonsense"]]
)
def test_usage_errors_exit_with_2_and_a_hint(
    arguments: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as end:
        main(arguments)
    assert end.value.code == 2
    error = capsys.readouterr().err
    assert error.startswith("[LLB-X901]")
    assert "--help" in error
    assert error.count("\n") == 1


def test_no_command_shows_the_help() -> None:
    result = llb()
    assert result.returncode == 2
    assert "Commands:" in result.stderr


@pytest.mark.parametrize(
    ("command", "form"), [("show", "text"), ("show", "json"), ("validate", "text"), ("limit", "text")]
)
def test_output_that_nobody_takes(command: str, form: str, tmp_path: Path) -> None:
    model = parabola_model()
    signal = tmp_path / "signal.json"
    signal.write_text(json.dumps({f"signal-{n}": dict.fromkeys(model.bin_ids, 1.0) for n in range(900)}))
    arguments = [command, str(write_quadratic(model, tmp_path / "toy.llb")), "--format", form]
    arguments += ["--signal", str(signal)] if command == "limit" else []
    program = [sys.executable, "-c", "from llb.cli.main import main; main()", *arguments]
    # Buffered, as it is for users: what is left over must not complain at exit either.
    environment = {key: value for key, value in os.environ.items() if key != "PYTHONUNBUFFERED"}

    reader, writer = os.pipe()
    os.close(reader)
    gone = subprocess.run(program, stdout=writer, stderr=subprocess.PIPE, text=True, env=environment)
    os.close(writer)
    assert (gone.returncode, gone.stderr) == (141, "")

    shut = subprocess.run(
        ["sh", "-c", 'exec "$@" >&-', "sh", *program], stderr=subprocess.PIPE, text=True, env=environment
    )
    assert shut.returncode == 2
    assert shut.stderr.startswith("[LLB-X003] the standard output is closed")
    assert len(shut.stderr.splitlines()) == 1

    if Path("/dev/full").exists():
        with Path("/dev/full").open("w") as full:
            left = subprocess.run(program, stdout=full, stderr=subprocess.PIPE, text=True, env=environment)
        assert left.returncode == 2
        assert left.stderr.startswith("[LLB-X003] the output: No space left")
        assert len(left.stderr.splitlines()) == 1


def test_a_path_that_is_no_text_is_still_one_line(tmp_path: Path) -> None:
    program = [sys.executable, "-c", "from llb.cli.main import main; main()", "show", b"\xff\xfe.llb"]
    result = subprocess.run(program, capture_output=True, cwd=tmp_path)
    assert (result.returncode, result.stdout) == (2, b"")
    assert result.stderr.startswith(b"[LLB-A001] \\udcff\\udcfe.llb does not exist")
    assert result.stderr.count(b"\n") == 1


def test_a_wrong_folder_is_a_page_of_lines(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for number in range(50):
        (tmp_path / f"not allowed {number}").touch()
    with pytest.raises(SystemExit) as end:
        main(["show", str(tmp_path)])
    assert end.value.code == 2
    assert len(capsys.readouterr().err.splitlines()) == 21


def test_version() -> None:
    result = llb("--version")
    assert result.returncode == 0
    assert "0.1.0" in result.stdout
