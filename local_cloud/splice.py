"""Joins two connections, so that each gets what the other sends."""

import socket
import threading
from contextlib import suppress

_PIECE = 65536


def splice(one: socket.socket, other: socket.socket) -> None:
    """Pass on what each of two connections sends to the other, until both have ended."""
    back = threading.Thread(target=_hand_on, args=(other, one), daemon=True)
    back.start()
    _hand_on(one, other)
    back.join()


def _hand_on(source: socket.socket, target: socket.socket) -> None:
    with suppress(OSError):
        while piece := source.recv(_PIECE):
            target.sendall(piece)
    with suppress(OSError):
        target.shutdown(socket.SHUT_WR)
