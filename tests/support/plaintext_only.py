"""A server that takes a role's password as plain text alone, and says so at COMMIT, as Neon's does."""

import contextlib
import select
import socket
import struct
import threading
from collections.abc import Iterator

from tests.support.listening import listening, startup

SAID = 'Received HTTP code 400 from control plane: {"error":"Neon only supports being given plaintext passwords"}'
"""What Neon says of a SCRAM verifier."""

_COMMIT = b"COMMIT\0"


@contextlib.contextmanager
def plaintext_only(port: int) -> Iterator[int]:
    """The port of a way to a server of this machine, on which no transaction with a SCRAM verifier is committed."""

    def serve(
        client: socket.socket,
    ) -> None:  # several at once: an administrator's session looks whether a role gets in
        threading.Thread(target=_serve, args=(client.dup(), port), daemon=True).start()

    with listening(serve) as way:
        yield way


def _serve(client: socket.socket, port: int) -> None:
    with client, socket.create_connection(("127.0.0.1", port)) as server, contextlib.suppress(EOFError, OSError):
        code, parameters = startup(client)
        server.sendall(struct.pack("!II", len(parameters) + 8, code) + parameters)
        _splice(client, server)


def _splice(client: socket.socket, server: socket.socket) -> None:
    has_verifier = False
    while True:
        for end in select.select([client, server], [], [])[0]:
            kind, body = _message(end)
            if end is server:
                client.sendall(_framed(kind, body))
            elif kind == b"Q" and body == _COMMIT and has_verifier:
                has_verifier = False
                server.sendall(_framed(b"Q", b"ROLLBACK\0"))
                _message(server)  # that it is done
                fields = (b"SERROR", b"VERROR", b"CXX000", b"M" + SAID.encode(), b"")
                client.sendall(_framed(b"E", b"\0".join([*fields, b""])))
            else:
                has_verifier |= b"SCRAM-SHA-256$" in body
                server.sendall(_framed(kind, body))


def _message(end: socket.socket) -> tuple[bytes, bytes]:
    head = end.recv(5, socket.MSG_WAITALL)
    if len(head) < 5:
        raise EOFError
    kind, length = struct.unpack("!cI", head)
    return kind, end.recv(length - 4, socket.MSG_WAITALL) if length > 4 else b""


def _framed(kind: bytes, body: bytes) -> bytes:
    return kind + struct.pack("!I", len(body) + 4) + body
