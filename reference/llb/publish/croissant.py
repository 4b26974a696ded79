"""The Croissant export of a bundle: its tables of truth, for tools to load (JSON-LD, Croissant 1.0)."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from typing import Any

from llb.bundle import AnyBundle, FileEntry, ManifestHead
from llb.publish.archive import ResourceArchive
from llb.publish.deposition import KEYWORDS
from llb.publish.licences import license_page
from llb.publish.linked import creators, identifier
from llb.publish.relations import address

__all__ = ["croissant_document"]

_CONFORMS_TO = "http://mlcommons.org/croissant/1.0"
_ARCHIVE = "archive"
_LABELS = frozenset({"name"})
# Terms of Croissant that are names only, and those with a type; the rest is schema.org's.
_PLAIN = (
    "citeAs column equivalentProperty extract field fileProperty fileObject fileSet format includes "
    "isLiveDataset jsonPath key md5 parentField path recordSet references regex repeated replace "
    "samplingRate separator source subField transform"
)


def croissant_document(
    bundle: AnyBundle, archive: ResourceArchive, content: str, doi: str | None
) -> dict[str, Any]:
    """The document.

    Args:
        bundle: whose tables are described.
        archive: the file that they are in, which lies beside the document.
        content: the bundle's content id.
        doi: of the record, where it is reserved already.

    Raises:
        FindingError: a table is not what the manifest says.
    """
    manifest = bundle.manifest
    tables = {role: manifest.file(path) for role, path in manifest.evidence.tables.items()}
    described = {role: entry for role, entry in tables.items() if entry is not None}
    return {
        "@context": _context(),
        "@type": "sc:Dataset",
        "@id": identifier(manifest, content, doi),
        "conformsTo": _CONFORMS_TO,
        "name": manifest.id,
        "description": f"{manifest.title}. {manifest.evidence.method}",
        "url": _url(manifest, content, doi),
        "creator": creators(manifest),
        "datePublished": manifest.created[:10],
        "version": manifest.version,
        "license": license_page(manifest.license),
        "keywords": [*KEYWORDS, manifest.analysis.name],
        "citeAs": _cite_as(manifest, content, doi),
        "distribution": [
            {
                "@type": "cr:FileObject",
                "@id": _ARCHIVE,
                "name": archive.name,
                "contentUrl": archive.name,
                "contentSize": f"{len(archive.data)} B",
                "encodingFormat": "application/x-tar",
                "sha256": archive.sha256,
            },
            *(_file(role, entry, archive) for role, entry in described.items()),
        ],
        "recordSet": [_records(bundle, role, entry) for role, entry in described.items()],
    }


def _context() -> dict[str, Any]:
    return {
        "@language": "en",
        "@vocab": "https://schema.org/",
        "sc": "https://schema.org/",
        "cr": "http://mlcommons.org/croissant/",
        "rai": "http://mlcommons.org/croissant/RAI/",
        "dct": "http://purl.org/dc/terms/",
        "conformsTo": "dct:conformsTo",
        "data": {"@id": "cr:data", "@type": "@json"},
        "dataType": {"@id": "cr:dataType", "@type": "@vocab"},
        "examples": {"@id": "cr:examples", "@type": "@json"},
        **{term: f"cr:{term}" for term in _PLAIN.split()},
    }


def _url(manifest: ManifestHead, content: str, doi: str | None) -> str:
    """The page of the record; before there is a DOI, that of the first reference, or its name."""
    if doi is None and manifest.references:
        return address(manifest.references[0])
    return identifier(manifest, content, doi)


def _cite_as(manifest: ManifestHead, content: str, doi: str | None) -> str:
    people = ", ".join(author.name for author in manifest.authors)
    where = identifier(manifest, content, doi)
    return f"{people}: {manifest.title}, version {manifest.version} ({manifest.created[:4]}), {where}"


def _file(role: str, entry: FileEntry, archive: ResourceArchive) -> dict[str, Any]:
    return {
        "@type": "cr:FileObject",
        "@id": f"{role}-file",
        "name": entry.path,
        "containedIn": {"@id": _ARCHIVE},
        "contentUrl": f"{archive.folder}/{entry.path}",
        "encodingFormat": entry.media_type,
        "sha256": entry.sha256,
    }


def _records(bundle: AnyBundle, role: str, entry: FileEntry) -> dict[str, Any]:
    return {"@type": "cr:RecordSet", "@id": role, "name": role, "field": list(_fields(bundle, role, entry))}


def _fields(bundle: AnyBundle, role: str, entry: FileEntry) -> Iterator[dict[str, Any]]:
    """One field a column, in the order of the file."""
    text = bundle.read(entry.path).decode("utf-8", "replace")
    header = next(csv.reader(io.StringIO(text, newline="")), [])
    for number, column in enumerate(header):
        yield {
            "@type": "cr:Field",
            "@id": f"{role}/{number}",
            "name": column,
            "dataType": "sc:Text" if column in _LABELS else "sc:Float",
            "source": {"fileObject": {"@id": f"{role}-file"}, "extract": {"column": column}},
        }
