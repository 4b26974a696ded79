"""A bundle whose teacher is no workspace: what the format asks of it, and what readers make of it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import bundles
import pytest

from llb.bundle import Bundle, read_bundle, write_bundle
from llb.cli.overview import print_overview
from llb.runtime.patchset import read_patchset
from llb.runtime.signal import signal_vector
from llb.validation import validate
from llb_schema import FindingError, validate_document

WORKSPACE = bundles.manifest()["teacher"]
SIMPLIFIED: dict[str, Any] = {
    "kind": "simplified_likelihood",
    "files": WORKSPACE["files"],
    "third_moments": True,
    "channels": [{"name": "SR", "bins": 2, "samples": []}, {"name": "CR", "bins": 1, "samples": []}],
    "software": [],
}


def codes(teacher: dict[str, Any]) -> list[tuple[str, str]]:
    entry = {"path": "a.onnx", "bytes": 1, "sha256": "0" * 64, "media_type": "text/plain", "role": "graph"}
    document = {**bundles.manifest(), "teacher": teacher, "files": [entry]}
    return [(item.code, item.pointer) for item in validate_document(document, "manifest")]


@pytest.mark.requirement("SOURCE-1", "SOURCE-2")
@pytest.mark.parametrize("teacher", [WORKSPACE, SIMPLIFIED])
def test_each_kind_has_its_own_keys(teacher: dict[str, Any]) -> None:
    own = (
        ("third_moments",)
        if teacher is SIMPLIFIED
        else ("interpolation", "measurement", "poi", "pyhf_digest")
    )
    assert codes(teacher) == []
    for key in (*own, "files", "channels", "software"):
        assert codes({name: value for name, value in teacher.items() if name != key}) == [
            ("LLB-S001", f"/teacher/{key}")
        ]


def test_other_kinds_are_not_known() -> None:
    assert codes({**SIMPLIFIED, "kind": "toy"})[-1] == ("LLB-S004", "/teacher/kind")
    assert codes({**SIMPLIFIED, "third_moments": 1}) == [("LLB-S003", "/teacher/third_moments")]


@pytest.fixture
def bundle(tmp_path: Path) -> Bundle:
    path = write_bundle(tmp_path / "s.llb", {**bundles.manifest(), "teacher": SIMPLIFIED}, bundles.files())
    return read_bundle(path)


def test_readers_know_what_it_is(bundle: Bundle, capsys: pytest.CaptureFixture[str]) -> None:
    teacher = bundle.manifest.teacher
    assert (teacher.kind, teacher.is_workspace, teacher.third_moments) == (
        "simplified_likelihood",
        False,
        True,
    )
    assert (teacher.pyhf_digest, teacher.measurement, teacher.poi, teacher.interpolation) == ("", "", "", {})
    assert [(item.name, item.bins) for item in teacher.channels] == [("SR", 2), ("CR", 1)]
    assert "a simplified likelihood with third moments" in bundle.read("README.md").decode()
    print_overview(bundle)
    assert "simplified likelihood, third moments" in capsys.readouterr().out


def test_it_is_as_valid_as_the_other_and_takes_signals_by_bin(tmp_path: Path) -> None:
    path = write_bundle(tmp_path / "s.llb", {**bundles.manifest(), "teacher": SIMPLIFIED}, bundles.files())
    other = bundles.write(tmp_path / "w.llb")
    assert validate(path, 4).findings == validate(other, 4).findings
    signal = {"SR[0]": 1.0, "SR[1]": 0.5, "CR": 2.0}
    assert signal_vector(signal, read_bundle(path).manifest).tolist() == [1.0, 0.5, 2.0]


@pytest.mark.requirement("SOURCE-2")
def test_a_patchset_is_refused(bundle: Bundle, tmp_path: Path) -> None:
    path = tmp_path / "patchset.json"
    path.write_text(json.dumps({"patches": []}))
    with pytest.raises(FindingError, match="LLB-Y020"):
        read_patchset(path, bundle)
