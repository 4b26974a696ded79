"""The CSV tables of a bundle: teacher truth on held-out points and on real signals."""

from __future__ import annotations

import csv
import io
import math
import re
from collections.abc import Iterable, Iterator, Sequence

from llb.bundle import DensityManifest, Manifest
from llb_schema import Finding, finding

__all__ = ["check_benchmarks", "check_density_heldout", "check_heldout"]

_MAX_BYTES = 128 * 2**20
_MAX_FINDINGS = 20
_NUMBER = re.compile(r"-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?")
_BARE_CR = re.compile(r"\r(?!\n)")


def check_heldout(data: bytes, manifest: Manifest, source: str) -> tuple[Finding, ...]:
    """All findings about the held-out table: `name`, the bin ids, then the curves by column."""
    header = ["name", *manifest.bin_ids, *(curve.name for curve in manifest.own_curves)]
    return _check(data, source, header, exact=True)


def check_density_heldout(data: bytes, manifest: DensityManifest, source: str) -> tuple[Finding, ...]:
    """All findings about the held-out table of a density: `name`, its columns, the teacher's number.

    A likelihood's table has that number; any other may be without.
    """
    header = ["name", *manifest.columns, *manifest.condition_names]
    forms = [[*header, "log_prob"], [*header, "log_prob_unnormalized"], header]
    wanted = forms if manifest.density.is_normalized else forms[:1]
    # The one that the table begins with; none, and the first is what it ought to have.
    first = data.partition(b"\n")[0].rstrip(b"\r").decode("utf-8", "replace")
    names = next(csv.reader([first]), [])
    return _check(data, source, next((form for form in wanted if form == names), wanted[0]), exact=True)


def check_benchmarks(data: bytes, manifest: Manifest, source: str) -> tuple[Finding, ...]:
    """All findings about the benchmarks: `name`, the bin ids, CLs, upper limit, then anything numeric."""
    header = ["name", *manifest.bin_ids, "cls_observed", "upper_limit_observed"]
    return _check(data, source, header, exact=False)


def _check(data: bytes, source: str, header: Sequence[str], *, exact: bool) -> tuple[Finding, ...]:
    if len(data) > _MAX_BYTES:
        return (finding("LLB-P008", pointer=source, expected=f"at most {_MAX_BYTES} bytes"),)
    if data.startswith(b"\xef\xbb\xbf"):
        return (finding("LLB-P002", pointer=source),)
    try:
        text = data.decode("utf-8")
        if _BARE_CR.search(text):
            return (finding("LLB-P010", f"{source} has lines that end in CR alone", pointer=source),)
        # Row by row: a list of all would take a hundred times the memory of a file with empty lines.
        rows = csv.reader(io.StringIO(text, newline=""), strict=True)
        names = next(rows, [])
        if names[: len(header)] != header or (exact and len(names) != len(header)):
            actual = ",".join(names)[:200]
            return (finding("LLB-M026", pointer=source, expected=",".join(header)[:200], actual=actual),)
        return tuple(_bounded(_rows(rows, names, source)))
    except (UnicodeDecodeError, csv.Error) as error:
        return (finding("LLB-P010", f"{source} is not CSV: {error}", pointer=source),)


def _bounded(findings: Iterator[Finding]) -> Iterator[Finding]:
    for count, item in enumerate(findings):
        if count == _MAX_FINDINGS:
            yield finding("LLB-S016", "more rows of the table cannot be used", pointer=item.pointer)
            return
        yield item


def _rows(rows: Iterable[Sequence[str]], names: Sequence[str], source: str) -> Iterator[Finding]:
    line = 1
    for line, row in enumerate(rows, start=2):
        place = f"{source}:{line}"
        if len(row) != len(names):
            yield finding("LLB-M027", pointer=place, expected=f"{len(names)} fields", actual=f"{len(row)}")
            continue
        wrong = [
            f"{name}={cell[:40]}"
            for cell, name in zip(row[1:], names[1:], strict=True)
            if not _is_number(cell)
        ]
        if wrong:
            yield finding("LLB-M027", pointer=place, expected="finite numbers as in JSON", actual=wrong[0])
    if line == 1:
        yield finding("LLB-M027", f"{source} has no rows", pointer=source)


def _is_number(cell: str) -> bool:
    # `float` alone takes nan, 1_000, digits of other scripts and spaces, over which readers would differ.
    return _NUMBER.fullmatch(cell) is not None and math.isfinite(float(cell))
