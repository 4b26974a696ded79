from __future__ import annotations

import contextlib
import gzip
import io
import os
import struct
import tarfile
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from llb.bundle import Limits, open_container, pack
from llb_schema import FindingError

GOOD = {"manifest.json": b"{}", "graphs/a.onnx": b"abc" * 50}


def make_zip(members: dict[str, bytes], change: Callable[[zipfile.ZipInfo], None] | None = None) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, data in members.items():
            info = zipfile.ZipInfo(name)
            info.compress_type = zipfile.ZIP_DEFLATED
            if change is not None:
                change(info)
            archive.writestr(info, data)
    return buffer.getvalue()


def make_tar(members: dict[str, bytes], **fields: object) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz") as archive:
        for name, data in members.items():
            info = tarfile.TarInfo(name)
            info.size = len(data)
            for key, value in fields.items():
                setattr(info, key, value)
            archive.addfile(info, io.BytesIO(data))
    return buffer.getvalue()


def encrypted(data: bytes) -> bytes:
    """Sets the encryption flag in the local and the central header of the first member."""
    raw = bytearray(data)
    central = raw.index(b"PK\x01\x02")
    for place in (6, central + 8):
        raw[place] |= 1
    return bytes(raw)


def wrong_size(data: bytes) -> bytes:
    """States another size of the first member in the central directory."""
    raw = bytearray(data)
    central = raw.index(b"PK\x01\x02")
    struct.pack_into("<I", raw, central + 24, 1)
    return bytes(raw)


def as_link(info: zipfile.ZipInfo) -> None:
    info.create_system = 3
    info.external_attr = 0o120777 << 16


def with_bzip2(info: zipfile.ZipInfo) -> None:
    info.compress_type = zipfile.ZIP_BZIP2


ZEROS = b"\0" * 3_000_000
ARCHIVES: dict[str, tuple[str, bytes]] = {
    "no archive": ("LLB-A001", b"hello"),
    "empty file": ("LLB-A001", b""),
    "truncated zip": ("LLB-A002", make_zip(GOOD)[:-30]),
    "zip cut in front": ("LLB-A002", b"PK\x03\x04" + make_zip(GOOD)[40:]),
    "zip with a wrong size": ("LLB-A002", wrong_size(make_zip(GOOD))),
    "zip with a wrong checksum": (
        "LLB-A002",
        make_zip({"a": b"x" * 9}).replace(b"PK\x03\x04", b"PK\x03\x04", 1)[:-1],
    ),
    "truncated gzip": ("LLB-A002", make_tar(GOOD)[:-20]),
    "truncated tar": ("LLB-A002", gzip.compress(gzip.decompress(make_tar({"a": b"x" * 5000}))[:3000])),
    "gzip of something else": ("LLB-A002", gzip.compress(b"x" * 600)),
    "encrypted zip": ("LLB-A003", encrypted(make_zip(GOOD))),
    "zip traversal": ("LLB-A004", make_zip({"../manifest.json": b"{}"})),
    "zip hidden traversal": ("LLB-A004", make_zip({"a/../../b": b""})),
    "zip absolute": ("LLB-A004", make_zip({"/etc/passwd": b""})),
    "zip backslash": ("LLB-A004", make_zip({"a\\..\\b": b""})),
    "zip drive": ("LLB-A004", make_zip({"C:b": b""})),
    "zip NUL": ("LLB-A004", make_zip({"aXb": b""}).replace(b"aXb", b"a\0b")),
    "zip not NFC": ("LLB-A004", make_zip({"e\u0301": b""})),
    "zip dot file": ("LLB-A004", make_zip({".hidden": b""})),
    "zip device name": ("LLB-A004", make_zip({"con.txt": b""})),
    "zip long name": ("LLB-A004", make_zip({"a" * 201: b""})),
    "tar traversal": ("LLB-A004", make_tar({"../a": b""})),
    "tar absolute": ("LLB-A004", make_tar({"/a": b""})),
    "zip link": ("LLB-A005", make_zip({"a": b"/etc/passwd"}, as_link)),
    "tar symlink": ("LLB-A005", make_tar({"a": b""}, type=tarfile.SYMTYPE, linkname="/etc/passwd")),
    "tar hard link": ("LLB-A005", make_tar({"a": b""}, type=tarfile.LNKTYPE, linkname="manifest.json")),
    "tar device": ("LLB-A005", make_tar({"a": b""}, type=tarfile.CHRTYPE)),
    "tar pipe": ("LLB-A005", make_tar({"a": b""}, type=tarfile.FIFOTYPE)),
    "zip case-fold duplicate": ("LLB-A006", make_zip({"README": b"", "readme": b""})),
    "tar case-fold duplicate": ("LLB-A006", make_tar({"README": b"", "readme": b""})),
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
    "zip bzip2": ("LLB-A011", make_zip({"a": b"x"}, with_bzip2)),
}
LIMITS = Limits(members=40, member_bytes=2_000_000, total_bytes=4_000_000, ratio=100.0)


@pytest.mark.parametrize("name", ARCHIVES)
def test_hostile_archives_end_in_findings(name: str, tmp_path: Path) -> None:
    code, data = ARCHIVES[name]
    path = tmp_path / "x"
    path.write_bytes(data)
    limits = Limits(40, 2_000_000, 2_900_000, 100.0) if name == "zip total too large" else LIMITS
    with pytest.raises(FindingError) as error:
        open_container(path, limits)
    assert {item.code for item in error.value.findings} == {code}
    assert list(tmp_path.iterdir()) == [path]


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


def test_a_file_swapped_for_a_link_is_not_followed(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"x" * 100)
    container = open_container(tmp_path)
    (tmp_path / "a").unlink()
    (tmp_path / "a").symlink_to("/etc/hostname")
    with pytest.raises(FindingError, match="LLB-X003"):
        container.read("a")


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
