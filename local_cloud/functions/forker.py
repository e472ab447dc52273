"""A process that has imported what functions import, and makes a function's process by a fork of itself.

A function's imports are the same each time, and take a second of a processor. It is run by path, in an interpreter that
cannot import this project: `python -S forker.py DESCRIPTOR CLIENT [MODULE]...`. The descriptor is a socket's. On it
comes a line of JSON for each process to be started: `folder`, `path`, `variables`, `output` and `handler`. A line is
answered for each that was (`started`, its pid) and, later, for each that has ended (`ended`, with its exit `code`).
"""

import contextlib
import gc
import importlib
import json
import os
import runpy
import selectors
import signal
import socket
import sys
import time
import traceback
from typing import Any

_READ_BYTES = 65536


def main(descriptor: str, client: str, *modules: str) -> None:
    """Import what is there of some modules, and fork until the socket's other end closes.

    Args:
        descriptor: the socket's file descriptor.
        client: the module that a function's process runs.
        modules: what functions import.
    """
    sys.path.pop(0)  # this program's own folder
    gc.disable()
    for module in modules:
        with contextlib.suppress(ImportError):
            importlib.import_module(module)
    gc.enable()
    gc.collect()
    gc.freeze()  # what is here stays, so no fork need look whether it is garbage
    Forker(socket.socket(fileno=int(descriptor)), client).run()


class Forker:
    """Forks, and tells how forks have ended."""

    def __init__(self, asked: socket.socket, client: str) -> None:
        self._asked = asked
        self._client = client
        self._library = list(sys.path)
        self._woken, self._wakes = os.pipe()

    def run(self) -> None:
        """Do what is asked until nobody can ask any more."""
        for end in (self._woken, self._wakes):
            os.set_blocking(end, False)
        signal.set_wakeup_fd(self._wakes)
        signal.signal(signal.SIGCHLD, lambda *_: None)  # so that the pipe is written to
        with selectors.DefaultSelector() as selector:
            selector.register(self._asked, selectors.EVENT_READ)
            selector.register(self._woken, selectors.EVENT_READ)
            unfinished = b""
            while True:
                ready = {key.fd for key, _ in selector.select()}
                if self._woken in ready:
                    os.read(self._woken, _READ_BYTES)
                    self._tell_ended()
                if self._asked.fileno() in ready:
                    read = self._asked.recv(_READ_BYTES)
                    if not read:
                        return
                    *lines, unfinished = (unfinished + read).split(b"\n")
                    for line in lines:
                        self._start(json.loads(line))

    def _start(self, process: dict[str, Any]) -> None:
        ready, says = os.pipe()
        pid = os.fork()
        if pid == 0:
            signal.set_wakeup_fd(-1)
            signal.signal(signal.SIGCHLD, signal.SIG_DFL)
            os.setsid()
            self._asked.close()
            for end in (ready, says, self._woken, self._wakes):
                os.close(end)
            os._exit(self._become(process))
        os.close(says)
        os.read(ready, 1)  # it has a session of its own from now on, by which it can be ended
        os.close(ready)
        self._tell(started=pid)

    def _become(self, process: dict[str, Any]) -> int:
        """Be a function's process, to its end; return the exit code."""
        output = os.open(process["output"], os.O_WRONLY | os.O_APPEND | os.O_CREAT)
        for stream in (1, 2):
            os.dup2(output, stream)
        os.close(output)
        os.chdir(process["folder"])
        os.environ.clear()
        os.environ.update(process["variables"])
        time.tzset()
        sys.path[:] = [*process["path"], *(each for each in self._library if each not in process["path"])]
        sys.argv[:] = [self._client, process["handler"]]
        try:
            runpy.run_module(self._client, run_name="__main__", alter_sys=True)
        except SystemExit as ended:
            return ended.code if isinstance(ended.code, int) else int(ended.code is not None)
        except BaseException:  # noqa: BLE001 - as an interpreter does that nothing catches anything for
            traceback.print_exc()
            return 1
        return 0

    def _tell_ended(self) -> None:
        with contextlib.suppress(ChildProcessError):
            while (ended := os.waitpid(-1, os.WNOHANG))[0]:
                self._tell(ended=ended[0], code=os.waitstatus_to_exitcode(ended[1]))

    def _tell(self, **said: int) -> None:
        self._asked.sendall(json.dumps(said).encode() + b"\n")


if __name__ == "__main__":
    main(*sys.argv[1:])
