"""Bundles to a submission for HEPData, new or added to one that is there."""

from __future__ import annotations

import re
import shutil
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from llb.bundle import AnyBundle, Bundle, DensityBundle, ManifestHead, pack
from llb.publish.archive import ResourceArchive, resource_archive
from llb.publish.data_table import DataTable
from llb.publish.density_tables import density_tables
from llb.publish.documents import SUBMISSION
from llb.publish.extension import with_resources
from llb.publish.official import official_findings
from llb.publish.profile_tables import profile_tables
from llb.publish.publication import OnStage, Publication, built_beside, checked, no_progress, outcome
from llb.publish.submission import FIGURE_KINDS, license_entry, write_record, write_tables
from llb.publish.traps import check_names, check_submission, check_upload, submission_files
from llb.publish.wording import Wording
from llb.runtime import load, load_density
from llb_schema import Finding, finding, has_errors

__all__ = ["RESOURCE_TYPE", "UPLOAD", "publish_hepdata"]

RESOURCE_TYPE = "LearnedLikelihoodBundle"
"""The type of a bundle among the resources of a record; HEPData keeps it as it is, without a badge."""

FOLDER, UPLOAD = "submission", "submission.tar.gz"
_RECORD = re.compile(r"(?:10\.17182/hepdata\.)?([1-9][0-9]*)(?:\.v[0-9]+.*)?")


@dataclass(frozen=True)
class _Part:
    """What one bundle brings to a submission."""

    bundle: AnyBundle
    archive: ResourceArchive
    description: str
    tables: tuple[DataTable, ...]

    def resource(self) -> dict[str, Any]:
        """The bundle as a resource of the record."""
        return {
            "description": self.description,
            "location": self.archive.name,
            "type": RESOURCE_TYPE,
            "license": license_entry(self.bundle.manifest.license),
        }

    def files(self) -> Iterator[str]:
        """Names of all files that it brings."""
        yield self.archive.name
        for table in self.tables:
            yield f"{table.stem}.yaml"
            if table.figure is not None:
                yield from (kind.format(table.stem) for kind in FIGURE_KINDS)


def publish_hepdata(
    sources: Sequence[Path],
    out: Path,
    *,
    extend: Path | None = None,
    wording: Wording | None = None,
    on_stage: OnStage = no_progress,
) -> Publication:
    """Writes a folder with `submission/` and, ready for upload, `submission.tar.gz`.

    The same bundles give the same bytes. Nothing is written if a finding is an error.

    Args:
        sources: bundles, at least one; they have to be valid to level 5.
        out: the folder to be made; what is there already is never touched.
        extend: folder of a submission that goes before; it is copied, and stays as it is.
        wording: what no bundle knows.
        on_stage: takes the name of a stage when it begins.

    Raises:
        FindingError: a bundle or the submission cannot be read, `LLB-H011` or `LLB-H013`, the submission
            cannot be added to; `LLB-X002` or `LLB-X003`, `out` cannot be written.
        ValueError: a name or a description for more than one bundle.
    """
    words = wording or Wording()
    if len(sources) != 1 and (words.name or words.description):
        raise ValueError("a name or a description is of one bundle")
    with built_beside(out) as new:
        present = {} if extend is None else submission_files(extend)
        on_stage("Checking the bundles")
        bundles, findings = checked(sources)
        if has_errors(findings):
            return outcome(out, new, findings)
        on_stage("Tables and figures")
        parts = [_part(bundle, words) for bundle in bundles]
        findings = (*findings, *_before(parts, present))
        if has_errors(findings):
            return outcome(out, new, findings)
        on_stage("Writing the submission")
        folder = new / FOLDER
        folder.mkdir()
        if extend is None:
            write_record(folder, _record(parts, words))
        else:
            _copy(extend, folder, present, parts)
        for part in parts:
            (folder / part.archive.name).write_bytes(part.archive.data)
            write_tables(folder, part.tables, words)
        upload = pack({path.name: path.read_bytes() for path in folder.iterdir()}, "tar")
        (new / UPLOAD).write_bytes(upload)
        on_stage("Asking hepdata-validator")
        traps = (*check_submission(folder), *check_upload(upload, UPLOAD))
        return outcome(out, new, (*findings, *traps, *official_findings(new / UPLOAD)))


def _part(bundle: Bundle | DensityBundle, words: Wording) -> _Part:
    manifest = bundle.manifest
    name = words.name or manifest.id
    common = partial(
        DataTable,
        location=f"Learned likelihood bundle {manifest.id} {manifest.version}",
        license=manifest.license,
        sqrt_s=manifest.analysis.sqrt_s,
    )
    if isinstance(bundle, Bundle):
        tables = tuple(profile_tables(load(bundle), name, common, words.points))
    else:
        tables = tuple(density_tables(load_density(bundle), name, common))
    archive = resource_archive(bundle, name)
    description = (
        f"{words.description or manifest.title}. Learned likelihood bundle {manifest.id} {manifest.version}: "
        f"ONNX graph with manifest, test vectors and validation data. Unpack it and "
        f"run: llb validate {archive.folder}"
    )
    return _Part(bundle, archive, description, tables)


def _before(parts: Sequence[_Part], present: Mapping[str, int]) -> Iterator[Finding]:
    """What is wrong before anything is written."""
    yield from check_names([table.name for part in parts for table in part.tables])
    for part in parts:
        yield from check_upload(part.archive.data, part.archive.name)
    names = Counter([*present, *(name for part in parts for name in part.files())])
    for name in sorted(name for name, count in names.items() if count > 1):
        yield finding("LLB-H014", f"{name} would be written over another file", pointer=name)


def _record(parts: Sequence[_Part], words: Wording) -> dict[str, Any]:
    """The document about the record of a new submission."""
    manifests = [part.bundle.manifest for part in parts]
    licenses = {manifest.license for manifest in manifests}
    inspire = _references(manifests, "inspire")
    data = [*_references(manifests, "hepdata"), *_references(manifests, "doi")]
    related = [found[1] for value in data if (found := _RECORD.fullmatch(value))]
    record: dict[str, Any] = {"comment": words.comment or " ".join(f"{item.title}." for item in manifests)}
    if len(licenses) == 1:
        record["data_license"] = license_entry(manifests[0].license)
    if len(inspire) == 1:
        record["record_ids"] = [{"id": int(inspire[0]), "type": "inspire"}]
    if related:
        record["related_to_hepdata_records"] = sorted({int(item) for item in related})
    return record | {"additional_resources": [part.resource() for part in parts]}


def _references(manifests: Sequence[ManifestHead], kind: str) -> list[str]:
    return sorted({item.value for manifest in manifests for item in manifest.references if item.kind == kind})


def _copy(extend: Path, folder: Path, present: Mapping[str, int], parts: Sequence[_Part]) -> None:
    """The files of another submission, with the bundles among the resources of its record."""
    for name in present:
        shutil.copyfile(extend / name, folder / name)
    resources = [part.resource() for part in parts]
    path = folder / SUBMISSION
    path.write_bytes(with_resources(path.read_bytes(), resources, extend / SUBMISSION))
