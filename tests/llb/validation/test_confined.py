"""Graphs run in a process of their own, and whatever happens to it is a finding."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import bundles
import hostile
import onnx
import pytest

from llb.bundle import Bundle, read_bundle
from llb.validation import RunLimits, validate
from llb.validation.confined import run_confined
from llb.validation.guard import guarded
from llb.validation.results import Wanted
from llb.validation.run_limits import GIB
from llb.validation.running import run_levels
from llb_conformance import parabola_model, write_quadratic
from llb_schema import finding

GRAPH = "graphs/delta_nll.onnx"


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return write_quadratic(parabola_model(), tmp_path / "x.llb")


@pytest.fixture
def bundle(path: Path) -> Bundle:
    return read_bundle(path)


def with_graph(path: Path, model: onnx.ModelProto) -> Path:
    bundles.replace_file(path, GRAPH, model.SerializeToString())
    return path


def codes(bundle: Bundle, program: str, level: int = 4) -> list[tuple[int, list[str]]]:
    """Level and codes of each result, with a program in the place of the process."""
    command = (sys.executable, "-c", program)
    found = run_confined(bundle, level, RunLimits(20.0), command=command)
    return [(item.level, [found.code for found in item.findings]) for item in found]


@pytest.mark.requirement("SECURITY-6")
def test_a_graph_that_takes_too_long_is_stopped(path: Path) -> None:
    # The most work that the audit lets through takes a fast core two seconds.
    report = validate(with_graph(path, hostile.busy()), limits=RunLimits(seconds=1.0))
    assert [(item.code, item.expected) for item in report.findings] == [("LLB-G016", "at most 1 s")]
    assert (report.status, report.level) == ("invalid", 3)


@pytest.mark.requirement("SECURITY-6")
def test_a_graph_that_takes_too_much_memory_is_stopped(path: Path) -> None:
    report = validate(with_graph(path, hostile.hungry()), limits=RunLimits(memory=GIB))
    assert [item.code for item in report.findings] == ["LLB-G017"]
    assert (report.status, report.level) == ("invalid", 4)


@pytest.mark.requirement("SECURITY-6")
def test_memory_that_is_not_enough_to_begin_with_is_a_finding(path: Path) -> None:
    report = validate(path, limits=RunLimits(memory=GIB // 1024))
    assert {item.code for item in report.findings} <= {"LLB-G017", "LLB-G018"}
    assert (report.status, report.level) == ("invalid", 3)


@pytest.mark.requirement("SECURITY-6")
def test_a_file_that_explodes_when_it_is_parsed_is_a_finding(path: Path) -> None:
    # A field `graph` of 2^25 bytes: empty nodes, two bytes each in the file and a hundred in memory.
    bundles.replace_file(path, GRAPH, b"\x3a\x80\x80\x80\x10" + b"\x0a\x00" * 2**24)
    report = validate(path, limits=RunLimits(memory=GIB))
    # The parser says what it lacks in its own ways, or not at all.
    assert {item.code for item in report.findings} <= {"LLB-G001", "LLB-G017", "LLB-G018"}
    assert (report.status, report.level) == ("invalid", 3)


@pytest.mark.requirement("SECURITY-6")
@pytest.mark.parametrize(
    ("program", "said"),
    [
        ("import os, signal; os.kill(os.getpid(), signal.SIGKILL)", "ended by SIGKILL"),
        ("import os, signal; os.kill(os.getpid(), signal.SIGSEGV)", "ended by SIGSEGV"),
        ("raise SystemExit(7)", "exit status 7"),
        ("print('garbage')", "what no validator says"),
        ("", "what no validator says"),
        ("print('[' * 100_000)", "what no validator says"),
        ('print(\'{"level": 4, "findings": [], "fresh": null}\')', "what no validator says"),
        ('print(\'{"level": 3, "findings": [{}], "fresh": null}\')', "what no validator says"),
        ("while True: print('x' * 1000)", "what no validator says"),
        (
            "import sys; sys.stdin.close(); print('\\x1b]0;owned\\x07', file=sys.stderr)",
            "what no validator says",
        ),
    ],
)
def test_a_process_that_comes_to_another_end_is_a_finding(
    bundle: Bundle, program: str, said: str, capfd: pytest.CaptureFixture[str]
) -> None:
    (result,) = run_confined(bundle, 4, RunLimits(), command=(sys.executable, "-c", program))
    (found,) = result.findings
    assert (result.level, found.code, found.pointer) == (3, "LLB-G018", "/graphs")
    assert said in found.message
    assert capfd.readouterr() == ("", "")


@pytest.mark.requirement("SECURITY-6")
def test_a_process_that_does_nothing_is_stopped(bundle: Bundle) -> None:
    for program in (
        "import time; time.sleep(1000)",
        "import sys, time; sys.stdout.close(); time.sleep(1000)",
    ):
        (result,) = run_confined(bundle, 4, RunLimits(1.0), command=(sys.executable, "-c", program))
        assert [item.code for item in result.findings] == ["LLB-G016"]


def test_a_process_that_cannot_be_started_is_a_finding(bundle: Bundle, tmp_path: Path) -> None:
    (result,) = run_confined(bundle, 4, RunLimits(), command=(str(tmp_path / "nothing"),))
    assert [item.code for item in result.findings] == ["LLB-G018"]


def test_what_was_found_before_a_crash_is_kept(bundle: Bundle) -> None:
    line = '{"level": 3, "findings": [], "fresh": null}'
    assert codes(bundle, f"print('{line}', flush=True); raise SystemExit(1)") == [(3, []), (4, ["LLB-G018"])]
    assert codes(bundle, f"print('{line}', end='')") == [(3, ["LLB-G018"])]


def test_an_answer_counts_only_at_its_end(bundle: Bundle) -> None:
    lines = [f'{{"level": {level}, "findings": [], "fresh": null}}' for level in (3, 4)]
    said = f"print(*{lines!r}, sep=chr(10), flush=True)"
    assert codes(bundle, said) == [(3, []), (4, [])]
    assert codes(bundle, f"{said}; raise SystemExit(1)") == [(3, []), (4, []), (4, ["LLB-G018"])]
    assert codes(bundle, f"{said}; import os; os.abort()") == [(3, []), (4, []), (4, ["LLB-G018"])]


@pytest.mark.requirement("SECURITY-6")
@pytest.mark.parametrize(
    ("fresh", "believed"),
    [
        ([[[0.5]], [[1.0, 2.0, None, 3.0]]], True),
        ([[[1e9]], [[1.0, 2.0, 3.0, 4.0]]], False),
        ([[[None]], [[1.0, 2.0, 3.0, 4.0]]], False),
        ([[[0.5]], [[1.0, 2.0, 3.0]]], False),
        ([[[0.5], [0.5]], [[1.0, 2.0, 3.0, 4.0]] * 2], False),
        ([[[0.5]], [[1.0, 2.0, 3.0], [4.0]]], False),
        ([[["0.5x"]], [[1.0, 2.0, 3.0, 4.0]]], False),
        ([[[0.5]]], False),
        (7, False),
        (None, False),
    ],
)
def test_fresh_points_are_believed_in_their_place_only(bundle: Bundle, fresh: object, believed: bool) -> None:
    said = [{"level": level, "findings": [], "fresh": None if level < 6 else fresh} for level in range(3, 7)]
    program = f"import json; [print(json.dumps(item)) for item in {said!r}]"
    command = (sys.executable, "-c", program)
    *_, last = run_confined(bundle, 6, RunLimits(), Wanted(1, 0), command=command)
    assert (last.level, last.fresh is not None) == (6, believed)
    assert [item.code for item in last.findings] == ([] if believed else ["LLB-G018"])


def test_a_want_of_memory_is_a_finding() -> None:
    (found,) = guarded(lambda: (finding("LLB-X900", str(len(bytearray(2**62)))),))
    assert found.code == "LLB-G017"


def test_severity_is_the_catalogues_whatever_is_said(bundle: Bundle) -> None:
    texts = dict.fromkeys(("requirement", "pointer", "message", "expected", "actual", "hint"), "x")
    said = {"level": 3, "findings": [{**texts, "code": "LLB-G003", "severity": "info"}], "fresh": None}
    program = f"import json; print(json.dumps({said!r}))"
    (result,) = run_confined(bundle, 4, RunLimits(), command=(sys.executable, "-c", program))
    (found,) = result.findings
    assert (found.severity, found.requirement, found.message) == ("error", "GRAPH-5", "x")


def test_both_ways_to_run_find_the_same(bundle: Bundle) -> None:
    wanted = Wanted(20, 3)
    here, there = tuple(run_levels(bundle, 6, wanted)), run_confined(bundle, 6, RunLimits(), wanted)
    assert [(item.level, item.findings) for item in here] == [(item.level, item.findings) for item in there]
    one, other = here[-1].fresh, there[-1].fresh
    assert one is not None
    assert other is not None
    assert (one.signals == other.signals).all()
    assert (one.predicted == other.predicted).all()


@pytest.mark.requirement("SECURITY-6")
def test_a_file_that_changes_after_its_check_is_not_handed_over(path: Path, bundle: Bundle) -> None:
    (path / GRAPH).write_bytes((path / GRAPH).read_bytes()[::-1])
    (result,) = run_confined(bundle, 4, RunLimits())
    assert [item.code for item in result.findings] == ["LLB-I001"]


def test_the_process_that_survives_loads_nothing_heavy(path: Path) -> None:
    program = (
        "import sys; from llb.validation import validate; "
        f"print(validate({str(path)!r}, 5).status, *({{'numpy', 'onnx', 'onnxruntime'}} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert (done.stdout, done.stderr) == ("ok\n", "")


@pytest.mark.parametrize("limits", [{"seconds": 0.0}, {"seconds": float("inf")}, {"memory": 0}])
def test_limits_are_limits(limits: dict[str, float]) -> None:
    with pytest.raises(ValueError, match="positive and finite"):
        RunLimits(**limits)
