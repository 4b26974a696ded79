from __future__ import annotations

import shutil
from pathlib import Path

import bundles
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from llb.validation import DEFAULT_LEVEL, MAX_LEVEL, reproduces, validate
from llb_schema import validate_document


@pytest.fixture(scope="module")
def good(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return bundles.write(tmp_path_factory.mktemp("good") / "x.llb")


@pytest.mark.parametrize("suffix", ["", ".zip", ".tar.gz"])
def test_a_good_bundle_has_no_findings(tmp_path: Path, suffix: str) -> None:
    report = validate(bundles.write(tmp_path / f"x.llb{suffix}"))
    assert (report.status, report.level, report.findings) == ("ok", DEFAULT_LEVEL, ())
    assert report.bundle_id == "three-bins@1.0.0"
    assert validate_document(report.to_json(), "report") == ()


@pytest.mark.parametrize("level", range(DEFAULT_LEVEL + 1))
def test_each_level_can_be_the_last(good: Path, level: int) -> None:
    assert validate(good, level).level == level


@pytest.mark.parametrize("level", [-1, MAX_LEVEL + 1])
def test_other_levels_do_not_exist(good: Path, level: int) -> None:
    with pytest.raises(ValueError, match="levels are"):
        validate(good, level)


def test_the_highest_level_needs_a_teacher(good: Path) -> None:
    with pytest.raises(ValueError, match="needs the teacher"):
        validate(good, MAX_LEVEL)


@pytest.mark.requirement("LEVEL-1")
@pytest.mark.requirement("VERSION-4")
def test_warnings_do_not_end_a_validation(good: Path, tmp_path: Path) -> None:
    path = Path(shutil.copytree(good, tmp_path / "x.llb"))
    bundles.reseal(path, lambda document: document.update(format_version="1.5.0", novelty=1))
    report = validate(path)
    assert (report.status, report.level) == ("ok", DEFAULT_LEVEL)
    assert [item.code for item in report.findings] == ["LLB-S008", "LLB-S011"]


@pytest.mark.requirement("LEVEL-1")
def test_all_findings_of_a_level_are_reported(good: Path, tmp_path: Path) -> None:
    path = Path(shutil.copytree(good, tmp_path / "x.llb"))
    (path / "LICENSE").unlink()
    (path / "extra").touch()
    (path / bundles.GRAPH).write_bytes(b"x" * (path / bundles.GRAPH).stat().st_size)
    found = [(item.code, item.pointer) for item in validate(path).findings]
    assert found == [("LLB-I001", bundles.GRAPH), ("LLB-I003", "LICENSE"), ("LLB-I004", "extra")]


def test_an_unreadable_path_is_a_finding(tmp_path: Path) -> None:
    report = validate(tmp_path / "nothing\0")
    assert [item.code for item in report.findings] == ["LLB-A001"]
    assert report.bundle_id is None
    assert validate_document(report.to_json(), "report") == ()


@pytest.mark.requirement("SECURITY-5")
@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.sampled_from(["manifest.json", bundles.VECTORS, bundles.HELDOUT, bundles.GRAPH]), st.data())
def test_any_damage_is_reported_and_never_raised(
    good: Path, tmp_path: Path, name: str, data: st.DataObject
) -> None:
    path = Path(shutil.copytree(good, tmp_path / "x.llb", dirs_exist_ok=True))
    content = bytearray((path / name).read_bytes())
    place = data.draw(st.integers(0, len(content) - 1))
    content[place] ^= data.draw(st.integers(1, 255))
    if name == "manifest.json":
        (path / name).write_bytes(bytes(content))
    else:
        bundles.replace_file(path, name, bytes(content))
    report = validate(path, limits=None)
    assert not [item for item in report.findings if item.code == "LLB-X900"]


@pytest.mark.requirement("VECTORS-6")
def test_comparison_rule_fails_whatever_is_not_a_number() -> None:
    got = np.array([1.0, 1.0 + 3e-9, np.nan, np.inf, -np.inf, 1.0, 1.0])
    expected = np.array([1.0, 1.0, np.nan, np.inf, 1.0, np.nan, np.inf])
    assert reproduces(got, expected, 1e-9, 1e-9).tolist() == [True, *[False] * 6]
    assert reproduces(np.array([1e-10, 2e-9]), np.zeros(2), 1e-9, 1.0).tolist() == [True, False]
