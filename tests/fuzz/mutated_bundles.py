"""Hostile changes to whole bundles, in whose sizes and digests the manifest mostly agrees."""

from __future__ import annotations

import hashlib
import io
import json
import zipfile
from collections.abc import Callable
from random import Random

from mutated_documents import mutate_bytes, mutate_document, mutate_table
from mutated_graphs import mutate_graph

__all__ = ["mutate_bundle", "plain_zip", "reseal", "unzipped"]

MANIFEST = "manifest.json"


def mutate_bundle(files: dict[str, bytes], random: Random) -> dict[str, bytes]:
    """Other files of a bundle, in whose sizes and digests the manifest mostly agrees."""
    changed = dict(files)
    for _ in range(random.randint(1, 2)):
        path = random.choice(sorted(changed))
        match random.randrange(12):
            case 0:
                del changed[path]
                changed = changed or {MANIFEST: b"{}"}
            case 1:
                changed[path + random.choice((".", "/x", "~", " ", "\u0301"))] = changed[path]
            case _:
                changed[path] = _mutator(path)(changed[path], random)
        if path != MANIFEST or random.random() < 0.5:
            changed = reseal(changed) if random.random() < 0.95 else changed
    return changed


def reseal(files: dict[str, bytes]) -> dict[str, bytes]:
    """The same files, with sizes and digests in the manifest brought up to date as far as it has them."""
    try:
        manifest = json.loads(files[MANIFEST])
        for entry in manifest["files"]:
            data = files[entry["path"]]
            entry.update(bytes=len(data), sha256=hashlib.sha256(data).hexdigest())
        return {**files, MANIFEST: json.dumps(manifest).encode()}
    # A manifest that was changed before may be anything.
    except (ValueError, LookupError, TypeError, AttributeError, RecursionError):
        return files


def plain_zip(files: dict[str, bytes]) -> bytes:
    """The files as a zip without compression, so that every byte of them stands in it."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for path, data in sorted(files.items()):
            archive.writestr(zipfile.ZipInfo(path), data)
    return buffer.getvalue()


def unzipped(data: bytes) -> dict[str, bytes]:
    """What `plain_zip` was given.

    Raises:
        Exception: it is no such zip.
    """
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        return {info.filename: archive.read(info) for info in archive.infolist()}


def _mutator(path: str) -> Callable[[bytes, Random], bytes]:
    for suffix, mutate in ((".json", mutate_document), (".csv", mutate_table), (".onnx", mutate_graph)):
        if path.endswith(suffix):
            return mutate
    return mutate_bytes
