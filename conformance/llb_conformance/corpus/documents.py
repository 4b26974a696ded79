"""Faults of the JSON text of a manifest: two readers could disagree about what it says, or never end."""

from __future__ import annotations

from collections.abc import Callable

from llb_conformance.corpus.case import Build, Case, Folder, case
from llb_conformance.corpus.draft import MANIFEST, good_bundle, put

__all__ = ["document_cases"]

_MAX_BYTES, _MAX_DEPTH = 4 * 2**20, 64


def document_cases() -> tuple[Case, ...]:
    """Cases of stage `archive` that are about the text of the manifest."""
    deep = b'"extensions": {"org.example.deep": ' + b"[" * _MAX_DEPTH + b"]" * _MAX_DEPTH + b"}"
    return (
        _case("not-utf-8", "LLB-P001", _edit(b'"Quadratic', b'"\xe9tude: quadratic')),
        _case("encoded-surrogate", "LLB-P001", _edit(b'"Quadratic', b'"\xed\xa0\x80quadratic')),
        _case("byte-order-mark", "LLB-P002", _text(lambda data: b"\xef\xbb\xbf" + data)),
        _case("utf-16", "LLB-P002", _text(lambda data: data.decode().encode("utf-16"))),
        _case("empty", "LLB-P003", _text(lambda _: b"")),
        _case("truncated", "LLB-P003", _text(lambda data: data[: len(data) // 2])),
        _case("text-after-the-end", "LLB-P003", _text(lambda data: data + b"{}\n")),
        _case("trailing-comma", "LLB-P003", _edit(b'"extensions": {}\n', b'"extensions": {},\n')),
        _case("comment", "LLB-P003", _edit(b"{\n", b"{ // the entry point\n")),
        _case("single-quotes", "LLB-P003", _edit(b'"llb"', b"'llb'")),
        _case("line-break-in-a-string", "LLB-P003", _edit(b"Quadratic forms", b"Quadratic\nforms")),
        _case("leading-zero", "LLB-P003", _edit(b"139.0", b"0139.0")),
        _case("number-nan", "LLB-P004", put("/analysis/luminosity", float("nan"))),
        _case("number-infinity", "LLB-P004", put("/analysis/luminosity", float("inf"))),
        _case("number-overflows", "LLB-P005", _edit(b"139.0", b"1e400")),
        _case("integer-beyond-a-double", "LLB-P005", put("/teacher/files/0/bytes", 2**53)),
        _case("integer-of-a-million-digits", "LLB-P005", _edit(b"139.0", b"1" * 1_000_000)),
        _case("key-twice", "LLB-P006", _edit(b'"version":', b'"version": "2.0.0",\n  "version":')),
        _case("key-twice-once-escaped", "LLB-P006", _edit(b'"id":', b'"i\\u0064": "other",\n  "id":')),
        _case("key-twice-deep-inside", "LLB-P006", _edit(b'"index": 0', b'"index": 1, "index": 0')),
        _case("nested-too-deeply", "LLB-P007", _edit(b'"extensions": {}', deep)),
        _case("never-ending-brackets", "LLB-P007", _text(lambda _: b"[" * 100_000)),
        _case("too-large", "LLB-P008", _text(lambda data: data + b" " * _MAX_BYTES)),
        _case("half-a-surrogate-pair", "LLB-P009", _edit(b'"Quadratic', b'"\\ud800quadratic')),
    )


def _case(name: str, code: str, build: Build) -> Case:
    return case(f"manifest-{name}", "archive", code, MANIFEST, build)


def _text(change: Callable[[bytes], bytes]) -> Build:
    """The good bundle with another text of its manifest."""

    def build() -> Folder:
        files = good_bundle()
        return Folder({**files, MANIFEST: change(files[MANIFEST])})

    return build


def _edit(old: bytes, new: bytes) -> Build:
    """The good bundle with the first occurrence of a piece of its manifest's text replaced."""

    def change(text: bytes) -> bytes:
        if old not in text:
            raise ValueError(f"the manifest has no {old!r}")
        return text.replace(old, new, 1)

    return _text(change)
