"""What has arrived, opened: an archive through the reader of hostile ones, or one JSON document."""

from __future__ import annotations

from llb.bundle import Container, Limits, read_archive
from llb.bundle.reader import MANIFEST
from llb.fetch.download import Arrival
from llb_schema import FindingError, finding

__all__ = ["open_bundle_archive", "open_model_files"]

_ARCHIVES = (b"PK\x03\x04", b"PK\x05\x06", b"\x1f\x8b")
# Thousands of signals in one archive, all alike; nothing in it is written under the name that it has there.
_MODEL_LIMITS = Limits(members=20_000, ratio=2000.0, portable=False)
_START = 20


def open_bundle_archive(arrival: Arrival, name: str) -> Container:
    """The files of a bundle; a single folder around all of them, as some archives have, is left out.

    Raises:
        FindingError: `LLB-D018`, it is no archive; `LLB-A...`, the archive is unsafe or damaged.
    """
    container = _archive(arrival, name, Limits())
    tops = {path.partition("/")[0] for path in container.sizes}
    if MANIFEST in container.sizes or len(tops) != 1:
        return container
    (top,) = tops
    contents = {path.removeprefix(f"{top}/"): container.read(path) for path in container.sizes}
    return Container.of(container.location, contents)


def open_model_files(arrival: Arrival, name: str) -> Container:
    """The files of a statistical model: those of an archive, or the one that has arrived.

    Raises:
        FindingError: `LLB-D018`, it is neither an archive nor JSON; `LLB-A...`, the archive is unsafe.
    """
    data = arrival.path.read_bytes()
    if data.lstrip()[:1] in {b"{", b"["}:
        return Container.of(arrival.path, {name if name.lower().endswith(".json") else f"{name}.json": data})
    return _archive(arrival, name, _MODEL_LIMITS)


def _archive(arrival: Arrival, name: str, limits: Limits) -> Container:
    data = arrival.path.read_bytes()
    if not data.startswith(_ARCHIVES):
        actual = repr(data[:_START].decode("latin-1")) if data else "no bytes"
        raise FindingError(finding("LLB-D018", f"{name} is neither a zip nor a tar.gz", actual=actual))
    return read_archive(data, arrival.path, limits)
