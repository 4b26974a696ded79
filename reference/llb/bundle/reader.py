"""Opening a bundle: container, manifest, closed list; the files themselves are read and checked on demand."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Generic, TypeVar

from llb.bundle.archive import Container, open_container
from llb.bundle.density import DENSITY_FAMILIES, DensityManifest
from llb.bundle.density_rules import check_density_rules
from llb.bundle.head import ManifestHead
from llb.bundle.manifest import Manifest
from llb.bundle.rules import check_rules
from llb.bundle.strict_json import parse_json
from llb_schema import Finding, FindingError, finding, has_errors, validate_document

__all__ = [
    "MANIFEST",
    "AnyBundle",
    "Bundle",
    "DensityBundle",
    "OpenBundle",
    "as_profile_likelihood",
    "check_closed_list",
    "check_manifest",
    "checked_bundle",
    "read_any_bundle",
    "read_bundle",
    "read_density_bundle",
    "read_raw_manifest",
]

MANIFEST = "manifest.json"
_MAX_MANIFEST_BYTES = 4 * 2**20


_Manifest = TypeVar("_Manifest", bound=ManifestHead, covariant=True)


@dataclass(frozen=True)
class OpenBundle(Generic[_Manifest]):
    """A bundle of any family whose manifest has been checked.

    Attributes:
        manifest: the manifest as typed data.
        raw: the manifest as the JSON object that was read; not to be changed.
        container: where the files are.
        warnings: findings about the manifest that do not make it unusable.
    """

    manifest: _Manifest
    raw: Mapping[str, Any]
    container: Container
    warnings: tuple[Finding, ...] = ()

    @property
    def location(self) -> Path:
        """The directory or archive that was opened."""
        return self.container.location

    def digest(self, path: str) -> str:
        """The SHA-256 that the manifest states for a listed file; KeyError if it is not listed."""
        entry = self.manifest.file(path)
        if entry is None:
            raise KeyError(path)
        return entry.sha256

    def read(self, path: str) -> bytes:
        """The bytes of a listed file, checked against the manifest's size and digest.

        Raises:
            KeyError: the file is not listed.
            FindingError: `LLB-I...`, it is missing or was changed; `LLB-X003`, it cannot be read.
        """
        entry = self.manifest.file(path)
        if entry is None:
            raise KeyError(path)
        if path not in self.container.sizes:
            raise FindingError(finding("LLB-I003", f"{path} is listed but missing", pointer=path))
        data = self.container.read(path)
        if len(data) != entry.bytes:
            raise FindingError(_size_finding(path, entry.bytes, len(data)))
        digest = hashlib.sha256(data).hexdigest()
        if digest != entry.sha256:
            message = f"the digest of {path} differs from the manifest"
            raise FindingError(
                finding("LLB-I001", message, pointer=path, expected=entry.sha256, actual=digest)
            )
        return data


class Bundle(OpenBundle[Manifest]):
    """A bundle of the family `profile_likelihood`."""


class DensityBundle(OpenBundle[DensityManifest]):
    """A bundle of a family of densities."""


AnyBundle = OpenBundle[ManifestHead]
"""A bundle of which only the part is asked for that all families have."""


def read_bundle(source: str | Path | Container) -> Bundle:
    """Opens the bundle of a profile likelihood: a directory, a zip or a tar.gz by its path, or a container.

    Container, manifest (schema and meaning) and the closed list of files are checked here; the digest of
    a file when it is read.

    Raises:
        FindingError: every finding of the first stage that has an error; `LLB-X004`, it holds a density.
    """
    return as_profile_likelihood(read_any_bundle(source))


def as_profile_likelihood(bundle: AnyBundle) -> Bundle:
    """The same bundle.

    Raises:
        FindingError: `LLB-X004`, it is of another family.
    """
    if isinstance(bundle, Bundle):
        return bundle
    raise FindingError(_other_family(bundle, "profile_likelihood", "`llb show` says what it holds."))


def read_density_bundle(source: str | Path | Container) -> DensityBundle:
    """Opens the bundle of a density, like `read_bundle`.

    Raises:
        FindingError: every finding of the first stage that has an error; `LLB-X004`, it holds no density.
    """
    bundle = read_any_bundle(source)
    if not isinstance(bundle, DensityBundle):
        hint = "Profile likelihoods take signals: `llb eval --signal`, `llb limit`."
        raise FindingError(_other_family(bundle, " or ".join(DENSITY_FAMILIES), hint))
    return bundle


def read_any_bundle(source: str | Path | Container) -> Bundle | DensityBundle:
    """Opens a bundle of any family, like `read_bundle`.

    Raises:
        FindingError: every finding of the first stage that has an error.
    """
    container = source if isinstance(source, Container) else open_container(Path(source))
    raw = read_raw_manifest(container)
    findings = check_manifest(raw)
    if has_errors(findings):
        raise FindingError(findings)
    bundle = checked_bundle(raw, container, findings)
    closed = check_closed_list(bundle)
    if closed:
        raise FindingError(closed)
    return bundle


def checked_bundle(
    raw: Mapping[str, Any], container: Container, warnings: tuple[Finding, ...] = ()
) -> Bundle | DensityBundle:
    """The bundle of a manifest in which `check_manifest` has found no error, by its family."""
    if raw["family"] in DENSITY_FAMILIES:
        return DensityBundle(DensityManifest.from_json(raw), raw, container, warnings)
    return Bundle(Manifest.from_json(raw), raw, container, warnings)


def _other_family(bundle: AnyBundle, wanted: str, hint: str) -> Finding:
    family = bundle.manifest.family
    message = f"{bundle.location} holds a function of the family {family}"
    return finding("LLB-X004", message, pointer="/family", expected=wanted, actual=family, hint=hint)


def read_raw_manifest(container: Container) -> Any:
    """The manifest as a JSON value.

    Raises:
        FindingError: `LLB-A010`, there is none; `LLB-P...`, it is not strict JSON.
    """
    if MANIFEST not in container.sizes:
        raise FindingError(finding("LLB-A010", f"{container.location} has no {MANIFEST} at its root"))
    return parse_json(container.read(MANIFEST), MANIFEST, max_bytes=_MAX_MANIFEST_BYTES)


def check_manifest(raw: Any) -> tuple[Finding, ...]:
    """All findings about a manifest by itself: its schema, and if that is kept, its meaning."""
    findings = validate_document(raw, "manifest")
    if has_errors(findings):
        return findings
    if raw["family"] in DENSITY_FAMILIES:
        return (*findings, *check_density_rules(DensityManifest.from_json(raw)))
    return (*findings, *check_rules(Manifest.from_json(raw)))


def check_closed_list(bundle: AnyBundle) -> tuple[Finding, ...]:
    """Findings about files that are missing, not listed, or of another size, sorted; reads no file."""
    listed = {entry.path: entry for entry in bundle.manifest.files}
    present = bundle.container.sizes
    findings = [
        finding("LLB-I003", f"{path} is listed but missing", pointer=path)
        for path in sorted(listed.keys() - present)
    ]
    findings += [
        finding("LLB-I004", f"{path} is not listed in the manifest", pointer=path)
        for path in sorted(present.keys() - listed.keys() - {MANIFEST})
    ]
    findings += [
        _size_finding(path, listed[path].bytes, present[path])
        for path in sorted(listed.keys() & present.keys())
        if listed[path].bytes != present[path]
    ]
    return tuple(sorted(findings, key=lambda item: (item.code, item.pointer)))


def _size_finding(path: str, expected: int, actual: int) -> Finding:
    message = f"the size of {path} differs from the manifest"
    return finding("LLB-I002", message, pointer=path, expected=f"{expected} bytes", actual=f"{actual} bytes")
