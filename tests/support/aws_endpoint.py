"""An AWS endpoint in a process of its own, on a port that nobody else has.

`python -m tests.support.aws_endpoint` says the port and serves until it is killed; `aws_endpoint` starts it.
"""

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from moto.moto_server.werkzeug_app import DomainDispatcherApplication, MotoRequestHandler, create_backend_app
from werkzeug.serving import make_server

_PROJECT = Path(__file__).parents[2]


@contextmanager
def aws_endpoint() -> Iterator[str]:
    """The URL of a new endpoint."""
    process = subprocess.Popen(
        [sys.executable, "-W", "ignore", "-m", __name__],
        cwd=_PROJECT,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        env={**os.environ, "COVERAGE_PROCESS_START": ""},
        text=True,
    )
    try:
        assert process.stdout is not None
        with process.stdout as said:
            port = int(said.readline())
            yield f"http://localhost:{port}"
    finally:
        process.kill()
        process.wait()


def _serve() -> None:
    application = DomainDispatcherApplication(create_backend_app)
    server = make_server("127.0.0.1", 0, application, threaded=True, request_handler=MotoRequestHandler)
    print(server.server_port, flush=True)  # noqa: T201 - to whoever started it
    server.serve_forever()


if __name__ == "__main__":
    _serve()
