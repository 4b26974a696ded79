"""Reading a zip archive into memory, by its table of contents and within limits."""

from __future__ import annotations

import io
import stat
import struct
import zipfile

from llb.bundle.members import Limits, Member, check_members
from llb_schema import Finding, FindingError, finding

__all__ = ["read_zip"]

_METHODS = {zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED}
_ENCRYPTED = 0x1
_RATIO_FLOOR = 2**20
# The header in front of a member's data; it ends with the lengths of the name and extra field that follow.
_LOCAL = struct.Struct("<26x2H")


def read_zip(data: bytes, limits: Limits) -> dict[str, bytes]:
    """Contents by path of all files in the archive.

    Raises:
        FindingError: `LLB-A...`, the archive is damaged, encrypted, unsafe or too large.
    """
    try:
        archive = zipfile.ZipFile(io.BytesIO(data))
    # Its parser raises whatever it runs into; any of it means that there is no table of contents.
    except Exception as error:
        raise FindingError(finding("LLB-A002", f"the zip archive cannot be read: {error}")) from error
    with archive:
        infos = archive.infolist()
        findings = list(check_members([_member(info) for info in infos], limits))
        findings += [found for info in infos for found in _check_info(info, limits)]
        # Last: a size beyond all bounds does not fit into the archive either.
        findings = findings or _check_places(archive, data)
        if findings:
            raise FindingError(sorted(findings, key=lambda item: (item.code, item.pointer)))
        return {info.filename: _read(archive, info) for info in infos if not _is_folder(info)}


def _member(info: zipfile.ZipInfo) -> Member:
    # `orig_filename` is what the archive says; `filename` is cut at a NUL and has its separators replaced.
    mode = info.external_attr >> 16
    if _is_folder(info):
        return Member(info.orig_filename.rstrip("/"), 0, "folder")
    special = stat.S_IFMT(mode) not in (0, stat.S_IFREG)
    return Member(info.orig_filename, info.file_size, "special" if special else "file")


def _is_folder(info: zipfile.ZipInfo) -> bool:
    # Not `is_dir`: it fails on a member without a name.
    return info.filename.endswith("/")


def _check_info(info: zipfile.ZipInfo, limits: Limits) -> list[Finding]:
    findings: list[Finding] = []
    if info.flag_bits & _ENCRYPTED:
        findings.append(finding("LLB-A003", pointer=info.filename))
    if info.compress_type not in _METHODS:
        actual = f"method {info.compress_type}"
        findings.append(
            finding("LLB-A011", pointer=info.filename, expected="stored or deflate", actual=actual)
        )
    if info.file_size > _RATIO_FLOOR and info.file_size > limits.ratio * max(info.compress_size, 1):
        ratio = f"{info.file_size / max(info.compress_size, 1):.0f}"
        findings.append(
            finding("LLB-A009", pointer=info.filename, expected=f"at most {limits.ratio:g}", actual=ratio)
        )
    return findings


def _check_places(archive: zipfile.ZipFile, data: bytes) -> list[Finding]:
    """Members that reach into what follows them: their packed size is false, and so is every ratio of it."""
    infos = sorted(archive.infolist(), key=lambda info: info.header_offset)
    ends = [*(info.header_offset for info in infos[1:]), archive.start_dir]
    findings: list[Finding] = []
    for info, end in zip(infos, ends, strict=False):
        header = data[info.header_offset : info.header_offset + _LOCAL.size]
        lengths = _LOCAL.unpack(header) if len(header) == _LOCAL.size else (0, 0)
        if info.header_offset + _LOCAL.size + sum(lengths) + info.compress_size > end:
            message = f"{info.filename} overlaps with what follows it in the zip archive"
            findings.append(finding("LLB-A002", message, pointer=info.filename))
    return findings


def _read(archive: zipfile.ZipFile, info: zipfile.ZipInfo) -> bytes:
    try:
        # One byte more than declared is asked for, so that a wrong size shows and cannot grow without end.
        with archive.open(info) as stream:
            data = stream.read(info.file_size + 1)
    except Exception as error:
        message = f"{info.filename} cannot be read from the zip archive: {error}"
        raise FindingError(finding("LLB-A002", message, pointer=info.filename)) from error
    if len(data) != info.file_size:
        message = f"{info.filename} does not have the size that the zip archive states"
        actual = len(data)
        raise FindingError(
            finding("LLB-A002", message, pointer=info.filename, expected=info.file_size, actual=actual)
        )
    return data
