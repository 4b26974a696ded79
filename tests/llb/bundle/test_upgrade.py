"""Upgrades: what is written anew, what stays as it is, what is refused (stored bundles: test_golden.py)."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import bundles
import pytest

from llb.bundle import BundleFile, is_current, read_bundle, upgrade_bundle
from llb.validation import DEFAULT_LEVEL, validate
from llb_schema import FORMAT_VERSION, FindingError, migrate, validate_document

OLD = "0.1.0"
OLD_VECTORS = {bundles.VECTORS: bundles.json_file({**bundles.vectors(), "format_version": OLD}, "vectors")}


def old_bundle(path: Path, **changes: Any) -> Path:
    return bundles.write(path, lambda document: document.update(format_version=OLD, **changes), OLD_VECTORS)


def test_a_migrated_document_is_valid_where_the_old_one_was(tmp_path: Path) -> None:
    raw = json.loads((old_bundle(tmp_path / "x.llb") / "manifest.json").read_text())
    for document, kind in ((raw, "manifest"), ({**bundles.vectors(), "format_version": OLD}, "vectors")):
        assert [item.code for item in validate_document(document, kind)] == ["LLB-S017"]
        assert validate_document(migrate(document, kind), kind) == ()


@pytest.mark.requirement("VERSION-9")
def test_the_pages_that_the_software_writes_are_brought_up_to_date(tmp_path: Path) -> None:
    old = read_bundle(old_bundle(tmp_path / "old.llb", version="2.3.9-rc.1"))
    new = read_bundle(upgrade_bundle(old, tmp_path / "new.llb"))
    assert validate(tmp_path / "new.llb").findings == ()
    assert (new.manifest.version, new.manifest.supersedes) == ("2.3.10", "three-bins@2.3.9-rc.1")
    card = new.read("README.md").decode()
    assert f"version 2.3.10, a Learned Likelihood Bundle (format {FORMAT_VERSION})" in card
    assert "Supersedes: three-bins@2.3.9-rc.1" in card
    assert new.read("LICENSE").startswith(b"three-bins 2.3.10\n")


def test_pages_of_other_people_stay(tmp_path: Path) -> None:
    pages = {"README.md": BundleFile(b"# Mine\n\nformat 0.1.0\n", "card", "text/markdown")}
    path = bundles.write(
        tmp_path / "old.llb", lambda document: document.update(format_version=OLD), {**OLD_VECTORS, **pages}
    )
    new = read_bundle(upgrade_bundle(read_bundle(path), tmp_path / "new.llb"))
    assert new.read("README.md") == pages["README.md"].data


def test_the_source_is_left_alone(tmp_path: Path) -> None:
    path = old_bundle(tmp_path / "old.llb")
    before = {file: file.read_bytes() for file in path.rglob("*") if file.is_file()}
    upgrade_bundle(read_bundle(path), tmp_path / "new.llb")
    assert {file: file.read_bytes() for file in path.rglob("*") if file.is_file()} == before


def test_old_vectors_in_a_new_bundle_are_read_and_upgraded(tmp_path: Path) -> None:
    path = bundles.write(tmp_path / "mixed.llb", replace=OLD_VECTORS)
    report = validate(path)
    assert (report.level, [item.code for item in report.findings]) == (DEFAULT_LEVEL, ["LLB-S017"])
    mixed = read_bundle(path)
    assert not is_current(mixed)
    assert is_current(read_bundle(upgrade_bundle(mixed, tmp_path / "new.llb")))


def test_keys_of_a_version_that_nobody_knows_are_not_dropped(tmp_path: Path) -> None:
    path = old_bundle(tmp_path / "old.llb")
    bundles.reseal(path, lambda document: document.update(format_version="0.1.7", novelty=1))
    with pytest.raises(FindingError, match="LLB-S002") as caught:
        upgrade_bundle(read_bundle(path), tmp_path / "new.llb")
    assert caught.value.findings[0].pointer == "/novelty"
    assert [item.name for item in tmp_path.iterdir()] == ["old.llb"]
    vectors = json.dumps({**bundles.vectors(), "format_version": "0.1.7", "novelty": 1}).encode()
    other = old_bundle(tmp_path / "other.llb")
    bundles.replace_file(other, bundles.VECTORS, vectors)
    with pytest.raises(FindingError, match="LLB-S002"):
        upgrade_bundle(read_bundle(other), tmp_path / "new.llb")


def test_nothing_is_written_over_unless_asked_for(tmp_path: Path) -> None:
    old = read_bundle(old_bundle(tmp_path / "old.llb"))
    there = bundles.write(tmp_path / "there.llb")
    with pytest.raises(FindingError, match="LLB-X002"):
        upgrade_bundle(old, there)
    with pytest.raises(FindingError, match="LLB-A013"):
        upgrade_bundle(old, tmp_path / "old.llb", overwrite=True)
    assert is_current(read_bundle(upgrade_bundle(old, there, overwrite=True)))
