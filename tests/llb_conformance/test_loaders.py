"""The three loaders that are here: each conforms, and the reports in the repository are of today's suite."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest
from outside import compiled, node

from llb.cli.main import main
from llb_conformance.report import read_run, summarize
from llb_conformance.suite import SUITE_VERSION, suite

ROOT = Path(__file__).resolve().parents[2]
LOADERS = ROOT / "conformance" / "loaders"
REPORTS = ROOT / "conformance" / "reports"


def conform(capsys: pytest.CaptureFixture[str], loader: str, report: Path) -> dict[str, object]:
    """The summary of a run of all cases."""
    with pytest.raises(SystemExit) as end:
        main(["conform", "run", "--loader", loader, "--report", str(report), "--format", "json"])
    printed = capsys.readouterr()
    assert end.value.code == 0, printed.out[-3000:] + printed.err[-3000:]
    summary = json.loads(printed.out)
    assert summarize(read_run(report)).to_json() == summary
    return summary


def test_the_reference_passes_every_case(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    summary = conform(capsys, f"{sys.executable} -m llb.loader", tmp_path)
    assert summary["outcomes"] == {"passed": len(suite())}


def test_the_javascript_loader_conforms(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    folder = LOADERS / "javascript"
    command = f"{node(folder)} {folder / 'loader.mjs'}"
    assert conform(capsys, command, tmp_path)["conforming"] is True


def test_the_cpp_loader_conforms(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    program = compiled(LOADERS / "cpp", tmp_path / "build")
    assert conform(capsys, str(program), tmp_path / "report")["conforming"] is True


@pytest.mark.parametrize("name", ["reference", "javascript", "cpp"])
def test_the_report_in_the_repository_is_of_this_suite(name: str) -> None:
    summary = json.loads((REPORTS / name / "summary.json").read_text(encoding="utf-8"))
    core = [case for case in suite() if case.conformance_class == "core"]
    assert (summary["suite"], summary["conforming"]) == (SUITE_VERSION, True)
    assert (summary["classes"]["core"]["cases"], summary["classes"]["core"]["passed"]) == (len(core),) * 2
    assert (REPORTS / name / "report.html").is_file()
    assert json.loads((REPORTS / name / "badge.json").read_text(encoding="utf-8"))["color"] == "brightgreen"
