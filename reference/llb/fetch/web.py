"""HTTP by httpx: streams stay raw and redirects ours, where urllib would follow them by rules of its own."""

from __future__ import annotations

import json
import ssl
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from http import HTTPStatus
from importlib.metadata import version
from types import TracebackType
from typing import Any, Self

import httpx

from llb.fetch.patience import Patience, SetbackError, insist, retry_after
from llb.fetch.redirects import MAX_REDIRECTS, next_url, shown_url
from llb_schema import Finding, FindingError, finding

__all__ = ["Web"]

_MAX_JSON = 32 * 2**20
_REDIRECTS = {301, 302, 303, 307, 308}
_FAILING = {408, 425, 429, 500, 502, 503, 504}
_GONE = {404, 410}


class Web:
    """A client that follows safe redirects only, and whose every fault ends in a finding.

    Raises:
        FindingError: `LLB-D005`, proxies or certificates of the environment are unusable.
    """

    def __init__(self, patience: Patience) -> None:
        self.patience = patience
        try:
            self._client = httpx.Client(
                follow_redirects=False,
                timeout=patience.silence,
                # Archives as they are: an encoding on the way would change their bytes.
                headers={"User-Agent": f"llb/{version('llb')}", "Accept-Encoding": "identity"},
            )
        # httpx looks at the environment here, and a proxy may ask for a package that is not there.
        except (OSError, ValueError, ImportError, httpx.InvalidURL) as error:
            message = f"the environment's proxies or certificates cannot be used: {error}"
            raise FindingError(finding("LLB-D005", message)) from error

    def __enter__(self) -> Self:
        """The client, open."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close all connections."""
        self._client.close()

    @contextmanager
    def open(self, url: str, headers: Mapping[str, str]) -> Generator[httpx.Response]:
        """One attempt at a GET, all redirects followed; the body is yet to be read.

        The status is 200, 206, 406 or 416: what these mean is for the caller to say.

        Raises:
            SetbackError: `LLB-D004`, `LLB-D005`, `LLB-D007`, `LLB-D008`: another attempt may succeed.
            FindingError: `LLB-D001`, `LLB-D002`, `LLB-D003`, `LLB-D006`, `LLB-D011`.
        """
        here = url
        for _ in range(MAX_REDIRECTS + 1):
            with _as_findings(here), self._client.stream("GET", here, headers=dict(headers)) as response:
                if response.status_code in _REDIRECTS and "location" in response.headers:
                    here = next_url(url, here, response.headers["location"])
                    continue
                _check_status(response, here)
                yield response
                return
        message = f"{shown_url(url)} redirects more than {MAX_REDIRECTS} times"
        raise FindingError(finding("LLB-D011", message))

    def json(self, url: str) -> Any:
        """The JSON document at an address, with all attempts.

        Raises:
            FindingError: `LLB-D014`, it is none; what `open` finds; `LLB-D012`.
        """
        data = insist(lambda: self._document(url), self.patience)
        try:
            return json.loads(data)
        except (ValueError, RecursionError) as error:
            message = f"{shown_url(url)} does not answer in JSON"
            raise FindingError(finding("LLB-D014", message, actual=_start(data))) from error

    def _document(self, url: str) -> bytes:
        with self.open(url, {"Accept": "application/json"}) as response:
            if response.status_code != HTTPStatus.OK:
                message = f"{shown_url(url)} has no JSON (HTTP {response.status_code})"
                raise FindingError(finding("LLB-D012", message))
            data = b""
            for piece in response.iter_bytes():
                data += piece
                if len(data) > _MAX_JSON:
                    message = f"the answer of {shown_url(url)} has no end"
                    raise FindingError(finding("LLB-D014", message, expected=f"at most {_MAX_JSON} bytes"))
            return data


def _start(data: bytes) -> str:
    return repr(data[:40].decode("utf-8", "replace"))


def _check_status(response: httpx.Response, here: str) -> None:
    status = response.status_code
    where, said = shown_url(here), f"HTTP {status}"
    if status in {HTTPStatus.OK, HTTPStatus.PARTIAL_CONTENT, HTTPStatus.NOT_ACCEPTABLE, 416}:
        return
    if status in _GONE:
        raise FindingError(finding("LLB-D002", f"there is nothing at {where}", actual=said))
    if status in _FAILING:
        asked = retry_after(response.headers.get("retry-after"))
        wait = "" if asked is None else f", asks to wait {asked:.0f} s"
        raise SetbackError(
            finding("LLB-D004", f"{where} does not answer as it should", actual=f"{said}{wait}"), asked
        )
    raise FindingError(finding("LLB-D003", f"{where} refuses the request", actual=said))


@contextmanager
def _as_findings(here: str) -> Generator[None]:
    """What can go wrong on the way, as findings."""
    try:
        yield
    except httpx.TimeoutException as error:
        raise SetbackError(finding("LLB-D007", f"{shown_url(here)} does not answer in time")) from error
    except (httpx.ConnectError, httpx.ProxyError) as error:
        raise _no_connection(error, here) from error
    except (httpx.InvalidURL, httpx.UnsupportedProtocol, UnicodeError) as error:
        raise FindingError(finding("LLB-D001", f"{shown_url(here)} is not a URL: {error}")) from error
    except httpx.HTTPError as error:
        raise SetbackError(finding("LLB-D008", f"{shown_url(here)} broke off: {error}")) from error


def _no_connection(error: Exception, here: str) -> Exception:
    found: BaseException | None = error
    while found is not None and not isinstance(found, ssl.SSLError):
        found = found.__cause__ or found.__context__
    if found is not None:
        why: Finding = finding("LLB-D006", f"{shown_url(here)} cannot be trusted: {found}")
        return FindingError(why)
    return SetbackError(finding("LLB-D005", f"{shown_url(here)} cannot be reached: {error}"))
