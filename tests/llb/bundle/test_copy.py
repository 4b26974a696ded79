from __future__ import annotations

import itertools
import os
import zipfile
from pathlib import Path

import bundles
import pytest

from llb.bundle import BundleFile, copy_bundle, read_bundle
from llb_schema import FindingError

FORMS = ["y.llb", "y.llb.zip", "y.llb.tar.gz"]


def tree(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def copy(source: Path, target: Path, *, overwrite: bool = False) -> Path:
    return copy_bundle(read_bundle(source), target, overwrite=overwrite)


@pytest.fixture
def bundle(tmp_path: Path) -> Path:
    return bundles.write(tmp_path / "x.llb")


@pytest.mark.parametrize(("first", "second"), list(itertools.product(FORMS, FORMS)))
def test_any_form_to_any_form_and_back(bundle: Path, tmp_path: Path, first: str, second: str) -> None:
    (tmp_path / "2").mkdir()
    one = copy(bundle, tmp_path / first)
    two = copy(one, tmp_path / "2" / second)
    assert tree(copy(two, tmp_path / "back.llb")) == tree(bundle)
    # However it was reached, an archive has the same bytes.
    if two.is_file():
        assert two.read_bytes() == copy(bundle, tmp_path / f"direct{second}").read_bytes()


def test_the_archive_of_another_program_comes_out_like_ours(bundle: Path, tmp_path: Path) -> None:
    foreign = tmp_path / "foreign.zip"
    with zipfile.ZipFile(foreign, "w") as archive:
        for name, data in reversed(tree(bundle).items()):
            archive.writestr(zipfile.ZipInfo(name, (2026, 11, 21, 23, 0, 0)), data)
    ours = copy(bundle, tmp_path / "ours.zip")
    assert foreign.read_bytes() != ours.read_bytes()
    assert copy(foreign, tmp_path / "again.zip").read_bytes() == ours.read_bytes()


@pytest.mark.parametrize("name", FORMS)
def test_nothing_is_replaced_unasked(bundle: Path, tmp_path: Path, name: str) -> None:
    old = bundles.write(tmp_path / name, lambda document: document.update(title="old"))
    before = tree(tmp_path)
    with pytest.raises(FindingError, match="LLB-X002"):
        copy(bundle, old)
    assert tree(tmp_path) == before
    copy(bundle, old, overwrite=True)
    assert read_bundle(old).manifest.title == "Three Poisson bins without nuisances"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["x.llb", name]


@pytest.mark.parametrize("name", FORMS)
def test_a_file_that_was_changed_is_not_passed_on(bundle: Path, tmp_path: Path, name: str) -> None:
    data = bytearray((bundle / bundles.GRAPH).read_bytes())
    data[-1] ^= 1
    (bundle / bundles.GRAPH).write_bytes(data)
    with pytest.raises(FindingError, match="LLB-I001"):
        copy(bundle, tmp_path / name)
    assert [path.name for path in tmp_path.iterdir()] == ["x.llb"]


@pytest.mark.parametrize("overwrite", [False, True])
@pytest.mark.parametrize(
    "target", ["x.llb", "x.llb/y.zip", "x.llb/validation/y.llb", "link", "link/y.zip", "."]
)
def test_source_and_target_are_apart(bundle: Path, tmp_path: Path, target: str, overwrite: bool) -> None:
    (tmp_path / "link").symlink_to(bundle)
    before = tree(tmp_path)
    with pytest.raises(FindingError, match="LLB-A013"):
        copy(bundle, tmp_path / target, overwrite=overwrite)
    assert tree(tmp_path) == before


def test_links_in_a_circle_are_a_finding(bundle: Path, tmp_path: Path) -> None:
    (tmp_path / "a").symlink_to("b")
    (tmp_path / "b").symlink_to("a")
    for target, code in (("a", "LLB-X002"), ("a/y.llb", "LLB-X003")):
        with pytest.raises(FindingError, match=code):
            copy(bundle, tmp_path / target)


@pytest.mark.parametrize("name", ["y.zip", "y.tar.gz"])
def test_no_archive_that_readers_would_refuse(tmp_path: Path, name: str) -> None:
    zeros = BundleFile(bytes(4 * 2**20), "provenance", "application/octet-stream")
    source = bundles.write(tmp_path / "x.llb", replace={"zeros.bin": zeros})
    with pytest.raises(FindingError, match="LLB-A009"):
        copy(source, tmp_path / name)
    assert [path.name for path in tmp_path.iterdir()] == ["x.llb"]
    assert tree(copy(source, tmp_path / "y.llb")) == tree(source)


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write anywhere")
def test_a_folder_that_cannot_be_written(bundle: Path, tmp_path: Path) -> None:
    (tmp_path / "shut").mkdir(mode=0o555)
    with pytest.raises(FindingError, match="LLB-X003"):
        copy(bundle, tmp_path / "shut" / "y.zip")
