"""Hostile changes to archives: fields of headers, order and number of members, or only bytes."""

from __future__ import annotations

import struct
import tarfile
from random import Random

from mutated_documents import EDGES, mutate_bytes

__all__ = ["mutate_tar", "mutate_zip"]


def mutate_zip(data: bytes, random: Random) -> bytes:
    """Another zip: fields of its headers set to edges and flags, members renamed, doubled or cut."""
    raw = bytearray(data)
    for _ in range(random.randint(1, 3)):
        marks = [mark for mark in (b"PK\1\2", b"PK\3\4", b"PK\5\6", b"PK\6\6") if mark in raw]
        if not marks or random.random() < 0.2:
            raw = bytearray(mutate_bytes(bytes(raw), random))
            continue
        mark = random.choice(marks)
        places = [at for at in range(len(raw) - 4) if raw.startswith(mark, at)]
        at = random.choice(places or [0]) + 4
        # All fields lie within the first 46 bytes and are two or four bytes long.
        at += 2 * random.randrange(21)
        layout = random.choice(("<H", "<I"))
        size = struct.calcsize(layout)
        value = random.choice((*EDGES, random.randrange(2**16), len(raw))) % 2 ** (8 * size)
        raw[at : at + size] = struct.pack(layout, value)
    return bytes(raw)


def mutate_tar(data: bytes, random: Random) -> bytes:
    """Another (unpacked) tar: fields of its headers set to strange values, blocks doubled, moved or cut."""
    blocks = [data[at : at + 512].ljust(512, b"\0") for at in range(0, len(data), 512)] or [bytes(512)]
    for _ in range(random.randint(1, 3)):
        headers = [at for at, block in enumerate(blocks) if _is_header(block)] or [0]
        at = random.choice(headers)
        match random.randrange(6):
            case 0:
                blocks.insert(random.randrange(len(blocks) + 1), blocks[at])
            case 1:
                del blocks[random.randrange(len(blocks))]
                blocks = blocks or [bytes(512)]
            case 2:
                blocks[at] = mutate_bytes(blocks[at], random)[:512].ljust(512, b"\0")
            case 3:
                blocks[at : at + 1] = _extended(blocks[at], random)
            case _:
                blocks[at] = _field(blocks[at], random)
    blocks = [
        _checked(block) if at in headers or random.random() < 0.2 else block
        for at, block in enumerate(blocks)
    ]
    return b"".join(blocks)


def _is_header(block: bytes) -> bool:
    return block[257:262] == b"ustar" or (block[:1] != b"\0" and block[148:149] in b"01234567 ")


def _checked(block: bytes) -> bytes:
    """The header with a checksum that fits."""
    blank = block[:148] + b" " * 8 + block[156:]
    return block[:148] + f"{sum(blank):06o}\0 ".encode() + block[156:]


def _field(block: bytes, random: Random) -> bytes:
    """The header with one field changed: name, mode, size, time, type, link, magic, or prefix."""
    start, size = random.choice(
        (
            (0, 100),
            (100, 8),
            (124, 12),
            (124, 12),
            (136, 12),
            (156, 1),
            (156, 1),
            (157, 100),
            (257, 8),
            (345, 155),
        )
    )
    if size == 1:
        value = random.choice(b"\x000123456789gxLKNSVXDZ")
        return block[:start] + bytes([value]) + block[start + 1 :]
    value = random.choice(
        (
            b"",
            b"\xff" * 12,
            b"\xff" * 11 + b"\0",
            b"\x80" + b"\0" * 10 + b"\x09",
            b"\x80\x7f" + b"\xff" * 10,
            b"77777777777",
            b"-1",
            b"../x",
            b"\xff\xfe\0",
            b"a" * 99,
            b"manifest.json",
        )
    )
    return block[:start] + value[:size].ljust(size, b"\0") + block[start + size :]


def _extended(header: bytes, random: Random) -> list[bytes]:
    """The member with a header of its own for a long name, or for records of any kind, once or many times."""
    key = random.choice(
        (
            "path",
            "size",
            "linkpath",
            "mtime",
            "GNU.sparse.map",
            "GNU.sparse.major",
            "GNU.sparse.size",
            "hdrcharset",
        )
    )
    value = random.choice(("", "-1", "x", "9" * 30, "1,2,3", "../x", "nan", "inf", "\udcff", "1"))
    record = f" {key}={value}\n".encode("utf-8", "surrogateescape")
    body = str(len(record) + 2).encode() + record if random.random() < 0.8 else record
    info = tarfile.TarInfo("././@PaxHeader")
    info.size = len(body)
    info.type = random.choice(
        (tarfile.XHDTYPE, tarfile.XGLTYPE, tarfile.GNUTYPE_LONGNAME, tarfile.GNUTYPE_LONGLINK)
    )
    return [info.tobuf(tarfile.USTAR_FORMAT), body.ljust(512, b"\0")[:512]] * random.choice(
        (1, 1, 2, 600)
    ) + [header]
