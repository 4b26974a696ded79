"""Faults of the test vectors, the tables and the records: sealed by the manifest, and yet not usable."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from llb_conformance.corpus.case import Case, case
from llb_conformance.corpus.draft import BENCHMARKS, HELDOUT, LABELS, VECTORS, faulty, replaced

__all__ = ["table_cases"]


def table_cases() -> tuple[Case, ...]:
    """Cases of stage `integrity` that are about the contents of documents."""
    return (*_text(), *_schema(), *_vectors(), *_headers(), *_rows())


def _bytes(
    name: str, code: str, path: str, change: Callable[[bytes], bytes], place: str = "", requirement: str = ""
) -> Case:
    build = replaced(path, change)
    return case(name, "integrity", code, path + place, build, requirement=requirement)


def _json(name: str, code: str, place: str, change: Callable[[Any], Any], requirement: str = "") -> Case:
    build = faulty(lambda draft: draft.change_json(VECTORS, change))
    return case(f"vectors-{name}", "integrity", code, f"{VECTORS}#{place}", build, requirement=requirement)


def _text() -> tuple[Case, ...]:
    return (
        _bytes("vectors-nan", "LLB-P004", VECTORS, lambda data: data.replace(b": 0.0", b": NaN", 1)),
        _bytes("vectors-key-twice", "LLB-P006", VECTORS, _key_twice),
        _bytes("vectors-byte-order-mark", "LLB-P002", VECTORS, _mark),
        _bytes("record-not-json", "LLB-P003", LABELS, lambda _: b"points: 200\n"),
        _bytes("heldout-byte-order-mark", "LLB-P002", HELDOUT, _mark, requirement="CONTAINER-8"),
        _bytes("heldout-not-utf-8", "LLB-P010", HELDOUT, lambda data: data.replace(b"point-1,", b"\xe9-1,")),
        _bytes("heldout-open-quote", "LLB-P010", HELDOUT, lambda data: data + b'"point'),
        _bytes("heldout-lines-end-in-cr", "LLB-P010", HELDOUT, lambda data: data.replace(b"\n", b"\r")),
    )


def _schema() -> tuple[Case, ...]:
    tolerance = "/tolerance/delta_nll"
    return (
        _json("of-another-format", "LLB-S013", "/format", lambda raw: raw.update(format="llb")),
        _json(
            "of-a-newer-version",
            "LLB-S010",
            "/format_version",
            lambda raw: raw.update(format_version="2.0.0"),
        ),
        _json("key-unknown", "LLB-S002", "/colour", lambda raw: raw.update(colour="red"), "VECTORS-1"),
        _json("tolerance-missing", "LLB-S001", tolerance, lambda raw: raw["tolerance"].clear(), "VECTORS-5"),
        _json("tolerance-underived", "LLB-S001", f"{tolerance}/derivation", _underived, "VECTORS-5"),
        _json("tolerance-too-loose", "LLB-S006", f"{tolerance}/absolute", _loose, "VECTORS-5"),
        _json("none", "LLB-S007", "/cases", lambda raw: raw["cases"].clear(), "VECTORS-1"),
    )


def _vectors() -> tuple[Case, ...]:
    return (
        _json(
            "bin-missing", "LLB-M022", "/cases/1/signal", lambda raw: raw["cases"][1]["signal"].pop("CR[0]")
        ),
        _json(
            "bin-unknown",
            "LLB-M022",
            "/cases/1/signal",
            lambda raw: raw["cases"][1]["signal"].update({"SR[9]": 0.0}),
        ),
        _json(
            "curve-missing",
            "LLB-M023",
            "/cases/1/delta_nll",
            lambda raw: raw["cases"][1]["delta_nll"].pop("apriori"),
        ),
        _json("of-an-alias", "LLB-M023", "/cases/1/delta_nll", _alias),
        _json("zero-missing", "LLB-M024", "/cases", lambda raw: raw["cases"].pop(0)),
        _json("zero-not-exact", "LLB-M024", "/cases/0/delta_nll/observed", _not_zero),
        _json("name-twice", "LLB-M028", "/cases", lambda raw: raw["cases"][1].update(name="zero")),
    )


def _headers() -> tuple[Case, ...]:
    return (
        _bytes("heldout-header-missing", "LLB-M026", HELDOUT, lambda data: data.split(b"\n", 1)[1]),
        _bytes(
            "heldout-bins-in-another-order", "LLB-M026", HELDOUT, lambda data: _swap(data, b"SR[0]", b"SR[1]")
        ),
        _bytes(
            "heldout-curves-in-another-order",
            "LLB-M026",
            HELDOUT,
            lambda data: _swap(data, b"observed_asimov", b"apriori"),
        ),
        _bytes(
            "heldout-column-unknown", "LLB-M026", HELDOUT, lambda data: data.replace(b"\n", b",weight\n", 1)
        ),
        _bytes("heldout-semicolons", "LLB-M026", HELDOUT, lambda data: data.replace(b",", b";")),
        _bytes(
            "benchmarks-column-missing",
            "LLB-M026",
            BENCHMARKS,
            lambda data: data.replace(b"cls_observed", b"cls", 1),
        ),
    )


def _rows() -> tuple[Case, ...]:
    last = ":202"
    cells = {
        "not-a-number": b"none",
        "nan": b"nan",
        "infinite": b"inf",
        "overflows": b"1e400",
        "empty": b"",
        "hexadecimal": b"0x1p3",
        "with-an-underscore": b"1_0",
        "with-a-plus": b"+1.0",
        "with-a-space": b" 1.0",
        "without-a-leading-zero": b".5",
        "decimal-comma": b'"1,5"',
        "in-other-digits": "\uff11".encode(),
    }
    rows = [
        _bytes(
            f"heldout-cell-{name}",
            "LLB-M027",
            HELDOUT,
            _appended(b"more," + cell + b",0,0,0,0,0\n"),
            last,
            "HELDOUT-2" if name in {"nan", "infinite", "empty"} else "CONTAINER-8",
        )
        for name, cell in cells.items()
    ]
    return (
        *rows,
        _bytes("heldout-row-too-short", "LLB-M027", HELDOUT, _appended(b"more,0\n"), last),
        _bytes("heldout-row-blank", "LLB-M027", HELDOUT, _appended(b"\n"), last, "CONTAINER-8"),
        _bytes("heldout-without-rows", "LLB-M027", HELDOUT, lambda data: data.split(b"\n", 1)[0] + b"\n"),
        _bytes("benchmarks-cell-nan", "LLB-M027", BENCHMARKS, _appended(b"more,0,0,0,nan,1\n"), ":4"),
    )


def _appended(row: bytes) -> Callable[[bytes], bytes]:
    return lambda data: data + row


def _swap(data: bytes, one: bytes, other: bytes) -> bytes:
    """Two names of the header in each other's place."""
    header, rows = data.split(b"\n", 1)
    names = [other if name == one else one if name == other else name for name in header.split(b",")]
    return b",".join(names) + b"\n" + rows


def _mark(data: bytes) -> bytes:
    return b"\xef\xbb\xbf" + data


def _key_twice(data: bytes) -> bytes:
    return data.replace(b'"format_version":', b'"format_version": "1.0.0",\n  "format_version":', 1)


def _underived(raw: Any) -> None:
    del raw["tolerance"]["delta_nll"]["derivation"]


def _loose(raw: Any) -> None:
    raw["tolerance"]["delta_nll"]["absolute"] = 0.01


def _alias(raw: Any) -> None:
    raw["cases"][1]["delta_nll"]["apriori_asimov"] = raw["cases"][1]["delta_nll"]["apriori"]


def _not_zero(raw: Any) -> None:
    raw["cases"][0]["delta_nll"]["observed"] = 1e-12
