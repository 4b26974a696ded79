"""One file from the web to the disk: resumed where the server allows it, and checked before it is used."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable
from dataclasses import dataclass
from http import HTTPStatus
from pathlib import Path
from typing import BinaryIO

import httpx

from llb.fetch.patience import Pace, SetbackError, insist
from llb.fetch.record import Resource
from llb.fetch.redirects import shown_url
from llb.fetch.web import Web
from llb_schema import FindingError, finding

__all__ = ["Arrival", "Demands", "Progress", "download"]

Progress = Callable[[int, int | None], None]
"""Told of the bytes that have arrived, and of all of them where the server says how many."""

# HEPData sends the file only if its type is among these; the rest is for everybody else.
_ACCEPT = "application/x-tar, application/zip, application/gzip, application/octet-stream, */*"
_RANGE = re.compile(r"bytes ([0-9]+)-[0-9]+/([0-9]+)")
_PAGES = {"text/html", "application/xhtml+xml"}


@dataclass(frozen=True)
class Demands:
    """What a download has to keep to.

    Attributes:
        most_bytes: its largest size.
        sha256: its digest in hexadecimal, or "" where nobody knows it.
    """

    most_bytes: int = 1024 * 2**20
    sha256: str = ""


@dataclass(frozen=True)
class Arrival:
    """A file that has arrived and been checked.

    Attributes:
        path: where it lies.
        url: the address that it came from, after redirects.
        bytes: its size.
        sha256: its digest.
    """

    path: Path
    url: str
    bytes: int
    sha256: str


def download(
    resource: Resource,
    path: Path,
    web: Web,
    demands: Demands,
    *,
    behind: Callable[[str], str | None] = lambda _: None,
    progress: Progress = lambda _done, _total: None,
) -> Arrival:
    """Writes a resource to a path, which is for the caller to remove if this raises.

    Args:
        resource: what, with its size and digest where the service states them.
        path: where to; nothing is there.
        web: by which client.
        demands: size and digest.
        behind: from the address of a page to that of the file which it is about, or None.
        progress: told of what has arrived.

    Raises:
        FindingError: `LLB-D008` cut short, `LLB-D009` wrong digest, `LLB-D010` too large, `LLB-D012` not
            offered in any form, `LLB-D013` a page; what `Web.open` finds, after all attempts.
    """
    with path.open("wb") as file:
        transfer = _Transfer(resource, file, web, demands, behind, progress)
        insist(transfer.attempt, web.patience)
    digests = _digests(path)
    for name, expected in (("sha256", demands.sha256.lower()), ("md5", resource.md5)):
        if expected and digests[name] != expected:
            message = f"{resource.name} has another {name} than it should"
            raise FindingError(finding("LLB-D009", message, expected=expected, actual=digests[name]))
    return Arrival(path, transfer.arrived_from, path.stat().st_size, digests["sha256"])


def _digests(path: Path) -> dict[str, str]:
    # MD5 is what Zenodo states; against accidents it is good enough.
    hashes = {"sha256": hashlib.sha256(), "md5": hashlib.md5(usedforsecurity=False)}
    with path.open("rb") as file:
        while piece := file.read(2**20):
            for item in hashes.values():
                item.update(piece)
    return {name: item.hexdigest() for name, item in hashes.items()}


class _Transfer:
    """A file under way, over as many attempts as it takes."""

    def __init__(
        self,
        resource: Resource,
        file: BinaryIO,
        web: Web,
        demands: Demands,
        behind: Callable[[str], str | None],
        progress: Progress,
    ) -> None:
        self._resource, self._file, self._web = resource, file, web
        self._demands, self._behind, self._progress = demands, behind, progress
        self._url = resource.url
        self._done = 0
        # What identifies the version that the first bytes came from: without it nothing can be resumed.
        self._version = ""
        self.arrived_from = ""

    def attempt(self) -> None:
        """Get the rest, or the file anew where the server has changed its mind.

        Raises:
            SetbackError: another attempt may succeed.
            FindingError: none will.
        """
        headers = {"Accept": _ACCEPT}
        if self._done and self._version:
            headers |= {"Range": f"bytes={self._done}-", "If-Range": self._version}
        elsewhere = None
        with self._web.open(self._url, headers) as response:
            kind = response.headers.get("content-type", "").partition(";")[0].strip().lower()
            page = kind in _PAGES and response.status_code == HTTPStatus.OK
            if page or response.status_code == HTTPStatus.NOT_ACCEPTABLE:
                elsewhere = self._elsewhere(response)
            else:
                self._receive(response)
        if elsewhere is not None:
            self._url = elsewhere
            self.attempt()

    def _elsewhere(self, response: httpx.Response) -> str:
        """Where the file is that a page, or a refusal, stands in front of."""
        here = str(response.url)
        found = self._behind(here)
        if found is not None and found != self._url:
            return found
        if response.status_code == HTTPStatus.NOT_ACCEPTABLE:
            raise FindingError(finding("LLB-D012", f"{shown_url(here)} offers no file", actual="HTTP 406"))
        message = f"{shown_url(here)} is a web page, not a file"
        raise FindingError(finding("LLB-D013", message, actual=response.headers["content-type"]))

    def _receive(self, response: httpx.Response) -> None:
        where = self.arrived_from = shown_url(str(response.url))
        total = self._begin(response, where)
        self._check_size(total or 0)
        pace = Pace(self._web.patience)
        for piece in response.iter_raw():
            self._file.write(piece)
            self._done += len(piece)
            self._check_size(self._done)
            self._progress(self._done, total)
            pace(len(piece), where)
        expected = total if total is not None else self._resource.bytes
        if expected is not None and self._done != expected:
            message = f"{self._resource.name} has not come whole from {where}"
            found = finding("LLB-D008", message, expected=f"{expected} bytes", actual=f"{self._done}")
            if self._done > expected:
                self._restart()
            raise SetbackError(found)

    def _begin(self, response: httpx.Response, where: str) -> int | None:
        """Stand where the server begins; the size of the whole, where it says so."""
        if response.status_code == HTTPStatus.PARTIAL_CONTENT:
            match = _RANGE.fullmatch(response.headers.get("content-range", ""))
            if match is None or int(match[1]) != self._done:
                self._restart()
                actual = response.headers.get("content-range", "nothing")
                raise SetbackError(
                    finding("LLB-D008", f"{where} sends another part than was asked for", actual=actual)
                )
            return int(match[2])
        self._restart()
        if response.status_code != HTTPStatus.OK:
            actual = f"HTTP {response.status_code}"
            raise SetbackError(finding("LLB-D008", f"{where} does not send the rest", actual=actual))
        tag = response.headers.get("etag", "")
        # A weak tag promises the same meaning, not the same bytes.
        strong = tag if tag and not tag.startswith("W/") else ""
        self._version = strong or response.headers.get("last-modified", "")
        length = response.headers.get("content-length", "")
        return int(length) if length.isdecimal() else None

    def _restart(self) -> None:
        self._done, self._version = 0, ""
        self._file.seek(0)
        self._file.truncate()

    def _check_size(self, size: int) -> None:
        if size > self._demands.most_bytes:
            expected = f"at most {self._demands.most_bytes} bytes"
            name = self._resource.name
            raise FindingError(
                finding("LLB-D010", f"{name} is too large", expected=expected, actual=f"{size} or more")
            )
