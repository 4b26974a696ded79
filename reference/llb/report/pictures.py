"""The figures that are in a bundle: strangers' images, shown as images and nothing else."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Iterator
from pathlib import PurePosixPath

from llb.bundle import AnyBundle, FileEntry
from llb.report.blocks import Figure
from llb_schema import FindingError, finding

__all__ = ["bundle_figures"]

_BEGINNINGS = {
    "image/png": (b"\x89PNG\r\n\x1a\n",),
    "image/jpeg": (b"\xff\xd8\xff",),
    "image/svg+xml": (b"<?xml", b"<svg", b"<!--"),
}
_MAX_BYTES = 4 * 2**20


def bundle_figures(bundle: AnyBundle) -> Iterator[Figure | FindingError]:
    """Every figure of a bundle in the order of its list, or why it is not shown.

    Browsers run no script of an image and load nothing for it.
    """
    for entry in bundle.manifest.files:
        if entry.role == "figure":
            try:
                yield _figure(bundle, entry)
            except FindingError as error:
                yield error


def _figure(bundle: AnyBundle, entry: FileEntry) -> Figure:
    """One of them.

    Raises:
        FindingError: `LLB-R001`, it is no image that pages show; `LLB-I...`, it was changed.
    """
    beginnings = _BEGINNINGS.get(entry.media_type, ())
    if not beginnings:
        raise _not_shown(entry, expected=", ".join(_BEGINNINGS), actual=entry.media_type)
    if entry.bytes > _MAX_BYTES:
        raise _not_shown(entry, expected=f"at most {_MAX_BYTES} bytes", actual=f"{entry.bytes} bytes")
    data = bundle.read(entry.path)
    if not data.lstrip().startswith(beginnings):
        raise _not_shown(entry, expected=entry.media_type, actual=repr(data[:8]))
    source = f"data:{entry.media_type};base64,{b64encode(data).decode()}"
    words = PurePosixPath(entry.path).stem.replace("_", " ").replace("-", " ")
    return Figure(entry.path, f"Figure of the bundle: {words}", source=source)


def _not_shown(entry: FileEntry, *, expected: str, actual: str) -> FindingError:
    message = f"the figure {entry.path} is not shown"
    return FindingError(finding("LLB-R001", message, pointer=entry.path, expected=expected, actual=actual))
