"""A web server for this machine alone: the page, and beside it the snapshots of a deployment, as they are now."""

import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import unquote, urlsplit

from command_line.dashboard.page import NOT_BUILT, built_page
from totes.dashboard_snapshot import Folder
from totes.dashboard_snapshot.manifest import LATEST
from totes.dashboard_snapshot.page import START, keep_of, kind_of
from totes.errors import TotesError, UserError
from totes.lake.folder import Keep
from totes.names import DATA

_HOST = "127.0.0.1"

_WRITTEN_AGAIN = re.compile(r"latest\.json|moments/\d{4,}-\d\d-\d\d\.json")
_WRITTEN_ONCE = re.compile(r"manifests/\d+-[0-9a-f]+\.json|files/[a-z_]+/[\w-]+\.parquet")

_SAFETY = {
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; font-src 'self'; "
        "manifest-src 'self'; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    ),
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}


@contextmanager
def serving(data: Folder, port: int) -> Iterator[str]:
    """Serve the page and its data within this context.

    Args:
        data: where the snapshots lie.
        port: where to listen; 0: wherever nobody does.

    Yields:
        The address.

    Raises:
        UserError: somebody listens there already.
    """
    try:
        server = _Server(data, port)
    except OSError as error:
        raise UserError(
            f"port {port} of this machine cannot be had ({error.strerror}); name another with --port"
        ) from error
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.1}, daemon=True)
    thread.start()
    try:
        yield f"http://{_HOST}:{server.server_port}/"
    finally:
        server.shutdown()
        server.server_close()


class _Server(ThreadingHTTPServer):
    """The server, which knows where the snapshots lie."""

    daemon_threads = True

    def __init__(self, data: Folder, port: int) -> None:
        self.data = data
        super().__init__((_HOST, port), _Handler)


class _Handler(BaseHTTPRequestHandler):
    """Answers GET and HEAD; any other method is refused by the base."""

    server: _Server
    server_version = "totes"
    sys_version = ""
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        self._answer()

    def do_HEAD(self) -> None:
        self._answer()

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the base's word
        """Log nothing: the terminal is for the person's own output."""

    def _answer(self) -> None:
        # Somebody else's page, under a name that resolves to this machine, must not read the shop's figures.
        if self.headers.get("Host", "").partition(":")[0] not in {_HOST, "localhost"}:
            self._send(HTTPStatus.MISDIRECTED_REQUEST, b"", "text/plain", "no-store")
            return
        path = unquote(urlsplit(self.path).path).removeprefix("/")
        if path.startswith(DATA):
            self._answer_data(path.removeprefix(DATA))
        else:
            self._answer_page(path or START)

    def _answer_data(self, key: str) -> None:
        again, once = _WRITTEN_AGAIN.fullmatch(key), _WRITTEN_ONCE.fullmatch(key)
        try:
            found = self.server.data.find(key) if again or once else None
        except TotesError as error:
            self._send(HTTPStatus.BAD_GATEWAY, str(error).encode(), "text/plain; charset=utf-8", "no-store")
            return
        if found is None:
            self._send(HTTPStatus.NOT_FOUND, b"", "text/plain", "no-store")
            return
        keep = "no-store" if key == LATEST else (Keep.OWN if once else Keep.NEVER).value
        self._send(HTTPStatus.OK, found.body, kind_of(key), keep)

    def _answer_page(self, name: str) -> None:
        page = built_page()
        if not page:
            self._send(HTTPStatus.SERVICE_UNAVAILABLE, NOT_BUILT.encode(), "text/plain; charset=utf-8", "no-store")
        elif name not in page:
            self._send(HTTPStatus.NOT_FOUND, b"", "text/plain", "no-store")
        else:
            self._send(HTTPStatus.OK, page[name], kind_of(name), keep_of(name).value)

    def _send(self, status: HTTPStatus, body: bytes, kind: str, keep: str) -> None:
        self.send_response(status)
        headers = {"Content-Type": kind, "Content-Length": str(len(body)), "Cache-Control": keep, **_SAFETY}
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)
