from __future__ import annotations

import contextlib
import json
import tracemalloc
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llb.bundle import parse_json
from llb_schema import FindingError

JSON_VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**53) + 1, 2**53 - 1)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(exclude_categories=["Cs"])),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(st.characters(exclude_categories=["Cs"])), inner),
    max_leaves=20,
)

REFUSED = {
    "LLB-P001": [b'"\xff"', b'"\xed\xa0\x80"'],
    "LLB-P002": [b"\xef\xbb\xbf{}", "{}".encode("utf-16")],
    "LLB-P003": [b"", b"{", b"{}}", b"[1,]", b"{'a': 1}", b"01", b'"\n"', b"nul", b"[1] // x", b'"open'],
    "LLB-P004": [b"NaN", b"[Infinity]", b'{"a": -Infinity}'],
    "LLB-P005": [b"1e400", b"[-1e999]", b"9007199254740992", b"1" * 10_000],
    "LLB-P006": [b'{"a": 1, "a": 1}', b'[{"b": {"a": 1, "a": 2}}]', b'{"a": 1, "\\u0061": 2}'],
    "LLB-P007": [b"[" * 100_000, b'{"a":' * 65 + b"1" + b"}" * 65],
    "LLB-P009": [
        b'{"a": "\\ud800"}',
        b'{"\\udfff": 1}',
        b'{"a": ["x", ["\\ud800"]]}',
        b'"\\ud800"',
        b'["\\ud800"]',
    ],
}


@pytest.mark.parametrize(
    ("code", "data"), [(code, data) for code, items in REFUSED.items() for data in items]
)
def test_refused(code: str, data: bytes) -> None:
    with pytest.raises(FindingError) as error:
        parse_json(data, "x.json")
    assert [item.code for item in error.value.findings] == [code]
    assert len(str(error.value)) < 500


def test_too_large() -> None:
    with pytest.raises(FindingError, match="LLB-P008"):
        parse_json(b"[1, 2, 3]", "x.json", max_bytes=5)


@pytest.mark.requirement("SECURITY-2")
def test_accepted_up_to_the_limits() -> None:
    assert parse_json(b"[" * 64 + b"]" * 64, "x.json") is not None
    assert parse_json(b"9007199254740991", "x.json") == 2**53 - 1
    assert parse_json(b'{"a": "[[[ \\" {{{ \\ud83d\\ude00"}', "x.json") == {"a": '[[[ " {{{ \U0001f600'}
    assert parse_json(b'"' + b"[" * 1000 + b'"', "x.json") == "[" * 1000


@pytest.mark.parametrize("text", ["a", '\\"', "[", "\\n"])
def test_long_strings_take_no_more_memory_than_a_few_copies(text: str) -> None:
    data = f'"{text * 500_000}"'.encode()
    tracemalloc.start()
    try:
        parse_json(data, "x.json")
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 8 * len(data)


@given(JSON_VALUES)
def test_good_json_is_read_like_the_standard_library_does(value: Any) -> None:
    assert parse_json(json.dumps(value).encode(), "x.json") == value
    assert parse_json(json.dumps(value, ensure_ascii=False).encode(), "x.json") == value


@pytest.mark.requirement("SECURITY-5")
@given(st.binary(max_size=200) | st.text('[]{}":,\\u0aNaInf1e9-.\n ', max_size=60).map(str.encode))
def test_any_bytes_are_read_or_refused(data: bytes) -> None:
    # Anything but a finding fails the test.
    with contextlib.suppress(FindingError):
        parse_json(data, "x.json")
