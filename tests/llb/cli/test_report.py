from __future__ import annotations

import sys
from pathlib import Path

import bundles
import pytest
from commands import run


@pytest.fixture
def bundle(tmp_path: Path) -> Path:
    return bundles.write(tmp_path / "x.llb")


def test_a_page_is_written_once(bundle: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    page = tmp_path / "page.html"
    code, out, _ = run(capsys, "report", bundle, "--out", page, "--level", "2")
    assert (code, out) == (0, f"{page}: three-bins@1.0.0, ok (level 2)\n")
    before = page.read_bytes()
    assert b"Three Poisson bins" in before
    code, _, err = run(capsys, "report", bundle, "--out", page)
    assert code == 2
    assert "LLB-X002" in err
    assert page.read_bytes() == before
    assert run(capsys, "report", bundle, "--out", page, "--level", "2", "--overwrite")[0] == 0
    assert page.read_bytes() == before


def test_a_bundle_that_is_not_valid_has_a_page_and_an_exit_code(
    bundle: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (bundle / "extra").touch()
    code, out, _ = run(capsys, "report", bundle, "--out", tmp_path / "page.html")
    assert code == 1
    assert "invalid (level 2)" in out
    assert "LLB-I004" in (tmp_path / "page.html").read_text()


def test_what_has_no_readable_manifest_has_no_page(
    bundle: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    bundles.reseal(bundle, lambda document: document.pop("title"))
    code, _, err = run(capsys, "report", bundle, "--out", tmp_path / "page.html")
    assert code == 2
    assert "LLB-S" in err
    assert run(capsys, "report", tmp_path / "none", "--out", tmp_path / "page.html")[0] == 2
    assert not (tmp_path / "page.html").exists()


def test_the_extra_is_named(
    bundle: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "jinja2", None)
    monkeypatch.setattr("llb.cli.given.find_spec", lambda name: None if name == "jinja2" else name)
    code, _, err = run(capsys, "report", bundle, "--out", tmp_path / "page.html")
    assert code == 2
    assert "pip install 'llb[report]'" in err


def test_the_browser_is_opened_when_asked(
    bundle: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    opened: list[str] = []
    monkeypatch.setattr("click.launch", opened.append)
    page = tmp_path / "page.html"
    assert run(capsys, "report", bundle, "--out", page, "--level", "2", "--open")[0] == 0
    assert opened == [page.resolve().as_uri()]
