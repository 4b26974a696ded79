"""Writing a bundle: whole or not at all, and never over something that is not a bundle.

The new bundle is built in a hidden folder beside the target and renamed into place. An existing bundle is
first renamed aside and comes back if anything goes wrong, an interruption included.
"""

from __future__ import annotations

import hashlib
import json
import shutil
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from os.path import realpath
from pathlib import Path
from typing import Any

from llb.bundle.archive import open_container
from llb.bundle.card import license_notice, model_card
from llb.bundle.file_writing import check_folder
from llb.bundle.packing import archive_kind, pack
from llb.bundle.reader import MANIFEST, AnyBundle, check_manifest, read_raw_manifest
from llb.bundle.strict_json import parse_json
from llb_schema import FindingError, finding, has_errors, load_schema

__all__ = [
    "BundleFile",
    "check_apart",
    "check_target",
    "copy_bundle",
    "dump_document",
    "dump_numbers",
    "write_bundle",
    "write_files",
]


@dataclass(frozen=True)
class BundleFile:
    """A file to be written: its bytes, its role in the manifest and its media type."""

    data: bytes
    role: str
    media_type: str


def write_bundle(
    target: str | Path,
    manifest: Mapping[str, Any],
    files: Mapping[str, BundleFile],
    *,
    overwrite: bool = False,
) -> Path:
    """Writes a bundle as a directory, or as an archive if the target ends in .zip, .tar.gz or .tgz.

    A model card and a licence notice are added unless `files` brings a file of that role. An interruption
    or an error leaves what was at the target before, and nothing else.

    Args:
        target: path of the bundle; its folder has to exist.
        manifest: the manifest without `files`, which is filled in here.
        files: all other files by path.
        overwrite: whether a bundle at the target may be replaced.

    Returns:
        The target.

    Raises:
        FindingError: `LLB-X002`, the target exists; `LLB-A012`, it is not a bundle; `LLB-P...`,
            `LLB-S...`, `LLB-M...`, the manifest is not valid; `LLB-X003`, the disk refuses; `LLB-A...`, the
            archive would be one that no reader takes.
    """
    path = Path(target)
    check_target(path, overwrite=overwrite)
    write_files(path, _assemble(manifest, files))
    return path


def copy_bundle(bundle: AnyBundle, target: str | Path, *, overwrite: bool = False) -> Path:
    """Writes the same files, byte by byte, as a directory or archive, by the suffix as in `write_bundle`.

    The form of the source leaves no trace: the same files give the same archive. An interruption or an error
    leaves what was at the target before, and nothing else.

    Args:
        bundle: the source.
        target: path of the copy, neither that of the source nor inside or around it; its folder has to exist.
        overwrite: whether a bundle at the target may be replaced.

    Returns:
        The target.

    Raises:
        FindingError: `LLB-A013`, source and target are not apart; `LLB-I...`, a file is not what the manifest
            says; and as `write_bundle`.
    """
    path = Path(target)
    check_apart(bundle, path)
    check_target(path, overwrite=overwrite)
    contents = {entry.path: bundle.read(entry.path) for entry in bundle.manifest.files}
    write_files(path, {**contents, MANIFEST: bundle.container.read(MANIFEST)})
    return path


def check_apart(bundle: AnyBundle, path: Path) -> None:
    """Make sure that writing to a path does not touch the bundle that is read from.

    Raises:
        FindingError: `LLB-A013`, the path is, holds or lies in the bundle.
    """
    # Not Path.resolve, which before Python 3.13 raises for links in a circle.
    source, there = Path(realpath(bundle.location)), Path(realpath(path))
    if source == there or source in there.parents or there in source.parents:
        message = f"{path} is, holds or lies in the bundle {bundle.location}"
        raise FindingError(finding("LLB-A013", message, pointer=str(path)))


def check_target(path: Path, *, overwrite: bool) -> None:
    """Make sure that a bundle may be written there; worth asking before hours of work, too.

    Raises:
        FindingError: `LLB-X002`, the target exists; `LLB-A012`, it is not a bundle; `LLB-X003`, there is no
            folder to write it to.
    """
    check_folder(path)
    if not path.exists() and not path.is_symlink():
        return
    if not overwrite:
        raise FindingError(finding("LLB-X002", f"{path} exists already", pointer=str(path)))
    if path.is_symlink() or not _is_replaceable(path):
        message = f"{path} is not a bundle, so it is not replaced"
        raise FindingError(finding("LLB-A012", message, pointer=str(path)))


def _is_replaceable(path: Path) -> bool:
    """Whether there is a bundle, valid or not, or an empty folder."""
    if path.is_dir() and not any(path.iterdir()):
        return True
    try:
        raw = read_raw_manifest(open_container(path))
    except FindingError:
        return False
    return isinstance(raw, dict) and raw.get("format") == "llb"


def _assemble(manifest: Mapping[str, Any], files: Mapping[str, BundleFile]) -> dict[str, bytes]:
    """All files of the bundle by path, manifest included, once the manifest has passed every check."""
    document = _document(manifest, files)
    findings = check_manifest(document)
    if has_errors(findings):
        raise FindingError(findings)
    complete = dict(files)
    roles = {item.role for item in files.values()}
    if "card" not in roles:
        complete.setdefault("README.md", BundleFile(model_card(document).encode(), "card", "text/markdown"))
    if "license" not in roles:
        complete.setdefault("LICENSE", BundleFile(license_notice(document).encode(), "license", "text/plain"))
    contents = {path: item.data for path, item in complete.items()}
    return {**contents, MANIFEST: dump_document(_document(manifest, complete))}


def _document(manifest: Mapping[str, Any], files: Mapping[str, BundleFile]) -> Any:
    """The manifest with its closed list, keys in reading order, as a strict reader will see it."""
    entries = [
        {
            "path": path,
            "bytes": len(files[path].data),
            "sha256": hashlib.sha256(files[path].data).hexdigest(),
            "media_type": files[path].media_type,
            "role": files[path].role,
        }
        for path in sorted(files)
    ]
    whole = {**manifest, "files": entries}
    order = [key for key in load_schema("manifest")["properties"] if key in whole]
    ordered = {key: whole[key] for key in [*order, *(key for key in whole if key not in order)]}
    return parse_json(dump_document(ordered), MANIFEST)


def dump_document(document: Any) -> bytes:
    """A JSON document as it is written into bundles."""
    # NaN and lone surrogates pass here and are reported by the strict parser.
    text = json.dumps(document, indent=2, ensure_ascii=False) + "\n"
    return text.encode("utf-8", "surrogatepass")


def dump_numbers(document: Any) -> bytes:
    """A JSON document of many numbers, such as test vectors, as a maker writes it into a bundle.

    Raises:
        ValueError: a number is not finite.
    """
    return (json.dumps(document, indent=1, ensure_ascii=False, allow_nan=False) + "\n").encode()


def write_files(path: Path, contents: Mapping[str, bytes]) -> None:
    """Writes files by path, as a folder or archive like `write_bundle`; what is at the target is replaced.

    Raises:
        FindingError: `LLB-X003`, the disk refuses; `LLB-A...`, the archive would be one that no reader takes.
    """
    try:
        _replace(path, contents)
    except OSError as error:
        message = f"{path} cannot be written: {error.strerror or error}"
        raise FindingError(finding("LLB-X003", message, pointer=str(path))) from error


def _replace(target: Path, contents: Mapping[str, bytes]) -> None:
    """Builds the bundle in a hidden folder and renames it to the target, or leaves everything as it was."""
    staging = Path(tempfile.mkdtemp(prefix=f".{target.name}.", dir=target.parent))
    old = staging / "old"
    try:
        new = _build(staging / "new", contents, archive_kind(target))
        if target.is_dir():
            target.rename(old)
        new.replace(target)
    finally:
        # Looks at the disk, not at flags: an interruption may come between a rename and the next line.
        try:
            if old.exists() and not target.exists():
                old.rename(target)
        finally:
            if target.exists() or not old.exists():
                _remove(staging)


def _build(new: Path, contents: Mapping[str, bytes], kind: str | None) -> Path:
    if kind is not None:
        new.write_bytes(pack(contents, kind))
        # Files within the limits may still compress so well that readers take the archive for a bomb.
        open_container(new)
        return new
    new.mkdir()
    for name, data in contents.items():
        file = new / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(data)
    return new


def _remove(folder: Path) -> None:
    try:
        shutil.rmtree(folder)
    except BaseException:
        # An interruption here must not leave the rest behind.
        shutil.rmtree(folder, ignore_errors=True)
        raise
