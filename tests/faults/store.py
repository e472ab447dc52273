"""An object store and a keeper of secrets that answer at once: as much of S3 and Secrets Manager as totes asks for.

A soak makes a million requests, and moto needs ten milliseconds for each. What is promised is what S3 promises: a put
with `If-None-Match: *` is atomic, a listing is in the keys' ascending order, what was put is read.
"""

import bisect
import json
import sys
import threading
import time
from collections.abc import Mapping
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, quote, unquote, urlsplit
from xml.etree import ElementTree
from xml.sax.saxutils import escape

Answer = tuple[int, bytes]

_NAMESPACE = "{http://s3.amazonaws.com/doc/2006-03-01/}"
_PAGE = 1000


class Keys:
    """A bucket's objects, each with the moment at which it was put."""

    def __init__(self) -> None:
        self.objects: dict[str, tuple[bytes, float]] = {}
        self.ordered: list[str] = []

    def put(self, key: str, body: bytes) -> None:
        if key not in self.objects:
            bisect.insort(self.ordered, key)
        self.objects[key] = (body, time.time())

    def listed(self, prefix: str, after: str, most: int) -> tuple[list[str], bool]:
        """The first keys under a prefix and after a key, and whether there are more."""
        first = max(bisect.bisect_left(self.ordered, prefix), bisect.bisect_right(self.ordered, after))
        found = [key for key in self.ordered[first : first + most + 1] if key.startswith(prefix)]
        return found[:most], len(found) > most

    def delete(self, key: str) -> None:
        if self.objects.pop(key, None) is not None:
            del self.ordered[bisect.bisect_left(self.ordered, key)]


class Store:
    """All buckets and secrets."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._buckets: dict[str, Keys] = {}
        self._secrets: dict[str, str] = {}

    def object_request(self, method: str, path: str, headers: Mapping[str, str], body: bytes) -> Answer:
        """Answer a request of S3's, with the bucket in the path."""
        parts = urlsplit(path)
        asked = {name: values[0] for name, values in parse_qs(parts.query, keep_blank_values=True).items()}
        bucket, _, key = unquote(parts.path).lstrip("/").partition("/")
        with self._lock:
            if method == "PUT" and not key:
                self._buckets.setdefault(bucket, Keys())
                return HTTPStatus.OK, b""
            keys = self._buckets.get(bucket)
            if keys is None:
                return _error(HTTPStatus.NOT_FOUND, "NoSuchBucket")
            if not key:
                return _deleted(keys, body) if method == "POST" else _listing(keys, asked)
            return _object(keys, method, key, body, is_new_only=headers.get("If-None-Match") == "*")

    def secret_request(self, operation: str, body: bytes) -> Answer:
        """Answer a request of Secrets Manager's."""
        asked = json.loads(body)
        name = asked.get("Name") or asked["SecretId"]
        with self._lock:
            if operation in {"CreateSecret", "PutSecretValue"}:
                self._secrets[name] = asked["SecretString"]
            elif name not in self._secrets or asked.get("VersionStage", "AWSCURRENT") != "AWSCURRENT":
                said = {"__type": "ResourceNotFoundException", "message": "there is no such version"}
                return HTTPStatus.BAD_REQUEST, json.dumps(said).encode()
            value = {"ARN": name, "Name": name, "VersionId": "v" * 32, "SecretString": self._secrets[name]}
        return HTTPStatus.OK, json.dumps(value).encode()


def _object(keys: Keys, method: str, key: str, body: bytes, *, is_new_only: bool) -> Answer:
    if method == "PUT":
        if is_new_only and key in keys.objects:
            return _error(HTTPStatus.PRECONDITION_FAILED, "PreconditionFailed")
        keys.put(key, body)
        return HTTPStatus.OK, b""
    if method == "DELETE":
        keys.delete(key)
        return HTTPStatus.NO_CONTENT, b""
    if key not in keys.objects:
        return _error(HTTPStatus.NOT_FOUND, "NoSuchKey")
    return HTTPStatus.OK, keys.objects[key][0]


def _listing(keys: Keys, asked: Mapping[str, str]) -> Answer:
    prefix = asked.get("prefix", "")
    after = asked.get("continuation-token") or asked.get("start-after", "")
    most = min(int(asked.get("max-keys", _PAGE)), _PAGE)
    found, is_cut = keys.listed(prefix, after, most)
    contents = "".join(_listed(key, *keys.objects[key]) for key in found)
    following = f"<NextContinuationToken>{escape(found[-1])}</NextContinuationToken>" if is_cut else ""
    return HTTPStatus.OK, (
        f"<ListBucketResult><Prefix>{escape(prefix)}</Prefix><KeyCount>{len(found)}</KeyCount><MaxKeys>{most}</MaxKeys>"
        f"<EncodingType>url</EncodingType><IsTruncated>{str(is_cut).lower()}</IsTruncated>{following}{contents}"
        "</ListBucketResult>"
    ).encode()


def _listed(key: str, body: bytes, put_at: float) -> str:
    moment = time.strftime("%Y-%m-%dT%H:%M:%S.000Z", time.gmtime(put_at))
    return f"<Contents><Key>{quote(key)}</Key><LastModified>{moment}</LastModified><Size>{len(body)}</Size></Contents>"


def _deleted(keys: Keys, body: bytes) -> Answer:
    root = ElementTree.fromstring(body)  # noqa: S314 - the SDK's own
    for name in (*root.iter(f"{_NAMESPACE}Key"), *root.iter("Key")):
        keys.delete(name.text or "")
    return HTTPStatus.OK, b"<DeleteResult/>"


def _error(status: HTTPStatus, code: str) -> Answer:
    return status, f"<Error><Code>{code}</Code><Message>{status.phrase}</Message></Error>".encode()


class _Requests(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    store = Store()

    def _answer(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        target = self.headers.get("X-Amz-Target")
        if target:
            status, said = self.store.secret_request(target.rpartition(".")[2], body)
        else:
            status, said = self.store.object_request(self.command, self.path, dict(self.headers), body)
        head = f"HTTP/1.1 {int(status)} {HTTPStatus(status).phrase}\r\nContent-Length: {len(said)}\r\n\r\n"
        self.wfile.write(head.encode() + (b"" if self.command == "HEAD" else said))

    do_GET = do_PUT = do_POST = do_DELETE = do_HEAD = _answer  # noqa: N815 - the base class asks for these names

    def log_message(self, *_arguments: Any) -> None:
        """Say nothing."""


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128

    def handle_error(self, *_arguments: Any) -> None:
        """Say nothing: whoever asked has been killed."""


def serve(port: int) -> None:
    """Answer on a port of 127.0.0.1, for ever."""
    _Server(("127.0.0.1", port), _Requests).serve_forever()


if __name__ == "__main__":
    serve(int(sys.argv[1]))
