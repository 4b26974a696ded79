"""The command `llb diff`: what differs between two bundles."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from llb.cli.failure import EXIT_OK, printable
from llb.cli.given import FORMAT, PATH
from llb_schema import number_to_json

if TYPE_CHECKING:
    from llb.bundle import AnyBundle, BundleDifference, FileEntry
    from llb.validation.apart import Distance

__all__ = ["diff_command"]

_EXIT_DIFFERENT = 1
# Characters of a value that are shown; JSON has all.
_SHOWN = 60


@click.command("diff", short_help="What differs between two bundles.")
@click.argument("first", metavar="A", type=PATH)
@click.argument("second", metavar="B", type=PATH)
@click.option(
    "--numerics", is_flag=True, help="Compare Delta NLL as well, at the signals of the test vectors of A."
)
@FORMAT
def diff_command(first: Path, second: Path, numerics: bool, output: str) -> int:
    """What differs between two bundles.

    Compares the manifests by value (as JSON pointers, entries of lists by position) and all other files by
    digest. The form does not count: a directory and its archive are the same.

    Exit code 0: the same content id; 1: different; 2: a bundle cannot be read, or its files are not
    those of its manifest, or with --numerics the two do not have the same bins.

    \b
    Example:
        llb diff stau-1.0.llb stau-1.1.llb
        llb diff stau.llb stau.llb.zip --numerics --format json
    """
    from llb.bundle import compare_bundles, read_any_bundle

    bundles = (read_any_bundle(first), read_any_bundle(second))
    found = compare_bundles(*bundles)
    apart = _apart(*bundles) if numerics else None
    if output == "json":
        click.echo(json.dumps(_document(bundles, found, apart), indent=2, allow_nan=False))
    else:
        for line in _lines(bundles, found, apart):
            click.echo(printable(line))
    return EXIT_OK if found.same else _EXIT_DIFFERENT


def _apart(first: AnyBundle, second: AnyBundle) -> Distance:
    from llb.bundle import as_profile_likelihood
    from llb.runtime import load
    from llb.validation.apart import distance

    return distance(load(as_profile_likelihood(first)), load(as_profile_likelihood(second)))


def _document(
    bundles: tuple[AnyBundle, AnyBundle], found: BundleDifference, apart: Distance | None
) -> dict[str, Any]:
    document: dict[str, Any] = {
        "same": found.same,
        "bundles": [
            {
                "path": str(bundle.location),
                "id": bundle.manifest.id,
                "version": bundle.manifest.version,
                "content_id": content_id,
            }
            for bundle, content_id in zip(bundles, found.content_ids, strict=True)
        ],
        "manifest": [item.to_json() for item in found.values],
        "files": [item.to_json() for item in found.files],
    }
    if apart is not None:
        document["numerics"] = {
            "cases": apart.cases,
            "outside": apart.outside,
            "curves": [{key: _plain(value) for key, value in asdict(item).items()} for item in apart.curves],
        }
    return document


def _lines(
    bundles: tuple[AnyBundle, AnyBundle], found: BundleDifference, apart: Distance | None
) -> Iterator[str]:
    for letter, bundle, content_id in zip("AB", bundles, found.content_ids, strict=True):
        manifest = bundle.manifest
        yield f"{letter}  {manifest.id}@{manifest.version}  {content_id}  {bundle.location}"
    for change in found.values:
        values = {"removed": (change.first,), "added": (change.second,)}
        shown = " -> ".join(_short(item) for item in values.get(change.kind, (change.first, change.second)))
        yield f"manifest  {change.kind:<7}  {change.pointer}: {shown}"
    for change in found.files:
        shown = " -> ".join(_entry(item) for item in (change.first, change.second) if item is not None)
        yield f"file      {change.kind:<7}  {change.path}: {shown}"
    if apart is not None:
        yield from _distances(apart)
    if found.same:
        yield "The bundles are the same."
    elif found.values or found.files:
        yield f"The bundles differ. Values of the manifest: {len(found.values)}; files: {len(found.files)}."
    else:
        yield "The bundles differ. Both manifest.json have the same values, written differently."


def _distances(apart: Distance) -> Iterator[str]:
    where = f"{apart.cases} test vectors of A"
    if apart.outside:
        where += f", {apart.outside} of them outside the domain of B"
    yield f"largest difference of Delta NLL at the {where}:"
    for item in apart.curves:
        values = f"{item.first:.6g} -> {item.second:.6g}"
        yield f"          {item.curve:<15}  {item.largest:.2g} at {item.case}: {values}"


def _short(value: object) -> str:
    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) <= _SHOWN else text[: _SHOWN - 3] + "..."


def _entry(entry: FileEntry) -> str:
    return f"{entry.role}, {entry.media_type}, {entry.bytes} bytes, {entry.sha256[:12]}"


def _plain(value: str | float) -> str | float | None:
    return number_to_json(value) if isinstance(value, float) else value
