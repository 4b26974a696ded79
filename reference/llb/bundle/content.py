"""The content id of a bundle: what is in it, whatever form it has (CONTAINER-9)."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping

from llb.bundle.archive import Container

__all__ = ["content_id", "file_digests"]


def content_id(digests: Mapping[str, str]) -> str:
    """SHA-256 over paths and digests of all files, the manifest included, in hexadecimal digits.

    The text that is hashed is what `sha256sum` prints for the files in the order of their paths.

    Args:
        digests: SHA-256 by path, as `file_digests` gives it.
    """
    lines = "".join(f"{digests[path]}  {path}\n" for path in sorted(digests))
    return hashlib.sha256(lines.encode("ascii")).hexdigest()


def file_digests(container: Container) -> dict[str, str]:
    """SHA-256 by path of all files as they are, the manifest included.

    Raises:
        FindingError: `LLB-X003` or `LLB-A008`, a file cannot be read or has grown.
    """
    return {path: hashlib.sha256(container.read(path)).hexdigest() for path in container.sizes}
