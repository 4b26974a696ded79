"""What both exports to JSON-LD say in the same way, in schema.org's words."""

from __future__ import annotations

from llb.bundle import ManifestHead

__all__ = ["creators", "identifier"]


def identifier(manifest: ManifestHead, content: str, doi: str | None) -> str:
    """What a bundle is called by: its record's DOI, or its content, which is the same everywhere.

    Args:
        manifest: of the bundle.
        content: its content id.
        doi: of the record, where it is reserved already.
    """
    if doi is not None:
        return f"https://doi.org/{doi}"
    return f"urn:llb:bundle:{manifest.id}:{manifest.version}:{content}"


def creators(manifest: ManifestHead) -> list[dict[str, str]]:
    """The authors; somebody with an ORCID iD is a person, of the others nobody can tell."""
    entries: list[dict[str, str]] = []
    for author in manifest.authors:
        if author.orcid is None:
            entries.append({"@type": "Organization", "name": author.name})
            continue
        person = {"@type": "Person", "name": author.name, "sameAs": f"https://orcid.org/{author.orcid}"}
        affiliation = {} if author.affiliation is None else {"affiliation": author.affiliation}
        entries.append(person | affiliation)
    return entries
