"""Who may call the endpoint: programs of this machine, and pages that this machine serves.

A web page of somebody else's, open in a browser of this machine, may send requests to every port of it, and read what
answers allow its origin to read. moto allows every origin. A page whose own name leads to 127.0.0.1 is of the same
origin as the endpoint, and told by the name that the browser asks for.
"""

from collections.abc import Iterable
from urllib.parse import urlsplit
from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

_NAMES = ("localhost", "127.0.0.1")
_ALL_BUCKETS = ".localhost"
"""How the names of buckets end, where a client puts a bucket before the endpoint's name."""

_OF_MOTO = "/moto-api"
"""moto's own API, which shows all that there is, passwords too, and forgets it, for whoever asks."""


class ForThisMachine:
    """A WSGI application that hands on what this machine asks, and refuses all else.

    Args:
        application: what answers.
    """

    def __init__(self, application: WSGIApplication) -> None:
        self._application = application

    def __call__(self, environ: WSGIEnvironment, start: StartResponse) -> Iterable[bytes]:
        """Answer a request."""
        origin = environ.get("HTTP_ORIGIN")
        if not _is_here(f"//{environ.get('HTTP_HOST', '')}") or not (origin is None or _is_here(origin)):
            start("403 Forbidden", [("Content-Type", "text/plain")])
            return [b"this endpoint answers programs and pages of this machine alone\n"]
        if environ.get("PATH_INFO", "").startswith(_OF_MOTO):
            start("404 Not Found", [("Content-Type", "text/plain")])
            return [b"moto's own API is not served here\n"]
        return self._application(environ, start)


def _is_here(url: str) -> bool:
    try:
        name = urlsplit(url).hostname or ""
    except ValueError:
        return False
    return name in _NAMES or name.endswith(_ALL_BUCKETS)
