"""Faults between the manifest and the files beside it: missing, unlisted, changed."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from llb_conformance.corpus.case import Case, case
from llb_conformance.corpus.draft import GRAPH, HELDOUT, Draft, faulty

__all__ = ["integrity_cases"]


def integrity_cases() -> tuple[Case, ...]:
    """Cases of stage `integrity` that are about bytes, whatever they mean."""
    return (
        _case(
            "digest-wrong",
            "LLB-I001",
            "LICENSE",
            lambda draft: _entry(draft, "LICENSE").update(sha256="0" * 64),
        ),
        _case("file-one-bit-flipped", "LLB-I001", GRAPH, _flip),
        _case("file-line-ends-changed", "LLB-I002", HELDOUT, _windows),
        _case("size-wrong", "LLB-I002", "LICENSE", lambda draft: _entry(draft, "LICENSE").update(bytes=1)),
        _case(
            "file-empty-in-the-bundle", "LLB-I002", "LICENSE", lambda draft: draft.files.update(LICENSE=b"")
        ),
        _case("file-missing", "LLB-I003", "LICENSE", lambda draft: draft.files.pop("LICENSE")),
        _case("file-in-other-case", "LLB-I003", "LICENSE", _rename, note=_NOTE),
        _case(
            "file-not-listed", "LLB-I004", "notes.txt", lambda draft: draft.files.update({"notes.txt": b"n"})
        ),
        _case("graph-not-listed", "LLB-I004", "graphs/old.onnx", _second_graph),
    )


_NOTE = "What is missing under one name is there under another one, which is not listed."


def _case(name: str, code: str, pointer: str, fault: Callable[[Draft], Any], note: str = "") -> Case:
    return case(name, "integrity", code, pointer, faulty(fault), note=note)


def _entry(draft: Draft, path: str) -> Any:
    return next(item for item in draft.manifest["files"] if item["path"] == path)


def _flip(draft: Draft) -> None:
    data = bytearray(draft.files[GRAPH])
    data[len(data) // 2] ^= 1
    draft.files[GRAPH] = bytes(data)


def _windows(draft: Draft) -> None:
    draft.files[HELDOUT] = draft.files[HELDOUT].replace(b"\n", b"\r\n")


def _rename(draft: Draft) -> None:
    draft.files["License"] = draft.files.pop("LICENSE")


def _second_graph(draft: Draft) -> None:
    draft.files["graphs/old.onnx"] = draft.files[GRAPH]
