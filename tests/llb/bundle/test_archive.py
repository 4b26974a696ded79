from __future__ import annotations

import contextlib
import io
import os
import tarfile
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from llb.bundle import Limits, open_container, pack, read_archive
from llb_schema import FindingError

GOOD = {"manifest.json": b"{}", "graphs/a.onnx": b"abc" * 50}


def make_zip(members: dict[str, bytes]) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in members.items():
            archive.writestr(name, data)
    return buffer.getvalue()


def make_tar(members: dict[str, bytes]) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz") as archive:
        for name, data in members.items():
            info = tarfile.TarInfo(name)
            info.size = len(data)
            archive.addfile(info, io.BytesIO(data))
    return buffer.getvalue()


ZEROS = b"\0" * 3_000_000
# What the corpus of llb_conformance does not have: bounds other than the usual ones.
ARCHIVES: dict[str, tuple[str, bytes]] = {
    "zip cut in front": ("LLB-A002", b"PK\x03\x04" + make_zip(GOOD)[40:]),
    "zip too many": ("LLB-A007", make_zip({f"f{number}": b"" for number in range(41)})),
    "tar too many": ("LLB-A007", make_tar({f"f{number}": b"" for number in range(41)})),
    "zip member too large": ("LLB-A008", make_zip({"a": os.urandom(2_000_001)})),
    "tar member too large": ("LLB-A008", make_tar({"a": os.urandom(2_000_001)})),
    "zip total too large": (
        "LLB-A008",
        make_zip({f"f{number}": os.urandom(1_500_000) for number in range(2)}),
    ),
    "zip bomb": ("LLB-A009", make_zip({"a": ZEROS[:1_900_000]})),
    "tar bomb": ("LLB-A009", make_tar({"a": ZEROS})),
}
LIMITS = Limits(members=40, member_bytes=2_000_000, total_bytes=4_000_000, ratio=100.0)


@pytest.mark.parametrize("name", ARCHIVES)
def test_hostile_archives_end_in_findings(name: str, tmp_path: Path) -> None:
    code, data = ARCHIVES[name]
    path = tmp_path / "x"
    path.write_bytes(data)
    limits = Limits(40, 2_000_000, 2_900_000, 100.0) if name == "zip total too large" else LIMITS
    for read in (lambda: open_container(path, limits), lambda: read_archive(data, path, limits)):
        with pytest.raises(FindingError) as error:
            read()
        assert {item.code for item in error.value.findings} == {code}
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.requirement("CONTAINER-5")
@pytest.mark.parametrize("kind", ["zip", "tar"])
def test_packing_is_deterministic_and_reads_back(kind: str, tmp_path: Path) -> None:
    data = pack(GOOD, kind)
    assert data == pack(dict(reversed(GOOD.items())), kind)
    (tmp_path / "x").write_bytes(data)
    container = open_container(tmp_path / "x")
    assert container.kind == kind
    assert dict(container.sizes) == {name: len(value) for name, value in GOOD.items()}
    assert {name: container.read(name) for name in container.sizes} == GOOD


def test_folder_entries_are_no_files(tmp_path: Path) -> None:
    (tmp_path / "x").write_bytes(make_zip({"graphs/": b"", **GOOD}))
    assert set(open_container(tmp_path / "x").sizes) == set(GOOD)


def test_directories_are_listed_without_following_links(tmp_path: Path) -> None:
    (tmp_path / "graphs").mkdir()
    for name, data in GOOD.items():
        (tmp_path / name).write_bytes(data)
    container = open_container(tmp_path)
    assert set(container.sizes) == set(GOOD)
    assert container.read("graphs/a.onnx") == GOOD["graphs/a.onnx"]
    (tmp_path / "link").symlink_to("/etc/passwd")
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(FindingError) as error:
        open_container(tmp_path)
    assert [(item.code, item.pointer) for item in error.value.findings] == [
        ("LLB-A005", "link"),
        ("LLB-A005", "pipe"),
    ]


@pytest.mark.requirement("SECURITY-4")
def test_a_file_swapped_for_a_link_is_not_followed(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"x" * 100)
    container = open_container(tmp_path)
    (tmp_path / "a").unlink()
    (tmp_path / "a").symlink_to("/etc/hostname")
    with pytest.raises(FindingError, match="LLB-X003"):
        container.read("a")


@pytest.mark.requirement("SECURITY-4")
def test_a_linked_folder_is_not_entered(tmp_path: Path) -> None:
    (tmp_path / "bundle").mkdir()
    (tmp_path / "bundle" / "loop").symlink_to(tmp_path)
    with pytest.raises(FindingError, match="LLB-A005"):
        open_container(tmp_path / "bundle")


def test_a_file_that_grows_is_noticed(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"x")
    container = open_container(tmp_path)
    (tmp_path / "a").write_bytes(b"xy")
    with pytest.raises(FindingError, match="LLB-A008"):
        container.read("a")


def test_a_path_upwards_is_called_by_its_name(tmp_path: Path) -> None:
    (tmp_path / "x").write_bytes(make_zip({"a/../b": b""}))
    with pytest.raises(FindingError, match=r"no empty, '\.' or '\.\.' part"):
        open_container(tmp_path / "x")


def test_all_faults_of_an_archive_are_reported_at_once(tmp_path: Path) -> None:
    (tmp_path / "x").write_bytes(make_zip({"../a": b"", "b": b"", "B": b"", "c d": b""}))
    with pytest.raises(FindingError) as error:
        open_container(tmp_path / "x")
    assert [item.code for item in error.value.findings] == ["LLB-A004", "LLB-A004", "LLB-A006"]


@pytest.mark.requirement("SECURITY-5")
@settings(max_examples=150, deadline=None)
@given(
    st.sampled_from([b"", b"PK\x03\x04", b"PK\x05\x06", b"\x1f\x8b\x08", make_zip(GOOD), make_tar(GOOD)]),
    st.binary(max_size=300),
    st.integers(0, 400),
)
def test_any_bytes_are_read_or_refused(
    tmp_path_factory: pytest.TempPathFactory, start: bytes, noise: bytes, place: int
) -> None:
    path = tmp_path_factory.mktemp("fuzz") / "x"
    path.write_bytes(start[:place] + noise + start[place + len(noise) :])
    # Anything but a finding fails the test.
    with contextlib.suppress(FindingError):
        container = open_container(path, LIMITS)
        for name in container.sizes:
            container.read(name)


@pytest.mark.parametrize("make", [make_zip, make_tar])
def test_an_archive_in_memory_is_read_like_a_file(
    make: Callable[[dict[str, bytes]], bytes], tmp_path: Path
) -> None:
    path = tmp_path / "toy"
    path.write_bytes(make(GOOD))
    assert read_archive(path.read_bytes(), path) == open_container(path)


@pytest.mark.parametrize(("data", "code"), [(b"", "LLB-A001"), (b"{}", "LLB-A001"), (b"PK", "LLB-A001")])
def test_what_is_no_archive_in_memory_is_a_finding(data: bytes, code: str) -> None:
    with pytest.raises(FindingError, match="from-memory is neither a zip nor") as error:
        read_archive(data, Path("from-memory"))
    assert [item.code for item in error.value.findings] == [code]


@pytest.mark.parametrize("make", [make_zip, make_tar])
def test_names_of_archives_that_are_no_bundles(make: Callable[[dict[str, bytes]], bytes]) -> None:
    """Where nothing is written under its name, a name is free, but does not lead out."""
    anything = Limits(portable=False)
    odd = {"./a/b.json": b"1", "._b": b"2", "con/two words, \N{LATIN SMALL LETTER E WITH ACUTE}": b"3"}
    assert read_archive(make(odd), Path("x"), anything).read("./a/b.json") == b"1"
    with pytest.raises(FindingError, match="LLB-A004"):
        read_archive(make(odd), Path("x"))
    for name in ("../a", "a/../../b", "/a", "C:a", "a\\b"):
        with pytest.raises(FindingError, match="LLB-A004"):
            read_archive(make({name: b""}), Path("x"), anything)
