"""A bundle of an older format version, written anew in the current one (VERSION-9)."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from llb.bundle.card import license_notice, model_card
from llb.bundle.reader import AnyBundle
from llb.bundle.strict_json import parse_json
from llb.bundle.writer import BundleFile, check_apart, dump_document, write_bundle
from llb_schema import FindingError, has_errors, migrate, validate_document

__all__ = ["is_current", "upgrade_bundle"]

_PAGES: Mapping[str, Callable[[Mapping[str, Any]], str]] = {"card": model_card, "license": license_notice}
_VERSION = re.compile(r"([0-9]+)\.([0-9]+)\.([0-9]+)")


def is_current(bundle: AnyBundle) -> bool:
    """Whether manifest and test vectors are of the format that this software writes, or of a newer minor."""
    pairs = ((bundle.raw, "manifest"), (_vectors(bundle), "vectors"))
    return all(migrate(document, kind) is document for document, kind in pairs)


def upgrade_bundle(bundle: AnyBundle, target: str | Path, *, overwrite: bool = False) -> Path:
    """Writes the same content in the current format version, as a new bundle.

    Manifest and test vectors are migrated. Model card and licence notice name the version, so they are
    written anew where they are ours. Every other file stays as it is, byte by byte. The version of the bundle
    goes up by a patch, and `supersedes` names the old one.

    Args:
        bundle: the old bundle; it is left as it is.
        target: path of the new one, a directory or archive by its suffix as in `write_bundle`.
        overwrite: whether a bundle at the target may be replaced.

    Returns:
        The target.

    Raises:
        FindingError: `LLB-A013`, source and target are not apart; `LLB-I...`, a file is not what the manifest
            says; `LLB-S...`, the test vectors are not valid, or there are keys of a version after the old one
            which nobody here can carry over; and as `write_bundle`.
    """
    check_apart(bundle, Path(target))
    manifest = {
        **migrate(bundle.raw, "manifest"),
        "version": _next(bundle.manifest.version),
        "supersedes": f"{bundle.manifest.id}@{bundle.manifest.version}",
    }
    files = {
        entry.path: BundleFile(bundle.read(entry.path), entry.role, entry.media_type)
        for entry in bundle.manifest.files
    }
    vectors = bundle.manifest.evidence.vectors
    files[vectors] = replace(files[vectors], data=dump_document(_migrated_vectors(bundle)))
    for path, file in files.items():
        if file.role in _PAGES:
            files[path] = replace(file, data=_rewritten(file, bundle.raw, manifest))
    return write_bundle(target, manifest, files, overwrite=overwrite)


def _vectors(bundle: AnyBundle) -> Any:
    """The test vectors as a JSON value that is valid in its own version."""
    path = bundle.manifest.evidence.vectors
    raw = parse_json(bundle.read(path), path)
    findings = validate_document(raw, "vectors")
    if has_errors(findings):
        raise FindingError(findings)
    return raw


def _migrated_vectors(bundle: AnyBundle) -> Mapping[str, Any]:
    document = migrate(_vectors(bundle), "vectors")
    findings = validate_document(document, "vectors")
    if has_errors(findings):
        raise FindingError(findings)
    return document


def _rewritten(file: BundleFile, old: Mapping[str, Any], new: Mapping[str, Any]) -> bytes:
    """The page of the new bundle, if the old one has the first lines that the software gives it."""
    page = _PAGES[file.role]
    opening = page(old).encode().splitlines(keepends=True)[:3]
    return page(new).encode() if file.data.startswith(b"".join(opening)) else file.data


def _next(version: str) -> str:
    """A later version by a patch, whatever pre-release it was."""
    found = _VERSION.match(version)
    if found is None:
        raise ValueError(version)
    return f"{found[1]}.{found[2]}.{int(found[3]) + 1}"
