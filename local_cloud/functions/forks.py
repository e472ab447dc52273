"""Processes of functions that are forks of one which has imported what they import."""

import contextlib
import json
import os
import queue
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from local_cloud.functions import forker
from local_cloud.processes import is_running

_IMPORTED = (
    *("aws_lambda_powertools", "aws_lambda_powertools.logging", "aws_lambda_powertools.metrics"),
    *("botocore.session", "botocore.client", "botocore.httpsession", "polars", "psycopg2", "psycopg2.extras"),
    *("totes.capture", "totes.databases", "totes.dashboard_snapshot", "totes.star", "totes.verify", "totes.warehouse"),
)
"""What totes' functions import of their layers, and what no environment variable is read by meanwhile.

A module that a layer does not have is passed over.
"""


class Fork:
    """A function's process, as `subprocess.Popen` has it.

    Attributes:
        pid: its id, and its session's.
        returncode: how it has ended, less than 0: by which signal; None: it has not.
    """

    def __init__(self, pid: int) -> None:
        self.pid = pid
        self.returncode: int | None = None
        self._ended = threading.Event()

    def poll(self) -> int | None:
        """How it has ended."""
        if self.returncode is None and not is_running(self.pid):
            return self.wait()  # the process that has forked it is about to say so
        return self.returncode

    def wait(self) -> int:
        """Wait for its end."""
        self._ended.wait()
        assert self.returncode is not None  # noqa: S101 - `end` has said so
        return self.returncode

    def end(self, code: int) -> None:
        """Note its end."""
        self.returncode = code
        self._ended.set()


class Forks:
    """Starts forks for functions with the same layers.

    Args:
        client: the module that they run.
        path: the folders of the layers and of the client.
    """

    def __init__(self, client: str, path: Sequence[Path]) -> None:
        ours, theirs = socket.socketpair()
        self._socket = ours
        with theirs:
            self._process = subprocess.Popen(  # noqa: S603 - the interpreter that runs this very program
                [sys.executable, "-S", forker.__file__, str(theirs.fileno()), client, *_IMPORTED],
                cwd="/",
                env={
                    "PATH": os.defpath,
                    "LANG": "C.UTF-8",
                    "PYTHONPATH": os.pathsep.join(map(str, path)),
                    "PYTHONUNBUFFERED": "1",
                },
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                start_new_session=True,
                pass_fds=(theirs.fileno(),),
            )
        self._asking = threading.Lock()
        self._started: queue.SimpleQueue[Fork | None] = queue.SimpleQueue()
        self._listener = threading.Thread(target=self._listen, daemon=True)
        self._listener.start()

    @property
    def is_alive(self) -> bool:
        """Whether it can start more."""
        return self._process.poll() is None

    def start(
        self, *, folder: Path, path: Sequence[Path], variables: Mapping[str, str], output: Path, handler: str
    ) -> Fork:
        """Start a process.

        Args:
            folder: where it runs.
            path: what it imports from, before the standard library.
            variables: its environment variables.
            output: the file that its output is added to.
            handler: the function's handler.

        Raises:
            RuntimeError: the process that forks is no more.
        """
        asked = {
            "folder": str(folder),
            "path": [str(each) for each in path],
            "variables": dict(variables),
            "output": str(output),
            "handler": handler,
        }
        with self._asking:
            with contextlib.suppress(OSError):  # then it is not there to answer either
                self._socket.sendall(json.dumps(asked).encode() + b"\n")
            fork = self._started.get()
        if fork is None:
            self._started.put(None)  # for whoever asks next
            raise RuntimeError("the process that functions are forked from has ended")
        return fork

    def close(self) -> None:
        """End the process that forks."""
        with contextlib.suppress(OSError):
            self._socket.shutdown(socket.SHUT_RDWR)
        self._process.wait()
        self._listener.join()
        self._socket.close()

    def _listen(self) -> None:
        forks: dict[int, Fork] = {}
        with self._socket.makefile("rb") as lines, contextlib.suppress(OSError):
            for line in lines:
                said: dict[str, Any] = json.loads(line)
                if "started" in said:
                    forks[said["started"]] = Fork(said["started"])
                    self._started.put(forks[said["started"]])
                else:
                    forks.pop(said["ended"]).end(said["code"])
        for fork in forks.values():  # nobody can say any more how they end
            with contextlib.suppress(ProcessLookupError):
                os.killpg(fork.pid, signal.SIGKILL)
            fork.end(-signal.SIGKILL)
        self._started.put(None)


class Forking:
    """The processes that functions' processes are forked from: one for each set of layers, started when first needed.

    Args:
        client: the module that they run.
    """

    def __init__(self, client: str) -> None:
        self._client = client
        self._lock = threading.Lock()
        self._forks: dict[tuple[Path, ...], Forks] = {}

    def of(self, path: tuple[Path, ...]) -> Forks:
        """That of the functions that import from some folders, beside their own."""
        with self._lock:
            forks = self._forks.get(path)
            if forks is not None and not forks.is_alive:
                forks.close()
                forks = None
            if forks is None:
                forks = self._forks[path] = Forks(self._client, path)
            return forks

    def close(self) -> None:
        """End them."""
        with self._lock:
            for forks in self._forks.values():
                forks.close()
            self._forks.clear()
