"""What a person gives to name something published: a DOI, a record or a URL, as typed data."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import NoReturn
from urllib.parse import parse_qs, unquote, urlsplit

from llb.fetch.services import Services
from llb_schema import FindingError, finding

__all__ = ["HepdataRecord", "PublishedFile", "Reference", "ZenodoRecord", "parse_reference"]

_DOI = re.compile(r"(?:doi:\s*)?(10\.[0-9]{4,9}/\S+)", re.IGNORECASE)
_HEPDATA_DOI = re.compile(
    r"10\.17182/hepdata\.([0-9]+)(?:\.v([0-9]{1,6}))?(?:/(?:r([0-9]+)|t[0-9]+))?", re.IGNORECASE
)
_ZENODO_DOI = re.compile(r"10\.5281/zenodo\.([0-9]+)", re.IGNORECASE)
_RESOLVERS = {"doi.org", "dx.doi.org"}
_VERSION = re.compile(r"[0-9]{1,6}")
_HEPDATA_PATH = re.compile(r"/record/(ins[0-9]+|[0-9]+)/?")
_HEPDATA_FILE = re.compile(r"/record/resource/([0-9]+)/?")
_ZENODO_PATH = re.compile(r"/(?:api/)?records?/([0-9]+)(?:/(?:files/?)?)?")


@dataclass(frozen=True)
class HepdataRecord:
    """A record of HEPData: its number, or `ins` and the number at INSPIRE; None is the newest version."""

    record: str
    version: int | None = None


@dataclass(frozen=True)
class ZenodoRecord:
    """A record of Zenodo by its number, or by the number that stands for its newest version."""

    record: str


@dataclass(frozen=True)
class PublishedFile:
    """One file: where it is, and what to call it."""

    url: str
    name: str


Reference = HepdataRecord | ZenodoRecord | PublishedFile


def parse_reference(text: str, services: Services) -> Reference:
    """What a DOI (with or without `doi:` or resolver), a URL, or `ins1755298` names.

    Raises:
        FindingError: `LLB-D001`, none of these, or nothing that files can be fetched from.
    """
    text = text.strip()
    if match := re.fullmatch(r"ins[0-9]+", text, re.IGNORECASE):
        return HepdataRecord(match[0].lower())
    if match := _DOI.fullmatch(text):
        return _by_doi(match[1], text, services)
    try:
        parts = urlsplit(text)
        host = (parts.hostname or "").removeprefix("www.")
    except ValueError:
        _refuse(text)
    if parts.scheme not in {"http", "https"} or not host:
        _refuse(text)
    path = _below(parts.path, services.doi) if text.startswith(f"{services.doi}/") else parts.path
    if (host in _RESOLVERS or text.startswith(f"{services.doi}/")) and (
        match := _DOI.fullmatch(unquote(path).lstrip("/"))
    ):
        return _by_doi(match[1], text, services)
    if host == "hepdata.net" or text.startswith(f"{services.hepdata}/"):
        return _at_hepdata(text, services)
    if host == "zenodo.org" or text.startswith(f"{services.zenodo}/"):
        match = _ZENODO_PATH.fullmatch(_below(parts.path, services.zenodo))
        return ZenodoRecord(match[1]) if match else _file(text)
    return _file(text)


def _by_doi(doi: str, text: str, services: Services) -> Reference:
    if match := _ZENODO_DOI.fullmatch(doi):
        return ZenodoRecord(match[1])
    if not (match := _HEPDATA_DOI.fullmatch(doi)):
        return PublishedFile(f"{services.doi}/{doi}", doi)
    record, version, resource = match.groups()
    if resource is not None:
        return PublishedFile(f"{services.doi}/{doi}", doi)
    if "/" in doi.removeprefix("10.17182/"):
        message = f"{text} is the DOI of a table"
        raise FindingError(
            finding("LLB-D001", message, hint="Give the DOI of its record or of a resource (/r1).")
        )
    return HepdataRecord(record, None if version is None else int(version))


def _at_hepdata(text: str, services: Services) -> Reference:
    parts = urlsplit(text)
    path = _below(parts.path, services.hepdata)
    if match := _HEPDATA_FILE.fullmatch(path):
        return PublishedFile(
            f"{services.hepdata}/record/resource/{match[1]}?view=true", f"resource {match[1]}"
        )
    if match := _HEPDATA_PATH.fullmatch(path):
        version = parse_qs(parts.query).get("version", [""])[0]
        return HepdataRecord(match[1], int(version) if _VERSION.fullmatch(version) else None)
    return _file(text)


def _below(path: str, service: str) -> str:
    """The path under the base of a service, which may have one of its own."""
    return path.removeprefix(urlsplit(service).path)


def _file(url: str) -> PublishedFile:
    return PublishedFile(url, urlsplit(url).path.rstrip("/").rpartition("/")[2] or "file")


def _refuse(text: str) -> NoReturn:
    raise FindingError(finding("LLB-D001", f"{text[:200]!r} is neither a DOI nor an http(s) URL"))
