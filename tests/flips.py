"""Single bytes of a small bundle flipped: `validate` notices, or there was nothing that it could check.

    uv run python tests/flips.py 4000

prints what became of that many flips in each form of a bundle. Exit code 1: one passed for no known reason.
"""

from __future__ import annotations

import json
import re
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from llb.bundle import open_container, pack
from llb.validation import validate
from llb_conformance import parabola_model, quadratic_files

FORMS = ("folder", "zip", "tar")
LEVEL = 4
NOTICED = "noticed"
MANIFEST = "manifest.json"

# What a manifest says that level 4 cannot hold against anything; `*` is any position in a list.
FREE: Mapping[str, str] = {
    "/id": "names the bundle",
    "/version": "names the bundle",
    "/title": "for people",
    "/authors/*/name": "for people",
    "/license": "any licence can be named",
    "/references/*/value": "for people",
    "/created": "any date",
    "/analysis": "for people",
    "/teacher/files/*": "who has the teacher checks it at level 6",
    "/teacher/pyhf_digest": "a patchset has to quote it",
    "/teacher/measurement": "who has the teacher checks it at level 6",
    "/teacher/poi": "who has the teacher checks it at level 6",
    "/teacher/channels/*/samples": "a patch has to fit them",
    "/teacher/channels/*/bins": "the teacher may have bins that are no inputs",
    "/inputs/*/role": "a statement about the analysis",
    "/curves/*/baseline_nll": "the teacher is asked at level 6",
    "/curves/*/data": "the teacher is asked at level 6",
    "/signal_model/relative_uncertainty": "a statement about the teacher",
    "/domain": "another domain that holds the test vectors is a domain as well",
    "/validation/method": "for people",
    "/validation/metrics": "recomputed at level 5",
    "/files/*/media_type": "nothing is read by it but JSON records, and of those there is none",
}

# Structures of archives as lists of fields with their sizes, and the fields that may say anything, as long as
# the files that are read are the same: a reader of a zip goes by the table of contents.
_LOCAL = (
    "signature 4 version 2 flags 2 method 2 date 4 checksum 4 packed 4 size 4 name-length 2 extra-length 2"
)
_CENTRAL = (
    "signature 4 system 2 version 2 flags 2 method 2 date 4 checksum 4 packed 4 size 4 name-length 2 "
    "extra-length 2 comment-length 2 disk 2 internal 2 mode 4 offset 4"
)
_END = "signature 4 disk 2 first-disk 2 here 2 members 2 table-size 4 table-offset 4 comment-length 2"
_GZIP = "signature 2 method 1 flags 1 time 4 effort 1 system 1"
UNUSED: Mapping[str, str] = {
    "local version": "the table of contents has it",
    "local flags": "the table of contents has them",
    "local method": "the table of contents has it",
    "local date": "no date has a meaning",
    "local checksum": "the table of contents has it",
    "local packed": "the table of contents has it",
    "local size": "the table of contents has it",
    "packed contents": "another coding of the same bytes",
    "central system": "who packed it has no meaning",
    "central version": "older than any that matters, or refused",
    "central flags": "some change nothing in how a member is read",
    "central date": "no date has a meaning",
    "central packed": "a deflated stream says itself where it ends",
    "central name-length": "of the last member: beyond the end of the table there is nothing",
    "central extra-length": "of the last member: beyond the end of the table there is nothing",
    "central comment-length": "of the last member: beyond the end of the table there is nothing",
    "central disk": "there is one",
    "central internal": "text or not, the bytes are read",
    "central mode": "any permissions; another kind of file is refused",
    "end disk": "there is one",
    "end first-disk": "there is one",
    "end here": "the table itself is counted",
    "end members": "the table itself is counted",
    "end comment-length": "beyond the end of the archive there is nothing",
    "gzip flags": "a mark of text changes nothing",
    "gzip time": "no date has a meaning",
    "gzip effort": "how hard it was packed has no meaning",
    "gzip system": "who packed it has no meaning",
}


@dataclass(frozen=True)
class Flip:
    """A byte of a file that is changed: which one, and the bits of it."""

    path: str
    offset: int
    bits: int

    def of(self, data: bytes) -> bytes:
        changed = bytearray(data)
        changed[self.offset] ^= self.bits
        return bytes(changed)


def flips(sizes: Mapping[str, int], count: int, seed: int = 0) -> Iterator[Flip]:
    """Every other flip turns one bit, the others any bits of a byte; all bytes of all files alike."""
    generator = np.random.default_rng(seed)
    paths, weights = list(sizes), np.array(list(sizes.values()))
    for number in range(count):
        path = paths[generator.choice(len(paths), p=weights / weights.sum())]
        bits = 1 << int(generator.integers(8)) if number % 2 else int(generator.integers(1, 256))
        yield Flip(path, int(generator.integers(sizes[path])), bits)


def outcomes(form: str, count: int, folder: Path, seed: int = 0) -> Counter[str]:
    """How often flips of one form were noticed, or why not; "UNEXPLAINED ..." where no reason is known.

    Args:
        form: one of `FORMS`.
        count: number of flips.
        folder: an empty folder to work in.
        seed: of the choice.
    """
    contents = quadratic_files(parabola_model())
    root = folder / "flips.llb"
    if form == "folder":
        files, good = contents, root
    else:
        files, good = {root.name: pack(contents, form)}, folder
    for path, data in files.items():
        (good / path).parent.mkdir(parents=True, exist_ok=True)
        (good / path).write_bytes(data)
    found: Counter[str] = Counter()
    for flip in flips({path: len(data) for path, data in files.items()}, count, seed):
        data = files[flip.path]
        (good / flip.path).write_bytes(flip.of(data))
        report = validate(root, LEVEL, limits=None)
        codes = {item.code for item in report.findings}
        if "LLB-X900" in codes:
            found[f"UNEXPLAINED LLB-X900 after {flip}"] += 1
        else:
            found[NOTICED if codes else _reason(form, flip, data, contents, root)] += 1
        (good / flip.path).write_bytes(data)
    return found


def _reason(form: str, flip: Flip, data: bytes, contents: Mapping[str, bytes], root: Path) -> str:
    """Why a flip may pass."""
    container = open_container(root)
    read = {path: container.read(path) for path in container.sizes}
    if read == contents:
        field = _fields(form, data).get(flip.offset, "packed contents")
        return f"{field}: {UNUSED[field]}" if field in UNUSED else f"UNEXPLAINED {field}"
    if {**read, MANIFEST: b""} != {**contents, MANIFEST: b""}:
        return f"UNEXPLAINED {flip}"
    return _meaning(json.loads(contents[MANIFEST]), json.loads(read[MANIFEST]))


def _meaning(before: Any, after: Any) -> str:
    """Why a manifest may say something else."""
    places = list(_differences(before, after, ""))
    if not places:
        return "manifest: layout, or another spelling of the same number or text"
    for place in places:
        general = re.sub(r"/[0-9]+(?=/|$)", "/*", place)
        prefix = next((item for item in FREE if f"{general}/".startswith(f"{item}/")), None)
        if prefix is None:
            return f"UNEXPLAINED {place}"
    return f"manifest {prefix}: {FREE[prefix]}"


def _differences(before: Any, after: Any, place: str) -> Iterator[str]:
    if isinstance(before, dict) and isinstance(after, dict) and before.keys() == after.keys():
        for key, value in before.items():
            yield from _differences(value, after[key], f"{place}/{key}")
    elif isinstance(before, list) and isinstance(after, list) and len(before) == len(after):
        for position, (one, other) in enumerate(zip(before, after, strict=True)):
            yield from _differences(one, other, f"{place}/{position}")
    elif before != after:
        yield place


def _fields(form: str, data: bytes) -> dict[int, str]:
    """The name of the field of an archive's structure by offset; nothing for contents."""
    if form == "tar":
        return dict(enumerate(_named("gzip", _GZIP)))
    names: dict[int, str] = {}
    for structure, mark, layout in (
        ("local", b"PK\x03\x04", _LOCAL),
        ("central", b"PK\x01\x02", _CENTRAL),
        ("end", b"PK\x05\x06", _END),
    ):
        for start in re.finditer(re.escape(mark), data):
            names |= dict(enumerate(_named(structure, layout), start=start.start()))
    return names


def _named(structure: str, layout: str) -> Iterator[str]:
    words = layout.split()
    for name, size in zip(words[::2], words[1::2], strict=True):
        yield from [f"{structure} {name}"] * int(size)


def main(count: int) -> int:
    """Prints a table for every form; 1 if a flip had an effect and was not noticed."""
    unexplained = 0
    for form in FORMS:
        with tempfile.TemporaryDirectory() as folder:
            found = outcomes(form, count, Path(folder))
        print(f"{form}: {count} flips, {found[NOTICED]} noticed")
        for reason, times in sorted(found.items()):
            if reason != NOTICED:
                print(f"  {times:6d}  {reason}")
        unexplained += sum(times for reason, times in found.items() if reason.startswith("UNEXPLAINED"))
    return int(unexplained > 0)


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1]) if len(sys.argv) > 1 else 2000))
