"""What a deposited bundle has to do with papers, records and other bundles, in DataCite's words."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from llb.bundle import ManifestHead, Reference
from llb.validation.identifiers import leads_to_data, leads_to_paper

__all__ = ["Relation", "address", "relations"]


@dataclass(frozen=True)
class Relation:
    """A related identifier; `scheme` is `doi`, `arxiv` or `url`, `resource_type` is "" where nobody knows."""

    identifier: str
    relation: str
    scheme: str
    resource_type: str = ""

    def to_json(self) -> dict[str, str]:
        """The entry of a deposition."""
        entry = {"identifier": self.identifier, "relation": self.relation, "scheme": self.scheme}
        return entry | ({"resource_type": self.resource_type} if self.resource_type else {})


def relations(manifest: ManifestHead, identical: Iterable[str] = ()) -> tuple[Relation, ...]:
    """The relations of a bundle.

    It supplements its papers, is derived from the records with its teacher, and is identical to the same file
    elsewhere.

    Args:
        manifest: whose references count.
        identical: DOIs of the same archive on other records, e.g. a resource of HEPData.
    """
    return (*(_relation(item) for item in manifest.references), *_identical(identical))


def _relation(reference: Reference) -> Relation:
    if leads_to_data(reference):
        meaning, kind = "isDerivedFrom", "dataset"
    elif leads_to_paper(reference):
        meaning, kind = "isSupplementTo", "publication-article"
    else:
        meaning, kind = "references", ""
    identifier, scheme = _identifier(reference)
    return Relation(identifier, meaning, scheme, kind)


def _identical(dois: Iterable[str]) -> Iterator[Relation]:
    for doi in dois:
        yield Relation(doi, "isIdenticalTo", "doi", "dataset")


def _identifier(reference: Reference) -> tuple[str, str]:
    """The identifier and its scheme."""
    if reference.kind == "doi" or reference.value.startswith("10."):
        return reference.value, "doi"
    if reference.kind == "arxiv":
        return f"arXiv:{reference.value}", "arxiv"
    return address(reference), "url"


def address(reference: Reference) -> str:
    """Where a reference leads to on the web."""
    if reference.kind == "url":
        return reference.value
    if reference.kind == "doi" or reference.value.startswith("10."):
        return f"https://doi.org/{reference.value}"
    homes = {
        "arxiv": "https://arxiv.org/abs/",
        "inspire": "https://inspirehep.net/literature/",
        "hepdata": "https://www.hepdata.net/record/",
    }
    return homes[reference.kind] + reference.value
