from __future__ import annotations

from pathlib import Path
from xml.etree.ElementTree import fromstring

import bundles
import pytest

from llb.cli.junit import junit_xml
from llb.cli.main import main
from llb.validation import Report
from llb_schema import finding


def test_errors_are_failures_and_the_rest_is_output() -> None:
    found = (finding("LLB-I001", "a \x1b <b>", pointer="x"), finding("LLB-S011"), finding("LLB-C107", "said"))
    suites = fromstring(junit_xml(Report(Path("x.llb"), "x@1.0.0", 5, found)))  # noqa: S314 - our own output
    suite = suites[0]
    assert (suite.get("tests"), suite.get("failures")) == ("4", "1")
    first, wrong, warned, told = suite
    assert first.get("name") == "level 5 reached"
    failure = wrong.find("failure")
    assert failure is not None
    assert failure.get("message") == "a \\x1b <b>"
    assert [item.findtext("system-out", "")[:10] for item in (warned, told)] == ["[LLB-S011]", "[LLB-C107]"]


def test_a_bundle_without_findings_is_one_passed_case(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as end:
        main(["validate", str(bundles.write(tmp_path / "x.llb")), "--format", "junit"])
    assert end.value.code == 0
    suites = fromstring(capsys.readouterr().out)  # noqa: S314 - our own output
    assert [case.get("name") for case in suites.iter("testcase")] == ["level 5 reached"]
