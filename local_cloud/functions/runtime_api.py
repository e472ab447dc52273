"""The Runtime API: the four calls by which a function's process gets its events and gives its results.

https://docs.aws.amazon.com/lambda/latest/dg/runtimes-api.html
"""

import json
import queue
import socketserver
import threading
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler
from typing import Any

_PREFIX = "/2018-06-01/runtime"


@dataclass(frozen=True, kw_only=True)
class Invocation:
    """One event on its way to a function.

    Attributes:
        request_id: of the invocation.
        arn: of the function.
        event: a JSON document.
        deadline_ms: when the invocation times out, in milliseconds since 1970.
        trace_id: of the trace that it belongs to.
    """

    request_id: str
    arn: str
    event: bytes
    deadline_ms: int
    trace_id: str


@dataclass(frozen=True)
class Answer:
    """What an invocation, or the start of a process, came to.

    Attributes:
        payload: a JSON document: the result, or errorMessage, errorType and, from the process itself, stackTrace.
        failed: whether it is an error.
    """

    payload: bytes
    failed: bool


class RuntimeApi:
    """The API for one worker, on a free port of 127.0.0.1.

    Attributes:
        address: host and port.
        asked: whether the process has asked for an event, so: whether its start has succeeded.
        answer: what the last event offered, or a failed start, came to; None: there is none yet.
        news: set whenever one of the two changes.
    """

    def __init__(self) -> None:
        self.asked = False
        self.answer: Answer | None = None
        self.news = threading.Event()
        self._next: queue.SimpleQueue[Invocation | None] = queue.SimpleQueue()
        self._server = _Server(self)
        self.address = f"127.0.0.1:{self._server.server_address[1]}"
        threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True).start()

    def offer(self, invocation: Invocation) -> None:
        """Hand an event to the process as soon as it asks."""
        self.answer = None
        self._next.put(invocation)

    def close(self) -> None:
        """Stop serving; the process, if it lives, ends at its next call."""
        self._next.put(None)
        self._server.shutdown()
        self._server.server_close()

    def next_invocation(self) -> Invocation | None:
        """Wait for the next event; None: there will be none."""
        self.asked = True
        self.news.set()
        return self._next.get()

    def conclude(self, answer: Answer) -> None:
        """Take the process's answer."""
        self.answer = answer
        self.news.set()


class _Server(socketserver.ThreadingTCPServer):  # not http.server's, which looks its own name up in the DNS
    allow_reuse_address = True
    daemon_threads = True
    block_on_close = False

    def __init__(self, api: RuntimeApi) -> None:
        self.api = api
        super().__init__(("127.0.0.1", 0), _Handler)


class _Handler(BaseHTTPRequestHandler):
    server: _Server
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        if self.path != f"{_PREFIX}/invocation/next":
            self._answer(404, b"{}")
            return
        invocation = self.server.api.next_invocation()
        if invocation is None:
            self.close_connection = True
            return
        self._answer(
            200,
            invocation.event,
            {
                "Lambda-Runtime-Aws-Request-Id": invocation.request_id,
                "Lambda-Runtime-Deadline-Ms": str(invocation.deadline_ms),
                "Lambda-Runtime-Invoked-Function-Arn": invocation.arn,
                "Lambda-Runtime-Trace-Id": invocation.trace_id,
            },
        )

    def do_POST(self) -> None:
        body = self._body()
        if self.path.endswith("/response"):
            self.server.api.conclude(Answer(body, failed=False))
        elif self.path.endswith("/error"):  # of an invocation or of the start
            self.server.api.conclude(Answer(body, failed=True))
        else:
            self._answer(404, b"{}")
            return
        self._answer(202, json.dumps({"status": "OK"}).encode())

    def _body(self) -> bytes:
        if self.headers.get("Transfer-Encoding", "").lower() != "chunked":
            return self.rfile.read(int(self.headers.get("Content-Length", 0)))
        body = b""
        while size := int(self.rfile.readline().split(b";")[0], 16):
            body += self.rfile.read(size)
            self.rfile.readline()
        self.rfile.readline()
        return body

    def _answer(self, status: int, body: bytes, headers: dict[str, str] | None = None) -> None:
        self.send_response(status)
        for name, value in {"Content-Type": "application/json", **(headers or {})}.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the base class's signature
        """Say nothing: the daemon's log is for what goes wrong."""
