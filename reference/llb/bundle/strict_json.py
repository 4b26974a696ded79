"""JSON as the format allows it: UTF-8 without BOM, unique keys, finite numbers, bounded depth and size.

Python's own parser accepts NaN, turns 1e400 into infinity, keeps the last of two equal keys and runs
out of stack on deep nesting; two readers of one bundle could then disagree about what it says.
"""

from __future__ import annotations

import json
import math
import re
from typing import Any, NoReturn

from llb_schema import FindingError, finding

__all__ = ["MAX_DEPTH", "MAX_JSON_BYTES", "parse_json"]

MAX_JSON_BYTES = 64 * 2**20
MAX_DEPTH = 64
# Integers beyond this are not exact in every language's JSON reader (RFC 7493).
_MAX_INTEGER = 2**53 - 1
_MAX_DIGITS = 400
# A string (closed or not) is skipped whole, so that brackets inside it do not count. Nothing is tried twice:
# to be able to go back, the pattern would need fifty times the memory of a string.
_TOKENS = re.compile(r'"(?:[^"\\]++|\\.)*+"?|[\[\]{}]', re.DOTALL)
_SURROGATE = re.compile("[\ud800-\udfff]")


def parse_json(
    data: bytes, source: str, *, max_bytes: int = MAX_JSON_BYTES, max_depth: int = MAX_DEPTH
) -> Any:
    """The value in a JSON document.

    Args:
        data: the raw bytes.
        source: path of the document, for the findings.
        max_bytes: size limit.
        max_depth: limit on nested arrays and objects.

    Raises:
        FindingError: `LLB-P...`, the document is not strict JSON.
    """
    if len(data) > max_bytes:
        _refuse("LLB-P008", source, expected=f"at most {max_bytes} bytes", actual=f"{len(data)} bytes")
    if data.startswith((b"\xef\xbb\xbf", b"\xff\xfe", b"\xfe\xff")):
        _refuse("LLB-P002", source)
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError as error:
        _refuse("LLB-P001", source, f"{source} is not UTF-8: byte {error.start} cannot be decoded")
    _check_depth(text, source, max_depth)
    reader = _Reader(source)
    try:
        value = json.loads(
            text,
            object_pairs_hook=reader.unique,
            parse_constant=reader.constant,
            parse_float=reader.number,
            parse_int=reader.integer,
        )
    except json.JSONDecodeError as error:
        _refuse(
            "LLB-P003",
            source,
            f"{source} is not JSON: {error.msg} (line {error.lineno}, column {error.colno})",
        )
    reader.check_text([value])
    return value


def _refuse(code: str, source: str, message: str = "", *, expected: str = "", actual: str = "") -> NoReturn:
    raise FindingError(finding(code, message, pointer=source, expected=expected, actual=actual))


def _check_depth(text: str, source: str, max_depth: int) -> None:
    depth = 0
    for match in _TOKENS.finditer(text):
        mark = match[0]
        if mark in "[{":
            depth += 1
            if depth > max_depth:
                _refuse("LLB-P007", source, expected=f"at most {max_depth} levels")
        elif mark in "]}":
            depth -= 1


class _Reader:
    """The hooks of the standard parser, with the document's name for their findings."""

    def __init__(self, source: str) -> None:
        self.source = source

    def unique(self, pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        result: dict[str, Any] = {}
        for key, value in pairs:
            self.check_text([key, value])
            if key in result:
                _refuse(
                    "LLB-P006",
                    self.source,
                    f"the key {key[:80]!r} occurs twice",
                )
            result[key] = value
        return result

    def constant(self, literal: str) -> NoReturn:
        _refuse(
            "LLB-P004",
            self.source,
            f"{self.source} holds {literal}, which is not a JSON number",
            actual=literal,
        )

    def number(self, literal: str) -> float:
        value = float(literal)
        if not math.isfinite(value):
            _refuse(
                "LLB-P005",
                self.source,
                f"the number {literal[:40]} does not fit into a double",
                actual=literal[:40],
            )
        return value

    def integer(self, literal: str) -> int:
        # The length first: turning a million digits into an integer takes quadratic time.
        value = int(literal) if len(literal) <= _MAX_DIGITS else _MAX_INTEGER + 1
        if abs(value) > _MAX_INTEGER:
            _refuse(
                "LLB-P005",
                self.source,
                f"the integer {literal[:40]} is not exact in every reader",
                expected="an absolute value below 2^53",
                actual=literal[:40],
            )
        return value

    def check_text(self, values: list[Any]) -> None:
        """Looks into lists too; objects have been through `unique` already."""
        for value in values:
            if isinstance(value, list):
                self.check_text(value)
            elif isinstance(value, str) and _SURROGATE.search(value):
                _refuse("LLB-P009", self.source)
