"""The metadata of a Zenodo deposition."""

from __future__ import annotations

import html
from collections.abc import Sequence
from typing import Any

from llb.bundle import Author, ManifestHead
from llb.publish.archive import ResourceArchive
from llb.publish.licences import single_license
from llb.publish.relations import relations
from llb_schema import Finding, finding

__all__ = ["KEYWORDS", "check_license", "deposition"]

KEYWORDS = (
    "high energy physics",
    "likelihood",
    "reinterpretation",
    "machine learning",
    "ONNX",
    "Learned Likelihood Bundle",
)
"""What every bundle is found by."""


def check_license(manifest: ManifestHead) -> tuple[Finding, ...]:
    """Whether Zenodo, which takes one licence of a list, can state that of a bundle."""
    if single_license(manifest.license):
        return ()
    return (finding("LLB-H201", pointer="/license", actual=manifest.license),)


def deposition(
    manifest: ManifestHead, archive: ResourceArchive, *, identical: Sequence[str], communities: Sequence[str]
) -> dict[str, Any]:
    """The document that Zenodo's deposit API takes.

    Args:
        manifest: of the bundle; its licence is a single one.
        archive: the file that the text speaks of.
        identical: DOIs of the same archive on other records.
        communities: identifiers of Zenodo communities.
    """
    metadata: dict[str, Any] = {
        "title": manifest.title,
        "upload_type": "dataset",
        "publication_date": manifest.created[:10],
        "description": _description(manifest, archive),
        "creators": [_creator(author) for author in manifest.authors],
        "access_right": "open",
        "license": manifest.license.lower(),
        "keywords": [*KEYWORDS, manifest.analysis.name],
        "version": manifest.version,
        "related_identifiers": [item.to_json() for item in relations(manifest, identical)],
    }
    if communities:
        metadata["communities"] = [{"identifier": name} for name in communities]
    return {"metadata": metadata}


def _creator(author: Author) -> dict[str, str]:
    said = {"name": author.name, "affiliation": author.affiliation, "orcid": author.orcid}
    return {key: value for key, value in said.items() if value is not None}


def _description(manifest: ManifestHead, archive: ResourceArchive) -> str:
    """HTML, as Zenodo shows it."""
    what = f"{manifest.title}. Learned from the full statistical model of {manifest.analysis}."
    how = f"tar xf {archive.name} && llb validate {archive.folder}"
    return (
        f"<p>{html.escape(what)}</p><p>A Learned Likelihood Bundle (format "
        f"{html.escape(manifest.format_version)}): ONNX graphs, a manifest that says what their numbers "
        f"mean, test vectors and validation data. Unpack and check it: "
        f"<code>{html.escape(how)}</code></p><p>{html.escape(manifest.evidence.method)}</p>"
    )
