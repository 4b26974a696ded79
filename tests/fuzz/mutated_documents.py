"""Hostile changes to documents, tables and bytes, decided by a source of random numbers.

Here and in the modules beside it what comes out is mostly well-formed on the outside: digests and checksums
are made to fit again. So the fault is found by the check that is meant for it, or by none.
"""

from __future__ import annotations

import copy
import json
import struct
from random import Random
from typing import Any

__all__ = ["EDGES", "mutate_bytes", "mutate_document", "mutate_json", "mutate_table"]

_STRANGE_TEXT = (
    "",
    "\0",
    "a\nb",
    "\x1b[2J",
    "\u202e",
    "\ud800",
    "\U0001f9ec",
    "e\u0301",
    "..",
    "../../etc/passwd",
    "C:\\x",
    "nul",
    "observed",
    "batch",
    "SR[0]",
    "SR[00]",
    "x" * 300,
    "1.0.0",
    "0.1.0",
    "1.0.9",
    "1.1.0",
    "9" * 30 + ".0.0",
    "%s%n{0}",
    "[bold]x",
)
_STRANGE_NUMBERS = (
    0,
    -0.0,
    -1,
    1,
    2,
    2**31,
    2**53 - 1,
    2**53,
    2**63,
    10**400,
    1e-320,
    0.1,
    1e15,
    1.7e308,
    -1.7e308,
    float("inf"),
    float("nan"),
)
_STRANGE_CELLS = (
    b"",
    b"nan",
    b"1e400",
    b"-1e308",
    b"1_0",
    b" 1",
    b'"1"',
    b'"',
    b'"1\n2"',
    b"\r",
    b"\r\n",
    b"\0",
    b"\xff",
    b"\xef\xbb\xbf",
    b"1" * 400,
    "\u0661".encode(),
)
EDGES = (0, 1, 2, 0x7F, 0x80, 0xFF, 0xFFFF, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF)


def mutate_json(document: Any, random: Random) -> Any:
    """Another document, with one to three changes somewhere inside."""
    changed = copy.deepcopy(document)
    for _ in range(random.randint(1, 3)):
        changed = _change_node(changed, random)
    return changed


def mutate_document(data: bytes, random: Random) -> bytes:
    """Another text of a JSON document: changed inside, or in how it is written down."""
    try:
        document = json.loads(data)
    except (ValueError, RecursionError):
        return mutate_bytes(data, random)
    if random.random() < 0.2:
        return _rewritten(data, random)
    try:
        # Without escapes some texts cannot be encoded; with them half a surrogate pair passes through.
        return json.dumps(mutate_json(document, random), ensure_ascii=random.random() < 0.5).encode()
    except (UnicodeEncodeError, RecursionError):
        return mutate_bytes(data, random)


def mutate_table(data: bytes, random: Random) -> bytes:
    """Another CSV table: cells, rows and columns replaced, moved, doubled or dropped."""
    rows = [line.split(b",") for line in data.split(b"\n")]
    for _ in range(random.randint(1, 3)):
        row = random.choice(rows)
        match random.randrange(7):
            case 0:
                row[random.randrange(len(row))] = random.choice(_STRANGE_CELLS)
            case 1:
                rows.remove(row)
                rows = rows or [[b""]]
            case 2:
                rows.insert(random.randrange(len(rows) + 1), list(random.choice(rows)))
            case 3:
                row.append(random.choice(_STRANGE_CELLS))
            case 4:
                row.pop()
                row.extend([] if row else [b""])
            case 5:
                random.shuffle(row)
            case _:
                column = random.randrange(len(rows[0]))
                for line in rows:
                    del line[column : column + 1]
                    line.extend([] if line else [b""])
    ending = random.choice((b"\n", b"\n", b"\n", b"\r\n", b"\r"))
    return ending.join(b",".join(row) for row in rows)


def mutate_bytes(data: bytes, random: Random) -> bytes:
    """Some bytes replaced, inserted, doubled or cut."""
    raw = bytearray(data)
    for _ in range(random.randint(1, 4)):
        at = random.randrange(len(raw) + 1)
        match random.randrange(6):
            case 0:
                raw[at : at + 1] = bytes([random.randrange(256)])
            case 1:
                raw[at : at + 4] = struct.pack(random.choice(("<I", ">I")), random.choice(EDGES))
            case 2:
                del raw[at : at + random.choice((1, 2, 16, 512))]
            case 3:
                piece = raw[at : at + random.choice((1, 8, 64, 512))]
                there = random.randrange(len(raw) + 1)
                raw[there:there] = piece
            case 4:
                raw[at:at] = random.choice(_STRANGE_CELLS)
            case _:
                if random.random() < 0.2:
                    del raw[at:]
    return bytes(raw)


def _change_node(document: Any, random: Random) -> Any:
    """One change at a random place, which is reached step by step: the whole is as likely as a part."""
    if not isinstance(document, dict | list) or not document or random.random() < 0.1:
        return _value(document, random)
    key = random.choice(sorted(document, key=str) if isinstance(document, dict) else range(len(document)))
    match random.randrange(12):
        case 0:
            del document[key]
        case 1 if isinstance(document, dict):
            document[random.choice((*_STRANGE_TEXT, f"{key}_", str(key).upper()))] = document[key]
        case 2 if isinstance(document, dict):
            document[random.choice((*_STRANGE_TEXT, f"{key}_"))] = document.pop(key)
        case 3:
            other = random.choice(
                sorted(document, key=str) if isinstance(document, dict) else range(len(document))
            )
            document[key], document[other] = document[other], document[key]
        case 4 if isinstance(document, list):
            document.extend(copy.deepcopy(document[key]) for _ in range(_times(document[key], random)))
        case 5 if isinstance(document, list):
            random.shuffle(document)
        case 6:
            document[key] = _value(document[key], random)
        case _:
            document[key] = _change_node(document[key], random)
    return document


def _value(old: Any, random: Random) -> Any:
    match random.randrange(8):
        case 0 | 1:
            return random.choice(_STRANGE_NUMBERS)
        case 2 | 3:
            return random.choice(_STRANGE_TEXT)
        case 4:
            return random.choice((None, True, False, [], {}, [[]], {"": None}))
        case 5:
            depth = random.choice((1, 3, 60, 70, 400))
            for _ in range(depth):
                old = [old] if random.random() < 0.5 else {"x": old}
            return old
        case 6:
            return f"{old}" if random.random() < 0.5 else [old] * _times(old, random)
        case _:
            return -old if isinstance(old, int | float) else str(old) + random.choice(_STRANGE_TEXT)


def _times(value: Any, random: Random) -> int:
    """How often a value is repeated; large ones seldom, for repetitions of repetitions fill any memory."""
    return random.choice((0, 1, 2, 1000)) if len(repr(value)) < 500 else random.choice((0, 1, 2))


def _rewritten(data: bytes, random: Random) -> bytes:
    """The same document, written so that strict readers have to refuse it, and some others do not notice."""
    text = data.decode("utf-8", "replace")
    match random.randrange(6):
        case 0:
            at = text.find('": ', random.randrange(len(text) + 1))
            start = text.rfind('"', 0, max(at, 0))
            return (
                (text[:start] + text[start : at + 3] + "0, " + text[start:]).encode() if start >= 0 else data
            )
        case 1:
            return text.encode(random.choice(("utf-16", "utf-8-sig", "utf-32", "utf-7")))
        case 2:
            digits = random.choice(
                ("NaN", "-Infinity", "1e999", "01", "1.", "0x1", "9" * 5000, "1" * 5000 + ".5")
            )
            return text.replace(random.choice(("0", "1", "2", "5")), digits, 1).encode()
        case 3:
            at = random.randrange(len(text) + 1)
            return (
                text[:at] + random.choice(("[", "{", '"', "]", "}", ",", "//", "\\u0000")) + text[at:]
            ).encode()
        case 4:
            return text[: random.randrange(len(text) + 1)].encode()
        case _:
            return mutate_bytes(data, random)
