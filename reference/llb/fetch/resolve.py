"""From a reference to what it offers: the answers of HEPData and Zenodo about their records."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import quote, urlsplit

from llb.fetch.record import Record, Resource
from llb.fetch.redirects import next_url
from llb.fetch.reference import HepdataRecord, Reference, ZenodoRecord
from llb.fetch.services import Services
from llb.fetch.web import Web
from llb_schema import FindingError, finding

__all__ = ["file_behind", "resolve"]

_MD5 = re.compile(r"md5:([0-9a-f]{32})")
_RESOURCE = re.compile(r"/record/resource/[0-9]+")


def resolve(reference: Reference, services: Services, web: Web) -> Record:
    """What a reference offers; a file offers itself, unasked.

    Raises:
        FindingError: `LLB-D014`, the answer cannot be understood; what `Web.json` finds.
    """
    if isinstance(reference, HepdataRecord):
        return _hepdata(reference, services, web)
    if isinstance(reference, ZenodoRecord):
        return _zenodo(reference, services, web)
    return Record("", reference.url, (Resource(1, reference.name, reference.url),), is_file=True)


def file_behind(url: str, services: Services) -> str | None:
    """The address of the file that a page of HEPData is about, or None."""
    parts = urlsplit(url)
    path = parts.path.removeprefix(urlsplit(services.hepdata).path)
    here = parts.netloc == urlsplit(services.hepdata).netloc and _RESOURCE.fullmatch(path)
    if not here or "view=" in parts.query:
        return None
    return f"{services.hepdata}{path}?view=true"


def _hepdata(reference: HepdataRecord, services: Services, web: Web) -> Record:
    page = f"{services.hepdata}/record/{reference.record}"
    # Without tables, which may be many.
    query = "format=json&light=true" + (f"&version={reference.version}" if reference.version else "")
    answer = web.json(f"{page}?{query}")
    record = _section(answer, "record", page)
    kinds = {
        _text(item, "filename"): _text(item, "type")
        for item in _items(record, "analyses", page)
        if _text(item, "filename")
    }
    resources: list[Resource] = []
    for item in _items(answer, "resources_with_doi", page):
        name, doi = _text(item, "filename"), _text(item, "doi")
        if name and doi:
            # The DOI leads to the file for whoever asks for anything but a page.
            url = f"{services.doi}/{quote(doi, safe='/')}"
            kind = kinds.get(name, "")
            resources.append(Resource(len(resources) + 1, name, url, kind, _text(item, "description")))
    return Record(_text(record, "title"), page, tuple(resources))


def _zenodo(reference: ZenodoRecord, services: Services, web: Web) -> Record:
    page = f"{services.zenodo}/records/{reference.record}"
    asked = f"{services.zenodo}/api/records/{reference.record}"
    answer = web.json(asked)
    resources: list[Resource] = []
    for item in _items(answer, "files", page):
        name, link = _text(item, "key"), _text(_section(item, "links", page), "self")
        if not name or not link:
            continue
        size, digest = item.get("size"), _MD5.fullmatch(_text(item, "checksum"))
        resources.append(
            Resource(
                number=len(resources) + 1,
                name=name,
                url=next_url(asked, asked, link),
                bytes=size if isinstance(size, int) else None,
                md5=digest[1] if digest else "",
            )
        )
    metadata = _section(answer, "metadata", page)
    words = metadata.get("keywords")
    keywords = ", ".join(map(str, words)) if isinstance(words, list) else ""
    return Record(_text(metadata, "title"), page, tuple(resources), keywords)


def _section(answer: Any, key: str, page: str) -> Mapping[str, Any]:
    found = answer.get(key) if isinstance(answer, dict) else None
    if not isinstance(found, dict):
        message = f"the answer about {page} has no {key!r}"
        raise FindingError(finding("LLB-D014", message, expected="an object", actual=type(found).__name__))
    return found


def _items(answer: Any, key: str, page: str) -> Iterator[Mapping[str, Any]]:
    """The objects in a list; a list that is left out is empty."""
    found = answer.get(key, []) if isinstance(answer, dict) else None
    if not isinstance(found, list):
        message = f"the answer about {page} has no list {key!r}"
        raise FindingError(finding("LLB-D014", message, expected="a list", actual=type(found).__name__))
    return (item for item in found if isinstance(item, dict))


def _text(item: Mapping[str, Any], key: str) -> str:
    found = item.get(key)
    return found if isinstance(found, str) else ""
