"""CITATION.cff: how a bundle is cited."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from llb.bundle import Author, ManifestHead
from llb.publish.deposition import KEYWORDS
from llb.publish.inline_yaml import inline_yaml
from llb.publish.licences import single_license
from llb.publish.relations import address

__all__ = ["citation_file"]


def citation_file(manifest: ManifestHead, doi: str | None) -> str:
    """The file, in Citation File Format 1.2.0.

    Args:
        manifest: of the bundle.
        doi: of the record, where it is reserved already.
    """
    entries: dict[str, Any] = {
        "cff-version": "1.2.0",
        "message": "If you use this bundle, please cite it, and cite the analysis that it was learned from.",
        "type": "dataset",
        "title": manifest.title,
        "authors": [_person(author) for author in manifest.authors],
        "version": manifest.version,
        "date-released": manifest.created[:10],
        "keywords": [*KEYWORDS, manifest.analysis.name],
    }
    if single_license(manifest.license):
        entries["license"] = manifest.license
    if doi is not None:
        entries["doi"] = doi
    if manifest.references:
        entries["references"] = [
            {
                "type": "generic",
                "title": manifest.analysis.name,
                "authors": [_of(manifest)],
                "url": address(item),
            }
            for item in manifest.references
        ]
    return "".join(f"{line}\n" for line in _lines(entries))


def _person(author: Author) -> dict[str, str]:
    """A person where the name is written `Family, Given`; otherwise nobody can tell, and it is an entity."""
    family, comma, given = author.name.partition(", ")
    named = {"family-names": family, "given-names": given} if comma else {"name": author.name}
    if author.affiliation is not None and comma:
        named["affiliation"] = author.affiliation
    return named if author.orcid is None else named | {"orcid": f"https://orcid.org/{author.orcid}"}


def _of(manifest: ManifestHead) -> dict[str, str]:
    """Who made the analysis."""
    return {"name": manifest.analysis.experiment or manifest.analysis.name}


def _lines(entries: dict[str, Any]) -> Iterator[str]:
    for key, value in entries.items():
        if isinstance(value, list):
            yield f"{key}:"
            yield from (f"  - {inline_yaml(item)}" for item in value)  # pyright: ignore[reportUnknownVariableType]
        else:
            yield f"{key}: {inline_yaml(value)}"
