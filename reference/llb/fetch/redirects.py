"""Which redirects are followed: never from https to http, nor from outside into a private network."""

from __future__ import annotations

import ipaddress
import socket
from typing import NoReturn
from urllib.parse import urljoin, urlsplit, urlunsplit

from llb_schema import FindingError, finding

__all__ = ["MAX_REDIRECTS", "next_url", "shown_url"]

MAX_REDIRECTS = 10


def next_url(asked: str, here: str, location: str) -> str:
    """The address that a redirect, or a link in an answer, leads to.

    Args:
        asked: the address that the user asked for, or that of a service.
        here: the address that the redirect was found at.
        location: where it leads to, absolute or relative to `here`.

    Raises:
        FindingError: `LLB-D011`, it must not be followed.
    """
    try:
        target = urljoin(here, location)
        parts = urlsplit(target)
        host = parts.hostname or ""
    except ValueError:
        _refuse(here, location, "it is not a URL")
    if parts.scheme not in {"http", "https"} or not host:
        _refuse(here, target, "only http and https are followed")
    if parts.scheme == "http" and urlsplit(here).scheme == "https":
        _refuse(here, target, "https must not become http")
    if parts.username is not None:
        _refuse(here, target, "it carries credentials")
    if (
        host != urlsplit(asked).hostname
        and _is_private(host)
        and not _is_private(urlsplit(asked).hostname or "")
    ):
        _refuse(here, target, "it leads into a private network")
    return target


def shown_url(url: str) -> str:
    """The address for messages: without user name, password and query, which may be secrets."""
    try:
        parts = urlsplit(url)
        host = parts.hostname or ""
        place = f"{host}:{parts.port}" if parts.port else host
    except ValueError:
        return repr(url[:200])
    return urlunsplit((parts.scheme, place, parts.path, "", ""))[:300]


def _is_private(host: str) -> bool:
    """Whether a host is not in the open internet; a name that nobody knows is refused by the connection."""
    try:
        found = {str(item[4][0]) for item in socket.getaddrinfo(host, None)}
    except (OSError, UnicodeError):
        return False
    return any(not ipaddress.ip_address(address.partition("%")[0]).is_global for address in found)


def _refuse(here: str, target: str, why: str) -> NoReturn:
    message = f"{shown_url(here)} leads to {shown_url(target)}: {why}"
    raise FindingError(finding("LLB-D011", message))
