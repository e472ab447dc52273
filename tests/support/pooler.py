"""A pooler that lets every session through and drops its settings, as PgBouncer does where it is told to."""

import contextlib
import select
import socket
import struct
from collections.abc import Iterator

from tests.support.listening import listening, startup


@contextlib.contextmanager
def without_options(port: int) -> Iterator[int]:
    """The port of a pooler before a server of this machine, which drops the startup parameter `options`."""

    def serve(client: socket.socket) -> None:
        with socket.create_connection(("127.0.0.1", port)) as server:
            server.sendall(_without_options(*startup(client)))
            _splice(client, server)

    with listening(serve) as pooled:
        yield pooled


def _without_options(code: int, parameters: bytes) -> bytes:
    words = parameters.split(b"\0")
    kept = [
        word
        for name, value in zip(words[::2], words[1::2], strict=False)
        if name and name != b"options"
        for word in (name, value)
    ]
    body = struct.pack("!I", code) + b"\0".join([*kept, b"", b""])
    return struct.pack("!I", len(body) + 4) + body


def _splice(client: socket.socket, server: socket.socket) -> None:
    other = {client: server, server: client}
    while True:
        for end in select.select([client, server], [], [])[0]:
            piece = end.recv(65536)
            if not piece:
                return
            other[end].sendall(piece)
