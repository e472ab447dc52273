"""What stands in for a PostgreSQL server, or before one, and speaks its protocol."""

import contextlib
import socket
import struct
import threading
from collections.abc import Callable, Iterator

_ASKS_FOR_ENCRYPTION = {80877103, 80877104}
"""SSLRequest and GSSENCRequest (https://www.postgresql.org/docs/current/protocol-message-formats.html)."""


@contextlib.contextmanager
def listening(serve: Callable[[socket.socket], None]) -> Iterator[int]:
    """The port of a server of this machine that serves one client after the other."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=_accept, args=(listener, serve))
        thread.start()
        try:
            yield listener.getsockname()[1]
        finally:
            listener.shutdown(socket.SHUT_RDWR)
            thread.join()


def _accept(listener: socket.socket, serve: Callable[[socket.socket], None]) -> None:
    with contextlib.suppress(OSError):
        while True:
            client, _ = listener.accept()
            with client:
                serve(client)


def startup(client: socket.socket) -> tuple[int, bytes]:
    """What a client begins a session with, without encryption: the protocol's version, and its parameters."""
    while True:
        length, code = struct.unpack("!II", client.recv(8, socket.MSG_WAITALL))
        if code not in _ASKS_FOR_ENCRYPTION:
            break
        client.sendall(b"N")
    return code, client.recv(length - 8, socket.MSG_WAITALL)
