"""`llb conform`: what it prints, what it writes, and how it ends."""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path
from xml.etree import ElementTree as Xml

import pytest
from commands import run
from outside import run_outside

from llb_conformance.report import RESULTS, read_run
from llb_conformance.suite import suite
from llb_conformance.templates import template

RIGHT = f"{sys.executable} -m llb.loader"
FEW = ("--cases", "curve-*", "--cases", "zero-*", "--cases", "reason-digest-wrong")
# The reference with a factor of two.
WRONG = """
import sys
from llb.loader import Loader, serve
class Wrong(Loader):
    def evaluate(self, request):
        reply = super().evaluate(request)
        for rows in reply["delta_nll"].values():
            rows[:] = [2.0 * value for value in rows]
        return reply
sys.exit(serve(sys.stdin.buffer, sys.stdout.buffer, Wrong()))
"""


@pytest.fixture
def wrong(tmp_path: Path) -> str:
    (tmp_path / "wrong.py").write_text(WRONG, encoding="utf-8")
    return f"{sys.executable} {tmp_path / 'wrong.py'}"


def test_a_right_loader_conforms(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    code, out, _ = run(
        capsys, "conform", "run", "--loader", RIGHT, *FEW, "--report", tmp_path / "report", "--class", "core"
    )
    assert code == 0
    assert "conforming" in out
    assert {path.name for path in (tmp_path / "report").iterdir()} == {
        RESULTS,
        "summary.json",
        "junit.xml",
        "badge.json",
        "report.html",
    }


def test_a_wrong_loader_does_not_and_the_report_says_why(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, wrong: str
) -> None:
    report = tmp_path / "report"
    code, out, err = run(
        capsys, "conform", "run", "--loader", wrong, *FEW, "--class", "core", "--report", report
    )
    assert code == 1
    assert "failed: curve-observed: delta_nll of observed: " in out
    assert "not conforming" in out
    assert "Traceback" not in err
    summary = json.loads((report / "summary.json").read_text(encoding="utf-8"))
    # Twice nothing is nothing.
    assert summary["outcomes"]["passed"] == 1
    assert "curve-observed" in summary["failures"]
    records = [json.loads(line) for line in (report / RESULTS).read_text(encoding="utf-8").splitlines()]
    failed = next(record for record in records if record.get("case") == "curve-observed")
    assert failed["got"] == pytest.approx([2.0 * value for value in failed["expected"]])
    xml = Xml.parse(report / "junit.xml")  # noqa: S314 - our own
    assert len(xml.findall(".//failure")) == len(summary["failures"])
    again, out, _ = run(capsys, "conform", "report", report, "--format", "json")
    assert (again, json.loads(out)) == (1, summary)


def test_known_failures_pass_until_one_is_cured(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, wrong: str
) -> None:
    cases = ("--cases", "curve-observed", "--cases", "zero-alone")
    known = tmp_path / "known.toml"
    known.write_text('[[failure]]\ncase = "curve-observed"\nreason = "factor of two"\n', encoding="utf-8")
    arguments = ("--class", "core", "--known-failures", known)
    assert run(capsys, "conform", "run", "--loader", wrong, *cases, *arguments)[0] == 0
    code, out, _ = run(capsys, "conform", "run", "--loader", RIGHT, *cases, *arguments)
    assert code == 1
    assert "known to fail, and passed: curve-observed" in out


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ("[[failure]]\ncase = 'no-such'\nreason = 'x'\n", "there is no case no-such"),
        ("[[failure]]\ncase = 'open'\n", "reason"),
        ("[[failure]]\ncase = 'open'\nreason = ''\n", "texts"),
        ("[[failure]]\ncase = 'open'\nreason = 'a'\n" * 2, "twice"),
        ("[failures]\n", "[[failure]]"),
        ("not toml", "known.toml"),
    ],
)
def test_a_list_of_known_failures_that_is_none(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, text: str, what: str
) -> None:
    (tmp_path / "known.toml").write_text(text, encoding="utf-8")
    code, _, err = run(
        capsys, "conform", "run", "--loader", RIGHT, "--known-failures", tmp_path / "known.toml"
    )
    assert code == 2
    assert what in err


@pytest.mark.parametrize(
    ("arguments", "what"),
    [
        (("run", "--loader", ""), "empty"),
        (("run", "--loader", '"open'), "quotation"),
        (("run", "--loader", "no-such-program-anywhere"), "cannot be started"),
        (("run", "--loader", RIGHT, "--class", "core,cores"), "cores is no class"),
        (("run", "--loader", RIGHT, "--cases", "no-such"), "no case"),
        (("report", "nowhere"), "No such file"),
        (("init", "--lang", "cobol"), "cobol"),
    ],
)
def test_what_cannot_be_done_is_said(
    capsys: pytest.CaptureFixture[str], arguments: tuple[str, ...], what: str
) -> None:
    code, _, err = run(capsys, "conform", *arguments)
    assert code == 2
    assert what in err
    assert "Traceback" not in err


def test_a_class_that_is_asked_for_and_not_claimed_is_not_conforming(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    program = tmp_path / "few.py"
    program.write_text(
        WRONG.replace("2.0 * value", "value").replace(
            "class Wrong(Loader):",
            "class Wrong(Loader):\n"
            "    def start(self):\n"
            "        return {**super().start(), 'classes': ['core']}\n",
        ),
        encoding="utf-8",
    )
    loader = f"{sys.executable} {program}"
    assert run(capsys, "conform", "run", "--loader", loader, "--cases", "limits-*", "--cases", "open")[0] == 0
    code, out, _ = run(
        capsys, "conform", "run", "--loader", loader, "--class", "core,limits", "--cases", "open"
    )
    assert code == 1
    assert "limits: 0 of 0 (not claimed by the loader)" in out


def test_a_report_without_its_end_is_none(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    report = tmp_path / "report"
    run(capsys, "conform", "run", "--loader", RIGHT, "--cases", "open", "--report", report)
    lines = (report / RESULTS).read_text(encoding="utf-8").splitlines()
    (report / RESULTS).write_text("\n".join(lines[:-1]) + "\n", encoding="utf-8")
    code, _, err = run(capsys, "conform", "report", report)
    assert code == 2
    assert "no footer" in err


def test_cases_are_listed(capsys: pytest.CaptureFixture[str]) -> None:
    code, out, _ = run(capsys, "conform", "list", "--class", "core")
    core = [case for case in suite() if case.conformance_class == "core"]
    assert (code, len(out.splitlines())) == (0, len(core) + 1)
    code, out, _ = run(capsys, "conform", "list", "--cases", "zero-*", "--format", "json")
    assert [item["id"] for item in json.loads(out)] == ["zero-alone", "zero-in-a-batch"]


def test_smoke_tells_who_is_at_fault(capsys: pytest.CaptureFixture[str], wrong: str) -> None:
    code, out, _ = run(capsys, "conform", "smoke", "--loader", RIGHT)
    assert code == 0
    assert out.splitlines()[0].startswith("llb ")
    assert all(line.startswith("ok ") for line in out.splitlines()[1:])
    code, out, _ = run(capsys, "conform", "smoke", "--loader", wrong)
    assert code == 2
    assert "no  evaluate four curves at sixteen signals: delta_nll of " in out


@pytest.mark.parametrize("language", ["python", "javascript", "cpp"])
def test_a_frame_is_short_and_never_overwritten(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, language: str
) -> None:
    assert run(capsys, "conform", "init", "--lang", language, "--out", tmp_path / "new")[0] == 0
    (path,) = (tmp_path / "new").iterdir()
    text = path.read_text(encoding="utf-8")
    assert len(text.splitlines()) <= 120
    assert text.count("TODO") >= 5
    path.write_text("mine", encoding="utf-8")
    code, _, err = run(capsys, "conform", "init", "--lang", language, "--out", tmp_path / "new")
    assert (code, path.read_text(encoding="utf-8")) == (2, "mine")
    assert "left as it is" in err


def test_the_frame_speaks_before_anything_is_filled_in(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    run(capsys, "conform", "init", "--lang", "python", "--out", tmp_path)
    code, out, _ = run(capsys, "conform", "smoke", "--loader", f"{sys.executable} {tmp_path / 'loader.py'}")
    assert code == 2
    assert "ok  start" in out
    assert "no  open a good bundle: answered unsupported" in out


# What somebody writes into the frame, by the name of the function.
FILLED = {
    "open_bundle": """
    from llb.loader import Refusal, open_bundle as opened
    found = opened(path)
    if isinstance(found, Refusal):
        raise Refused(found.stage, found.code, found.message)
    if not hasattr(found, "delta_nll"):
        raise Refused("manifest", "LLB-S018", "there are no densities here")
    return found
""",
    "facts": """
    told = bundle.bundle.manifest
    return {
        "format_version": bundle.bundle.raw["format_version"],
        "id": told.id,
        "version": told.version,
        "inputs": list(told.bin_ids),
        "curves": {curve.name: curve.baseline_nll for curve in told.curves},
        "lower": list(told.domain.lower),
        "upper": list(told.domain.upper),
    }
""",
    "evaluate": """
    import numpy
    from llb_schema import FindingError
    try:
        points = mu * numpy.array([bundle.signal(signal) for signal in signals])
    except FindingError as error:
        raise Refused("input", error.findings[0].code)
    return bundle.delta_nll(points), ~bundle.in_domain(points)
""",
}


def test_a_frame_that_is_filled_in_conforms(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    text = template("loader.py")
    for name, body in FILLED.items():
        function = re.compile(rf"(^def {name}\(.*?\):\n).*?(?=^def )", re.MULTILINE | re.DOTALL)
        text, count = function.subn(lambda found, body=body: f"{found[1]}{body}\n\n", text)
        assert count == 1
    (tmp_path / "loader.py").write_text(text, encoding="utf-8")
    loader = f"{sys.executable} {tmp_path / 'loader.py'}"
    code, out, _ = run(capsys, "conform", "run", "--loader", loader, "--class", "core")
    assert (code, out.splitlines()[-1].split(":")[1].split(",")[0]) == (0, " conforming"), out


def test_an_interrupted_run_says_so(tmp_path: Path) -> None:
    """A run that is ended early leaves a report that nobody takes for a whole one."""
    program = (
        "import os, pathlib, signal, threading, time\n"
        "from llb.cli.main import main\n"
        "signal.signal(signal.SIGINT, signal.default_int_handler)\n"
        f"results = pathlib.Path({str(tmp_path / 'report' / RESULTS)!r})\n"
        "def interrupt():\n"
        "    while not (results.is_file() and results.read_bytes().count(b'\\n') > 20):\n"
        "        time.sleep(0.05)\n"
        "    os.kill(os.getpid(), signal.SIGINT)\n"
        "threading.Thread(target=interrupt, daemon=True).start()\n"
        f"main(['conform', 'run', '--loader', {RIGHT!r}, '--report', {str(tmp_path / 'report')!r}])\n"
    )
    done = run_outside(sys.executable, "-c", program)
    assert done.returncode == 130
    summary = json.loads((tmp_path / "report" / "summary.json").read_text(encoding="utf-8"))
    assert summary["conforming"] is False
    assert 0 < summary["outcomes"]["passed"] < len(suite())
    assert read_run(tmp_path / "report").footer["interrupted"] is True
