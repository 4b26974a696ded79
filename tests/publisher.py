"""A service that publishes files, on this machine: HEPData, Zenodo and doi.org, faults included."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any, Self
from urllib.parse import urlsplit

from llb.fetch import Patience, Services

__all__ = ["IMPATIENT", "Asked", "File", "Publisher", "Reply"]

IMPATIENT = Patience(attempts=3, backoff=0.01, longest_wait=2.0, silence=5.0)
"""Waits for nobody, so that tests of failing services end at once."""


@dataclass(frozen=True)
class Asked:
    """A request: path, query, headers in lower case, and how many came for this path before it."""

    path: str
    query: str
    headers: Mapping[str, str]
    before: int

    def accepts(self, kind: str) -> bool:
        """Whether a media type is wanted as much as any, which is what HEPData looks at."""
        wanted = [item.strip() for item in self.headers.get("accept", "*/*").split(",")]
        return kind in wanted or "*/*" in wanted

    @property
    def names_the_type(self) -> bool:
        """Whether the client has said that it takes archives, not only anything."""
        return "application/x-tar" in self.headers.get("accept", "")


@dataclass(frozen=True)
class Reply:
    """An answer: at most `cut` bytes of its body, with a pause of `drip` seconds after every 10."""

    status: int = 200
    body: bytes = b""
    headers: Mapping[str, str] = field(default_factory=dict[str, str])
    cut: int | None = None
    drip: float = 0.0

    @classmethod
    def to(cls, place: str, status: int = 302) -> Reply:
        """A redirect."""
        return cls(status, headers={"Location": place})

    @classmethod
    def chunked(cls, *chunks: bytes) -> Reply:
        """Bytes of which nobody knows beforehand how many there will be."""
        body = b"".join(f"{len(item):x}\r\n".encode() + item + b"\r\n" for item in (*chunks, b""))
        return cls(body=body, headers={"Transfer-Encoding": "chunked"})

    @classmethod
    def of_json(cls, document: Any) -> Reply:
        """A document."""
        return cls(body=json.dumps(document).encode(), headers={"Content-Type": "application/json"})

    @classmethod
    def page(cls, status: int = 200) -> Reply:
        """A page for people."""
        return cls(status, b"<!doctype html><p>About a file", {"Content-Type": "text/html; charset=utf-8"})


Route = Callable[[Asked], Reply]


@dataclass(frozen=True)
class File:
    """A file as a good server sends it: in parts too, if they are of the version that was begun with.

    Each of the first `breaks` answers ends after `piece` bytes.
    """

    body: bytes
    kind: str = "application/octet-stream"
    tag: str = '"1"'
    ranges: bool = True
    breaks: int = 0
    piece: int = 0

    def __call__(self, asked: Asked) -> Reply:
        headers = {"Content-Type": self.kind} | ({"ETag": self.tag} if self.tag else {})
        cut = self.piece if asked.before < self.breaks else None
        wanted = asked.headers.get("range", "")
        if self.ranges and wanted and asked.headers.get("if-range") == self.tag:
            begin = int(wanted.removeprefix("bytes=").rstrip("-"))
            part = f"bytes {begin}-{len(self.body) - 1}/{len(self.body)}"
            return Reply(206, self.body[begin:], headers | {"Content-Range": part}, cut)
        return Reply(200, self.body, headers, cut)


class _QuietServer(ThreadingHTTPServer):
    """Of a client that has gone away it says nothing: what stands on stderr is the command's."""

    daemon_threads = True

    def handle_error(self, request: Any, client_address: Any) -> None:
        if not isinstance(sys.exc_info()[1], ConnectionError):
            super().handle_error(request, client_address)


class Publisher:
    """The server, for as long as it is entered; routes by path, `asked` is what has come."""

    def __init__(self) -> None:
        self.routes: dict[str, Route] = {}
        self.asked: list[Asked] = []
        publisher = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                publisher.answer(self)

            def log_message(self, format: str, *args: Any) -> None:  # noqa: A002, ARG002 - its signature
                return

        self._server = _QuietServer(("127.0.0.1", 0), Handler)
        self._thread = Thread(target=self._server.serve_forever, args=(0.01,), daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_address[1]}"

    @property
    def services(self) -> Services:
        return Services(f"{self.url}/doi", f"{self.url}/hepdata", f"{self.url}/zenodo")

    def requests(self, path: str) -> list[Asked]:
        """What has been asked of a path."""
        return [item for item in self.asked if item.path == path]

    def file(self, path: str, body: bytes, **more: Any) -> str:
        """Publishes a file; its URL."""
        self.routes[path] = File(body, **more)
        return self.url + path

    def zenodo(
        self, record: str, files: Mapping[str, bytes], *, keywords: Sequence[str] = (), **change: Any
    ) -> str:
        """Publishes a record of Zenodo; its DOI. `change` overrules what is said of every file."""
        from hashlib import md5

        listed: list[dict[str, Any]] = []
        for name, body in files.items():
            link = self.file(f"/zenodo/api/records/{record}/files/{name}/content", body)
            checksum = f"md5:{md5(body, usedforsecurity=False).hexdigest()}"
            listed.append(
                {"key": name, "size": len(body), "checksum": checksum, "links": {"self": link}} | change
            )
        document: Any = {
            "id": int(record),
            "metadata": {"title": "Bundles", "keywords": list(keywords)},
            "files": listed,
        }
        self.routes[f"/zenodo/api/records/{record}"] = lambda _: Reply.of_json(document)
        return f"10.5281/zenodo.{record}"

    def hepdata(
        self,
        record: str,
        files: Mapping[str, bytes],
        kinds: Mapping[str, str] | None = None,
        descriptions: Mapping[str, str] | None = None,
    ) -> str:
        """Publishes a record of HEPData with a DOI, a page and a file for each resource; its DOI.

        By file name, `kinds` are the analyses that HEPData has recognised, `descriptions` the authors' words.
        """
        doi = f"10.17182/hepdata.{record}.v1"
        resources: list[dict[str, str]] = []
        for number, (name, body) in enumerate(files.items(), 1):
            own = f"{doi}/r{number}"
            description = (descriptions or {}).get(name, f"File {number}")
            resources.append({"filename": name, "description": description, "doi": own})
            page = f"/hepdata/record/resource/{record}{number}"
            self.routes[f"/doi/{own}"] = lambda _, page=page: Reply.to(f"{self.url}{page}?landing=true")
            self.routes[page] = _negotiating(File(body, _media_type(name)))
        analyses = [{"type": kind, "filename": name} for name, kind in (kinds or {}).items()]
        document = {
            "record": {"title": "A search", "analyses": analyses},
            "resources_with_doi": resources,
            "version": 1,
        }
        self.routes[f"/hepdata/record/{record}"] = lambda asked: (
            Reply.of_json(document) if "format=json" in asked.query else Reply.page()
        )
        return doi

    def answer(self, handler: BaseHTTPRequestHandler) -> None:
        """Answers one request."""
        parts = urlsplit(handler.path)
        headers = {name.lower(): value for name, value in handler.headers.items()}
        asked = Asked(parts.path, parts.query, headers, len(self.requests(parts.path)))
        self.asked.append(asked)
        route = self.routes.get(parts.path)
        reply = Reply.page(404) if route is None else route(asked)
        try:
            self._send(handler, reply)
        except OSError:
            # The client has had enough.
            handler.close_connection = True

    def _send(self, handler: BaseHTTPRequestHandler, reply: Reply) -> None:
        handler.send_response(reply.status)
        length = {} if "Transfer-Encoding" in reply.headers else {"Content-Length": str(len(reply.body))}
        for name, value in {**length, **reply.headers}.items():
            handler.send_header(name, value)
        handler.end_headers()
        body = reply.body if reply.cut is None else reply.body[: reply.cut]
        step = 10 if reply.drip else max(len(body), 1)
        for begin in range(0, len(body), step):
            handler.wfile.write(body[begin : begin + step])
            handler.wfile.flush()
            time.sleep(reply.drip)
        if reply.cut is not None:
            handler.close_connection = True


def _media_type(name: str) -> str:
    """What Python, and so HEPData, guesses."""
    if name.endswith((".tar.gz", ".tgz")):
        return "application/x-tar"
    return {"zip": "application/zip", "json": "application/json"}.get(name[-4:].lstrip("."), "text/plain")


def _negotiating(file: File) -> Route:
    """The page about a resource: the file for who takes its type, a page for who takes pages, or neither."""

    def route(asked: Asked) -> Reply:
        if "view=true" in asked.query or asked.accepts(file.kind):
            return file(asked)
        return Reply.page() if asked.accepts("text/html") else Reply(406)

    return route
