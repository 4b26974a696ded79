"""What a validation may not do, whatever is in the bundle: network, files, programs, the terminal."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import bundles
import hostile
import pytest
from commands import run

from llb.bundle import read_bundle
from llb.validation import RunLimits
from llb.validation.confined import CHILD, run_confined
from llb_conformance import parabola_model, write_quadratic

GRAPH = "graphs/delta_nll.onnx"

# Ends the process at the first event that has no place in a validation.
WATCH = f"""
import os, sys
sys.dont_write_bytecode = True
WRITES = os.O_WRONLY | os.O_RDWR | os.O_CREAT
CHANGES = ("os.remove", "os.rename", "os.mkdir", "os.rmdir", "os.link", "os.symlink", "os.truncate")
STARTS = ("os.system", "os.exec", "os.posix_spawn", "os.fork", "os.forkpty", "pty.spawn", "subprocess.Popen")
def watch(event, args):
    wrong = event.startswith(("socket.", "urllib.")) or event in CHANGES or event in STARTS
    if event == "open" and isinstance(args[0], str) and args[0] != os.devnull:
        wrong = bool(args[2] & WRITES)
    if event == "subprocess.Popen" and tuple(args[1]) == {CHILD!r}:
        wrong = False
    if wrong:
        os.write(2, repr((event, args)).encode())
        os._exit(77)
sys.addaudithook(watch)
"""


@pytest.fixture
def path(tmp_path: Path) -> Path:
    (tmp_path / "in").mkdir()
    return write_quadratic(parabola_model(), tmp_path / "in" / "x.llb")


def watched(program: str, folder: Path) -> tuple[int, str]:
    command = [sys.executable, "-c", WATCH + program]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True)
    return done.returncode, done.stdout + done.stderr


@pytest.mark.parametrize(
    "program",
    [
        "import socket; socket.socket()",
        "open('beside', 'w')",
        "os.system('true')",
        "import subprocess; subprocess.run(['true'])",
        "os.mkdir('beside')",
    ],
)
def test_the_watch_sees(program: str, tmp_path: Path) -> None:
    assert watched(program, tmp_path)[0] == 77


@pytest.mark.requirement("SECURITY-7", "SECURITY-4")
@pytest.mark.parametrize("form", ["", ".zip", ".tar.gz"])
def test_the_process_that_reads_does_nothing_else(form: str, tmp_path: Path) -> None:
    path = bundles.write(tmp_path / f"x.llb{form}")
    before = {item: item.stat() for item in (path, *path.rglob("*"))}
    program = f"from llb.validation import validate; print(validate({str(path)!r}, 5).status)"
    assert watched(program, tmp_path) == (0, "ok\n")
    after = {item: item.stat() for item in (path, *path.rglob("*"))}
    assert {item: (stat.st_size, stat.st_mtime_ns) for item, stat in after.items()} == {
        item: (stat.st_size, stat.st_mtime_ns) for item, stat in before.items()
    }
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.requirement("SECURITY-7")
def test_the_process_that_runs_the_graph_does_nothing_else(path: Path) -> None:
    program = WATCH + "from llb.validation.confined_child import main\nmain()"
    results = run_confined(read_bundle(path), 5, RunLimits(), command=(sys.executable, "-c", program))
    assert [(item.level, item.findings) for item in results] == [(3, ()), (4, ()), (5, ())]


@pytest.mark.requirement("SECURITY-7")
def test_nothing_is_imported_from_where_somebody_validates(path: Path) -> None:
    for name in ("json", "onnxruntime", "llb"):
        (path.parent / f"{name}.py").write_text("raise SystemExit('imported')")
    program = f"from llb.validation import validate; print(validate({str(path)!r}, 3).status)"
    command = [sys.executable, "-P", "-c", program]
    done = subprocess.run(command, cwd=path.parent, capture_output=True, text=True)
    assert (done.stdout, done.stderr) == ("ok\n", "")


@pytest.mark.requirement("SECURITY-7")
@pytest.mark.skipif(sys.platform == "win32", reason="a limit of POSIX")
def test_nothing_can_be_written_where_graphs_run(tmp_path: Path) -> None:
    target = tmp_path / "beside"
    program = (
        "from pathlib import Path; from llb.validation.confined_child import confine, RunLimits\n"
        f"confine(RunLimits()); Path({str(target)!r}).write_text('x')"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert "File too large" in done.stderr
    assert target.read_text() == ""


@pytest.mark.requirement("SECURITY-7", "SECURITY-5")
@pytest.mark.parametrize("output", ["text", "json", "junit"])
def test_names_do_not_steer_the_terminal(output: str, path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    model, code = hostile.HOSTILE["long_name"]
    bundles.replace_file(path, GRAPH, model().SerializeToString())
    exit_code, out, err = run(capsys, "validate", path, "--format", output)
    assert (exit_code, err) == (1, "")
    assert code in out
    assert "owned" in out
    assert all(mark.isprintable() for mark in out.replace(os.linesep, "").replace("\n", ""))


@pytest.mark.requirement("SECURITY-6")
def test_limits_can_be_given(path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    bundles.replace_file(path, GRAPH, hostile.hungry().SerializeToString())
    exit_code, out, _ = run(capsys, "validate", path, "--memory-limit", 1)
    assert (exit_code, "LLB-G017" in out, "level 4" in out) == (1, True, True)
    exit_code, out, _ = run(capsys, "validate", path, "--time-limit", 0.001)
    assert (exit_code, "LLB-G016" in out, "at most 0.001 s" in out) == (1, True, True)
    exit_code, _, err = run(capsys, "validate", path, "--time-limit", 0)
    assert (exit_code, "--time-limit" in err) == (2, True)
