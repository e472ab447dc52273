"""A pooler that lets every session through and drops its settings, as PgBouncer does where it is told to."""

import contextlib
import select
import socket
import struct
import threading
from collections.abc import Iterator

_ASKS_FOR_ENCRYPTION = {80877103, 80877104}
"""SSLRequest and GSSENCRequest (https://www.postgresql.org/docs/current/protocol-message-formats.html)."""


@contextlib.contextmanager
def without_options(port: int) -> Iterator[int]:
    """The port of a pooler before a server of this machine, which drops the startup parameter `options`."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=_serve, args=(listener, port))
        thread.start()
        try:
            yield listener.getsockname()[1]
        finally:
            listener.shutdown(socket.SHUT_RDWR)
            thread.join()


def _serve(listener: socket.socket, port: int) -> None:
    """One session after the other."""
    with contextlib.suppress(OSError):
        while True:
            client, _ = listener.accept()
            with client, socket.create_connection(("127.0.0.1", port)) as server:
                server.sendall(_without_options(*startup(client)))
                _splice(client, server)


def startup(client: socket.socket) -> tuple[int, bytes]:
    """What a client begins a session with, without encryption: the protocol's version, and its parameters."""
    while True:
        length, code = struct.unpack("!II", client.recv(8, socket.MSG_WAITALL))
        if code not in _ASKS_FOR_ENCRYPTION:
            break
        client.sendall(b"N")
    return code, client.recv(length - 8, socket.MSG_WAITALL)


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
