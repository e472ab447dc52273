"""A TCP proxy of ours between a function and what it speaks to: it delays, it cuts, it falls silent."""

import contextlib
import ctypes
import errno
import functools
import select
import socket
import struct
import sys
import threading
import time

_ATTACH_FILTER = 26
"""SO_ATTACH_FILTER of Linux: what it drops, TCP never sees, so nothing of it is acknowledged."""

_CHUNK = 65536


class Proxy:
    """Forwards from a port of 127.0.0.1 to another one, until it gets another order.

    Attributes:
        port: where it listens.
        delay: seconds that each piece waits before it is handed on.
    """

    def __init__(self, target: int) -> None:
        self.delay = 0.0
        self._target = target
        self._pairs: list[tuple[socket.socket, socket.socket]] = []
        self._silent: set[socket.socket] = set()
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    @staticmethod
    @functools.cache
    def falls_silent() -> bool:
        """Whether this machine lets a connection fall silent, and lets whoever runs this do so."""
        if sys.platform != "linux":
            return False
        with socket.socket() as end:
            try:
                _drop_all(end)
            except PermissionError:
                return False
        return True

    def cut(self) -> int:
        """Reset every connection at both ends, as a firewall does that has forgotten it; return how many there were."""
        pairs, self._pairs = self._pairs, []
        for pair in pairs:
            for end in pair:
                with contextlib.suppress(OSError):
                    end.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                    end.shutdown(socket.SHUT_RDWR)
        return len(pairs)

    def silence(self) -> int:
        """Let every connection that there is be half open: nothing comes through, and nobody notices; new ones work.

        Neither end's packets are acknowledged, not even its keepalives, as where a host has lost its power.

        Returns:
            How many connections there were; one that is closed meanwhile is none.
        """
        return sum(all(self._let_fall_silent(end) for end in pair) for pair in self._pairs)

    def _let_fall_silent(self, end: socket.socket) -> bool:
        try:
            _drop_all(end)
        except OSError as error:
            if error.errno != errno.EBADF:
                raise
            return False
        self._silent.add(end)
        return True

    def close(self) -> None:
        """End all."""
        self._listener.close()
        self.cut()

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                theirs, _ = self._listener.accept()
                ours = socket.create_connection(("127.0.0.1", self._target))
                for end in (theirs, ours):
                    end.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                self._pairs.append((theirs, ours))
                threading.Thread(target=self._forward, args=(theirs, ours), daemon=True).start()

    def _forward(self, theirs: socket.socket, ours: socket.socket) -> None:
        other = {theirs: ours, ours: theirs}
        with contextlib.suppress(OSError, ValueError):
            while True:
                ready, _, _ = select.select([theirs, ours], [], [])
                if theirs in self._silent:
                    return
                for end in ready:
                    piece = end.recv(_CHUNK)
                    time.sleep(self.delay)
                    if not piece:
                        theirs.close()
                        ours.close()
                        return
                    other[end].sendall(piece)


def _drop_all(end: socket.socket) -> None:
    """Let the kernel drop every packet that comes for a socket, by a filter whose one instruction is to keep none."""
    instruction = ctypes.create_string_buffer(struct.pack("HBBI", 0x06, 0, 0, 0))
    program = struct.pack("HL", 1, ctypes.addressof(instruction))
    end.setsockopt(socket.SOL_SOCKET, _ATTACH_FILTER, program)
