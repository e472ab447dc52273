"""A server that lets nobody in, and says so in the encoding of its machine, as PostgreSQL does before a login."""

import contextlib
import socket
import struct
import sys
from collections.abc import Iterator

from tests.support.listening import listening, startup

REFUSAL = "Passwort-Authentifizierung für Benutzer »me« fehlgeschlagen"
"""What a German server says of a wrong password."""

SEEN = (
    r"Passwort-Authentifizierung f\xfcr Benutzer \xbbme\xab fehlgeschlagen"
    if sys.version_info >= (3, 11, 5)
    else "the server answered in words that are no UTF-8"
)
"""The same, where it was said in Windows' encoding, as totes shows it: a Python that drops it leaves only that."""


@contextlib.contextmanager
def refusing_server(encoding: str = "cp1252") -> Iterator[int]:
    """The port of a server of this machine that refuses every login with `REFUSAL`."""
    fields = b"".join((b"SFATAL\0", b"VFATAL\0", b"C28P01\0", b"M", REFUSAL.encode(encoding), b"\0", b"\0"))

    def refuse(client: socket.socket) -> None:
        startup(client)
        client.sendall(b"E" + struct.pack("!I", len(fields) + 4) + fields)
        client.recv(1)  # what is closed with something unread resets the connection

    with listening(refuse) as port:
        yield port
