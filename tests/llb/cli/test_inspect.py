from __future__ import annotations

import json
from pathlib import Path

import bundles
import pytest
from commands import run

from llb.bundle import content_id, file_digests, open_container
from llb_schema import validate_document


@pytest.fixture
def bundle(tmp_path: Path) -> Path:
    return bundles.write(tmp_path / "x.llb")


def test_validate_for_programs(bundle: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, out, err = run(capsys, "validate", bundle, "--format", "json")
    assert (code, err) == (0, "")
    report = json.loads(out)
    assert (report["status"], report["level"], report["findings"]) == ("ok", 5, [])
    assert validate_document(report, "report") == ()


def test_both_formats_have_the_same_findings(bundle: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (bundle / "extra").touch()
    (bundle / "LICENSE").unlink()
    code, out, _ = run(capsys, "validate", bundle, "--format", "json")
    assert code == 1
    report = json.loads(out)
    assert report["status"] == "invalid"
    code, out, err = run(capsys, "validate", bundle)
    assert (code, err) == (1, "")
    *lines, last, more = out.splitlines()
    assert len(lines) == len(report["findings"]) == 2
    for line, item in zip(lines, report["findings"], strict=True):
        assert item["code"] in line
        assert item["hint"] in line
    assert "invalid" in last
    assert more.endswith(f"llb explain {report['findings'][0]['code']}")


def test_a_good_bundle_has_nothing_to_explain(bundle: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, out, _ = run(capsys, "validate", bundle)
    assert code == 0
    assert out == "three-bins@1.0.0: ok (level 5, 0 findings)\n"


def test_a_lower_level_sees_less(bundle: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (bundle / "extra").touch()
    code, out, _ = run(capsys, "validate", bundle, "--level", "1")
    assert code == 0
    assert "ok (level 1" in out


def test_what_is_no_bundle_is_unusable(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, out, _ = run(capsys, "validate", tmp_path / "nothing", "--format", "json")
    assert code == 2
    assert json.loads(out)["findings"][0]["code"] == "LLB-A001"
    code, out, err = run(capsys, "show", tmp_path / "nothing")
    assert (code, out) == (2, "")
    assert err.startswith("[LLB-A001]")


@pytest.mark.requirement("SECURITY-5")
def test_show_for_people(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    def hostile(document: dict[str, object]) -> None:
        document["title"] = "[red]markup[/] \x1b[2J"

    code, out, _ = run(capsys, "show", bundles.write(tmp_path / "x.llb", hostile))
    assert code == 0
    for word in (
        "three-bins 1.0.0",
        "SR[0]",
        "observed_asimov",
        "apriori",
        "manifest",
        "139 fb^-1",
        bundles.GRAPH,
    ):
        assert (word in out) == (word != "manifest")
    assert "[red]markup[/] \\x1b[2J" in out
    assert "\x1b" not in out


def test_show_has_the_whole_content_id(bundle: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, out, _ = run(capsys, "show", bundle)
    assert code == 0
    expected = content_id(file_digests(open_container(bundle)))
    assert out.splitlines()[0] == f"content id {expected}"


def test_show_for_programs_is_the_manifest(bundle: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, out, _ = run(capsys, "show", bundle, "--format", "json")
    assert code == 0
    assert json.loads(out) == json.loads((bundle / "manifest.json").read_text())
