"""One page, served to this machine only."""

from __future__ import annotations

from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import cast

from llb_schema import FindingError, finding

__all__ = ["PageServer"]

_HOST = "127.0.0.1"


class PageServer(ThreadingHTTPServer):
    """Serves a text of HTML under `/`, and nothing else, on a port of the loopback interface.

    Attributes:
        content: the page, UTF-8.
    """

    daemon_threads = True

    def __init__(self, content: bytes, port: int = 0) -> None:
        """Takes a port, 0 for any that is free.

        Raises:
            FindingError: `LLB-V002`, the port cannot be had.
        """
        self.content = content
        try:
            super().__init__((_HOST, port), _Handler)
        except (OSError, OverflowError) as error:
            reason = getattr(error, "strerror", None) or error
            raise FindingError(finding("LLB-V002", f"port {port} cannot be had: {reason}")) from error

    @property
    def url(self) -> str:
        """Where the page is."""
        return f"http://{_HOST}:{self.server_port}/"


class _Handler(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        server = cast(PageServer, self.server)
        # Another name that leads to this machine belongs to somebody else's page.
        known = {f"{name}:{server.server_port}" for name in (_HOST, "localhost")}
        if self.headers.get("Host") not in known:
            self.send_error(HTTPStatus.MISDIRECTED_REQUEST)
        elif self.path != "/":
            self.send_error(HTTPStatus.NOT_FOUND)
        else:
            self.send_response(HTTPStatus.OK)
            self.send_header("Content-Type", "text/html; charset=utf-8")
            self.send_header("Content-Length", str(len(server.content)))
            self.send_header("Cache-Control", "no-store")
            self.send_header("X-Content-Type-Options", "nosniff")
            self.end_headers()
            self.wfile.write(server.content)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the name of the base class
        """Says nothing: the terminal belongs to the command."""
