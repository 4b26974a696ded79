"""A bundle as the one file that archives take: a tar.gz with a single folder in it.

Records of archives have no folders and programs that fetch from them unpack into one place, so the bundle
brings its own folder along: unpacked, `<name>.llb` is the bundle.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

from llb.bundle import AnyBundle, pack
from llb.bundle.reader import MANIFEST

__all__ = ["ResourceArchive", "resource_archive"]


@dataclass(frozen=True)
class ResourceArchive:
    """A file to be uploaded.

    Attributes:
        name: `<name>-<version>.tar.gz`.
        folder: the folder in it, `<name>.llb`.
        data: its bytes, the same for the same bundle.
    """

    name: str
    folder: str
    data: bytes

    @property
    def sha256(self) -> str:
        """SHA-256 of the bytes, in hexadecimal digits."""
        return hashlib.sha256(self.data).hexdigest()


def resource_archive(bundle: AnyBundle, name: str | None = None) -> ResourceArchive:
    """The archive of a bundle, under its id or another name.

    Raises:
        FindingError: `LLB-I...`, a file is not what the manifest says; `LLB-X003`, it cannot be read.
    """
    manifest = bundle.manifest
    stem = name or manifest.id
    contents = {entry.path: bundle.read(entry.path) for entry in manifest.files}
    contents[MANIFEST] = bundle.container.read(MANIFEST)
    folder = f"{stem}.llb"
    packed = pack({f"{folder}/{path}": data for path, data in contents.items()}, "tar")
    return ResourceArchive(f"{stem}-{manifest.version}.tar.gz", folder, packed)
