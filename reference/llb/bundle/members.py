"""Which members a container may have: safe portable names, plain files, bounded number and size."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass

from llb_schema import Finding, finding

__all__ = ["Limits", "Member", "check_members", "path_fault"]

_MAX_PATH = 200
_MAX_SHOWN = 20
# Letters, digits and marks that every file system and every archive tool keeps.
_SEGMENT = re.compile(r"[A-Za-z0-9_+=,@-][A-Za-z0-9._+=,@-]*", re.ASCII)
# Names that Windows reserves whatever the suffix.
_RESERVED = {"con", "prn", "aux", "nul", *(f"{port}{n}" for port in ("com", "lpt") for n in range(1, 10))}


@dataclass(frozen=True)
class Limits:
    """What a reader is ready to take in.

    Attributes:
        members: number of files and folders.
        member_bytes: size of one file.
        total_bytes: size of all files together, and of an archive file.
        ratio: uncompressed over compressed size, above one MiB.
        portable: whether names have to suit every file system, as in bundles. Where nothing is written under
            them it is enough that they do not lead out of the archive.
    """

    members: int = 1000
    member_bytes: int = 512 * 2**20
    total_bytes: int = 1024 * 2**20
    ratio: float = 200.0
    portable: bool = True


@dataclass(frozen=True, order=True)
class Member:
    """An entry in a container; `kind` is `file`, `folder` or `special` (links, devices, pipes)."""

    name: str
    size: int
    kind: str


def path_fault(path: str, *, portable: bool = True) -> str:
    """What is wrong with a path, in a few words, or "" if it is safe and, as in bundles, portable."""
    if not path or len(path) > _MAX_PATH:
        return f"a path has 1 to {_MAX_PATH} characters"
    if path.startswith("/") or re.match(r"[A-Za-z]:", path):
        return "a path is relative"
    if "\\" in path:
        return "folders are separated by '/'"
    if not portable:
        return "a path does not lead upwards" if ".." in path.split("/") else ""
    if unicodedata.normalize("NFC", path) != path:
        return "a path is NFC-normalised"
    for segment in path.split("/"):
        if segment in {"", ".", ".."}:
            return "a path has no empty, '.' or '..' part"
        if not _SEGMENT.fullmatch(segment) or segment.endswith("."):
            return "parts are made of letters, digits and . _ + = , @ - and neither start nor end with a dot"
        if segment.split(".")[0].lower() in _RESERVED:
            return "the name is reserved on Windows"
    return ""


def check_members(members: Iterable[Member], limits: Limits) -> tuple[Finding, ...]:
    """All findings about a container's table of contents, sorted."""
    listed = list(members)
    findings: list[Finding] = []
    if len(listed) > limits.members:
        findings.append(
            finding("LLB-A007", expected=f"at most {limits.members}", actual=f"{len(listed)} or more")
        )
    findings += _check_names(listed[: limits.members], portable=limits.portable)
    total = 0
    for member in listed:
        total += member.size
        if member.size > limits.member_bytes:
            expected = f"at most {limits.member_bytes} bytes"
            findings.append(
                finding("LLB-A008", pointer=_shown(member.name), expected=expected, actual=member.size)
            )
    if total > limits.total_bytes:
        expected = f"at most {limits.total_bytes} bytes in all"
        findings.append(finding("LLB-A008", expected=expected, actual=f"{total} bytes"))
    return tuple(sorted(findings, key=lambda item: (item.code, item.pointer)))


def _check_names(members: list[Member], *, portable: bool) -> list[Finding]:
    findings: list[Finding] = []
    seen: dict[str, str] = {}
    for member in members:
        shown = _shown(member.name)
        fault = path_fault(member.name, portable=portable)
        if fault:
            message = f"the path {shown!r} is not allowed: {fault}"
            findings.append(finding("LLB-A004", message, pointer=shown, actual=shown))
        if member.kind == "special":
            findings.append(finding("LLB-A005", f"{shown} is a link or a special file", pointer=shown))
        folded = unicodedata.normalize("NFC", member.name).casefold()
        if folded in seen:
            message = f"{shown} and {seen[folded]} are one name on some file systems"
            findings.append(finding("LLB-A006", message, pointer=shown))
        seen[folded] = shown
    return findings


def _shown(name: str) -> str:
    """The name with anything unprintable escaped, for messages."""
    return name.encode("unicode_escape").decode("ascii")[: _MAX_PATH + _MAX_SHOWN]
