"""A server that lets nobody in, and says so in the encoding of its machine, as PostgreSQL does before a login."""

import contextlib
import socket
import struct
import threading
from collections.abc import Iterator

from tests.support.pooler import startup

REFUSAL = "Passwort-Authentifizierung für Benutzer »me« fehlgeschlagen"
"""What a German server says of a wrong password."""

SEEN = r"Passwort-Authentifizierung f\xfcr Benutzer \xbbme\xab fehlgeschlagen"
"""The same, where it was said in Windows' encoding, as totes shows it."""


@contextlib.contextmanager
def refusing_server(encoding: str = "cp1252") -> Iterator[int]:
    """The port of a server of this machine that refuses every login with `REFUSAL`."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=_serve, args=(listener, REFUSAL.encode(encoding)))
        thread.start()
        try:
            yield listener.getsockname()[1]
        finally:
            listener.shutdown(socket.SHUT_RDWR)
            thread.join()


def _serve(listener: socket.socket, words: bytes) -> None:
    """One refusal after the other."""
    fields = b"".join((b"SFATAL\0", b"VFATAL\0", b"C28P01\0", b"M", words, b"\0", b"\0"))
    with contextlib.suppress(OSError):
        while True:
            client, _ = listener.accept()
            with client:
                startup(client)
                client.sendall(b"E" + struct.pack("!I", len(fields) + 4) + fields)
                client.recv(1)  # what is closed with something unread resets the connection
