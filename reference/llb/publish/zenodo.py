"""A bundle to a Zenodo deposition: its metadata, and the files to upload."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from llb.bundle import AnyBundle, content_id, dump_document, file_digests
from llb.bundle.card import license_notice, model_card
from llb.publish.archive import resource_archive
from llb.publish.citation import citation_file
from llb.publish.croissant import croissant_document
from llb.publish.deposition import check_license, deposition
from llb.publish.fair4ml import fair4ml_document
from llb.publish.publication import OnStage, Publication, built_beside, checked, no_progress, outcome
from llb_schema import has_errors

__all__ = ["FILES", "METADATA", "publish_zenodo"]

METADATA, FILES = "deposition.json", "files"


def publish_zenodo(
    source: Path,
    out: Path,
    *,
    doi: str | None = None,
    identical: Sequence[str] = (),
    communities: Sequence[str] = (),
    on_stage: OnStage = no_progress,
) -> Publication:
    """Writes a folder with `deposition.json` and what to upload in `files/`.

    The same bundle gives the same bytes. Nothing is written if a finding is an error.

    Args:
        source: the bundle; it has to be valid to level 5.
        out: the folder to be made; what is there already is never touched.
        doi: of the record, where it is reserved already.
        identical: DOIs of the same archive on other records, e.g. a resource of HEPData.
        communities: identifiers of Zenodo communities.
        on_stage: takes the name of a stage when it begins.

    Raises:
        FindingError: the bundle cannot be read; `LLB-X002` or `LLB-X003`, `out` cannot be written.
    """
    with built_beside(out) as new:
        on_stage("Checking the bundle")
        (bundle,), findings = checked([source])
        findings = (*findings, *check_license(bundle.manifest))
        if not has_errors(findings):
            on_stage("Writing the deposition")
            _write(bundle, new, doi, identical, communities)
        return outcome(out, new, findings)


def _write(
    bundle: AnyBundle, new: Path, doi: str | None, identical: Sequence[str], communities: Sequence[str]
) -> None:
    manifest = bundle.manifest
    archive, content = resource_archive(bundle), content_id(file_digests(bundle.container))
    metadata = deposition(manifest, archive, identical=identical, communities=communities)
    files = {
        archive.name: archive.data,
        "CITATION.cff": citation_file(manifest, doi).encode(),
        "LICENSE": _of_role(bundle, "license") or license_notice(bundle.raw).encode(),
        "README.md": _of_role(bundle, "card") or model_card(bundle.raw).encode(),
        "croissant.json": dump_document(croissant_document(bundle, archive, content, doi)),
        "fair4ml.json": dump_document(fair4ml_document(manifest, content, doi)),
    }
    (new / METADATA).write_bytes(dump_document(metadata))
    (new / FILES).mkdir()
    for name, data in files.items():
        (new / FILES / name).write_bytes(data)


def _of_role(bundle: AnyBundle, role: str) -> bytes | None:
    """The bundle's own file of a role, if it has one."""
    entry = next((item for item in bundle.manifest.files if item.role == role), None)
    return None if entry is None else bundle.read(entry.path)
