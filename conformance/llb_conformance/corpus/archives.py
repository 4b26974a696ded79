"""Faults of the container: what must be refused before a byte of the manifest is read."""

from __future__ import annotations

import gzip
import struct
import tarfile
import zipfile
from collections.abc import Callable, Iterable
from typing import Any

from llb_conformance.corpus.case import Archive, Build, Case, Folder, case
from llb_conformance.corpus.containers import gzipped, tarred, zipped
from llb_conformance.corpus.draft import MANIFEST, good_bundle

__all__ = ["archive_cases"]

# Far beyond the bounds of SECURITY-2, and yet small as a file.
_MEMBERS, _CLAIMED, _BOMB = 10_000, 2**32 - 2, 8 * 2**20
# Where the name stands in an entry of a zip's table of contents, and in the header before the data.
_CENTRAL_NAME, _LOCAL_NAME = 46, 30
# More than any stack holds.
_LINKS = 1500


def archive_cases() -> tuple[Case, ...]:
    """Cases of stage `archive` that are about the container."""
    return (*_damaged(), *_names(), *_kinds(), *_bounds(), *_contents())


def _case(name: str, code: str, pointer: str, build: Build, note: str = "") -> Case:
    return case(name, "archive", code, pointer, build, note=note)


def _zip_case(name: str, code: str, pointer: str, data: Callable[[], bytes], note: str = "") -> Case:
    return _case(f"zip-{name}", code, pointer, lambda: Archive(data(), ".zip"), note)


def _damaged() -> Iterable[Case]:
    return (
        _case("file-not-an-archive", "LLB-A001", "", lambda: Archive(b"a likelihood", ".zip")),
        _case("file-empty", "LLB-A001", "", lambda: Archive(b"", ".zip")),
        _case("zip-truncated", "LLB-A002", "", lambda: Archive(zipped(_good())[:-400], ".zip")),
        _case("zip-wrong-checksum", "LLB-A002", "LICENSE", _zip_field("LICENSE", 16, "<I", 0)),
        _case("zip-wrong-size", "LLB-A002", "LICENSE", _zip_field("LICENSE", 24, "<I", 1)),
        _case("zip-wrong-packed-size", "LLB-A002", "LICENSE", _zip_field("LICENSE", 20, "<I", 4000)),
        _case("zip-name-differs-inside", "LLB-A002", "LICENSE", _renamed_inside),
        _case("tar-truncated", "LLB-A002", "", _truncated_tar),
        _case("gzip-truncated", "LLB-A002", "", lambda: Archive(tarred(_good())[:-400], ".tar.gz")),
        _case("gzip-wrong-checksum", "LLB-A002", "", _wrong_gzip_checksum),
        _case("tar-size-negative", "LLB-A002", "", _negative_size),
        _case("tar-long-names-without-end", "LLB-A002", "", _long_names),
        _case("gzip-of-no-tar", "LLB-A002", "", lambda: Archive(gzipped(b"x" * 600), ".tar.gz")),
    )


_PATHS = {
    "path-upwards": "../stray.txt",
    "path-upwards-inside": "graphs/../../stray.txt",
    "path-absolute": "/stray.txt",
    "path-with-a-drive": "C:stray.txt",
    "path-with-backslashes": "graphs\\stray.txt",
    "path-with-a-space": "a stray.txt",
    "path-of-a-hidden-file": ".stray",
    "path-ends-with-a-dot": "stray.",
    "path-of-a-device": "nul.txt",
    "path-not-ascii": "stray\u0301.txt",
    "path-too-long": "a" * 201,
}


def _names() -> Iterable[Case]:
    for name, path in _PATHS.items():
        shown = path.encode("unicode_escape").decode()
        yield _case(f"zip-{name}", "LLB-A004", shown, _zip_with(path))
    for name in ("path-upwards", "path-absolute"):
        yield _case(f"tar-{name}", "LLB-A004", _PATHS[name], _tar_with(_PATHS[name]))
    spaced = "a stray.txt"
    yield _case(
        "folder-path-with-a-space", "LLB-A004", spaced, lambda: Folder({**good_bundle(), spaced: b""})
    )
    yield _zip_case(
        "path-with-a-nul", "LLB-A004", "stray\\x00txt", lambda: _renamed("stray.txt", "stray\0txt")
    )
    yield _zip_case("path-twice", "LLB-A006", "LICENSE", lambda: _renamed("LICENCE", "LICENSE"))
    yield _zip_case("path-empty", "LLB-A004", "", lambda: zipped([*_good(), ("", b"")]))
    yield _case("tar-path-not-utf-8", "LLB-A004", "stray\\udcff", _tar_with("stray\udcff"))
    yield _case("tar-path-twice", "LLB-A006", "LICENSE", _tar_with("LICENSE"))
    yield _case("zip-paths-equal-but-for-case", "LLB-A006", "readme.MD", _zip_with("readme.MD"))


def _kinds() -> Iterable[Case]:
    yield _case("folder-symbolic-link", "LLB-A005", "LICENSE", _linked("README.md"))
    yield _case("folder-symbolic-link-outside", "LLB-A005", "LICENSE", _linked("/etc/hostname"))
    link = _zip_with("stray", b"README.md", external_attr=0o120777 << 16)
    yield _case("zip-symbolic-link", "LLB-A005", "stray", link)
    for name, kind in (("symbolic", tarfile.SYMTYPE), ("hard", tarfile.LNKTYPE)):
        link = _tar_with("stray", type=kind, linkname="README.md")
        yield _case(f"tar-{name}-link", "LLB-A005", "stray", link)
    yield _case("tar-device", "LLB-A005", "stray", _tar_with("stray", type=tarfile.CHRTYPE))
    yield _case("tar-pipe", "LLB-A005", "stray", _tar_with("stray", type=tarfile.FIFOTYPE))
    yield _case("zip-encrypted", "LLB-A003", "LICENSE", _encrypted)
    packed = _zip_with("stray.txt", b"stray", compress_type=zipfile.ZIP_BZIP2)
    yield _case("zip-unknown-compression", "LLB-A011", "stray.txt", packed)


def _bounds() -> Iterable[Case]:
    many = [(f"stray-{number}", b"") for number in range(_MEMBERS)]
    return (
        _zip_case("too-many-members", "LLB-A007", "", lambda: zipped([*_good(), *many])),
        _case("zip-member-too-large", "LLB-A008", "", _claimed, "The member by itself is too large as well."),
        _case("zip-bomb", "LLB-A009", "stray.bin", _zip_with("stray.bin", bytes(_BOMB))),
        _case("zip-bomb-with-a-false-size", "LLB-A002", "stray.bin", _disguised),
        _case("gzip-bomb", "LLB-A009", "", _tar_with("stray.bin", bytes(_BOMB))),
    )


def _contents() -> Iterable[Case]:
    nested = "corpus.llb/"
    return (
        _case("manifest-missing", "LLB-A010", "", lambda: Folder(dict(_without(MANIFEST)))),
        _zip_case("without-members", "LLB-A010", "", lambda: zipped([])),
        _zip_case(
            "bundle-in-a-folder",
            "LLB-A010",
            "",
            lambda: zipped((nested + path, data) for path, data in _good()),
        ),
    )


def _good() -> list[tuple[str, bytes]]:
    return sorted(good_bundle().items())


def _zip_with(path: str, data: bytes = b"", **fields: Any) -> Build:
    return lambda: Archive(zipped([*_good(), (path, data)], **fields), ".zip")


def _tar_with(path: str, data: bytes = b"", **fields: Any) -> Build:
    return lambda: Archive(tarred([*_good(), (path, data)], **fields), ".tar.gz")


def _linked(target: str) -> Build:
    """The good bundle with a symbolic link in place of its licence."""
    return lambda: Folder(dict(_without("LICENSE")), {"LICENSE": target})


def _without(path: str) -> list[tuple[str, bytes]]:
    return [item for item in _good() if item[0] != path]


def _zip_field(path: str, offset: int, layout: str, value: int) -> Build:
    """The good bundle as a zip with one field of a member's entry in the table of contents changed."""

    def build() -> Archive:
        raw = bytearray(zipped(_good()))
        struct.pack_into(layout, raw, raw.rindex(path.encode()) - _CENTRAL_NAME + offset, value)
        return Archive(bytes(raw), ".zip")

    return build


def _encrypted() -> Archive:
    raw = bytearray(zipped(_good()))
    raw[raw.index(b"LICENSE") - _LOCAL_NAME + 6] |= 1
    raw[raw.rindex(b"LICENSE") - _CENTRAL_NAME + 8] |= 1
    return Archive(bytes(raw), ".zip")


def _claimed() -> Archive:
    """A member that is said to be stored with nearly 4 GiB; the bytes are not there."""
    raw = bytearray(zipped([*_good(), ("stray.bin", b"")], compress_type=zipfile.ZIP_STORED))
    struct.pack_into("<II", raw, raw.rindex(b"stray.bin") - _CENTRAL_NAME + 20, _CLAIMED, _CLAIMED)
    return Archive(bytes(raw), ".zip")


def _disguised() -> Archive:
    """A bomb whose packed size is said to be as large as what it expands to."""
    raw = bytearray(zipped([*_good(), ("stray.bin", bytes(_BOMB))]))
    struct.pack_into("<I", raw, raw.rindex(b"stray.bin") - _CENTRAL_NAME + 20, _BOMB)
    return Archive(bytes(raw), ".zip")


def _renamed(old: str, new: str) -> bytes:
    """The good bundle with one more member that has a name which no writer would give it."""
    return zipped([*_good(), (old, b"")]).replace(old.encode(), new.encode())


def _renamed_inside() -> Archive:
    # The name in front of the data is the first one in the archive.
    return Archive(zipped(_good()).replace(b"LICENSE", b"LICENCE", 1), ".zip")


def _truncated_tar() -> Archive:
    plain = gzip.decompress(tarred(_good()))
    # In the middle of the largest file.
    return Archive(gzipped(plain[: plain.index(b"point-100,")]), ".tar.gz")


def _negative_size() -> Archive:
    """A member after which, by its size, the archive begins once more."""
    plain = gzip.decompress(tarred([*_good(), ("stray.bin", b"")]))
    at = plain.index(b"stray.bin")
    header = bytearray(plain[at : at + 512])
    header[124:136] = (2**96 - at - 512).to_bytes(12, "big")
    header[148:156] = b" " * 8
    header[148:156] = f"{sum(header):06o}\0 ".encode()
    return Archive(gzipped(plain[:at] + bytes(header) + plain[at + 512 :]), ".tar.gz")


def _long_names() -> Archive:
    """Headers that each announce the name of the next one: readers that recurse run out of stack."""
    info = tarfile.TarInfo("././@LongLink")
    info.type, info.size = tarfile.GNUTYPE_LONGNAME, 6
    link = info.tobuf(tarfile.GNU_FORMAT) + b"stray\0".ljust(512, b"\0")
    plain = link * _LINKS + gzip.decompress(tarred(_good()))
    # Not deflated, or the archive would be refused as a bomb.
    return Archive(gzip.compress(plain, 0, mtime=0), ".tar.gz")


def _wrong_gzip_checksum() -> Archive:
    raw = bytearray(tarred(_good()))
    raw[-8] ^= 1
    return Archive(bytes(raw), ".tar.gz")
