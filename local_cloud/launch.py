"""Starts a cloud's daemon, and reads what it writes."""

import os
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Protocol

from local_cloud import libpq
from local_cloud.folder import StateFolder
from totes.errors import UserError

_READY_SECONDS = 120.0


def check_localhost() -> None:
    """Refuse a machine on which no client finds the endpoint: it listens on 127.0.0.1, and its URL says localhost.

    Raises:
        UserError: it is one.
    """
    try:
        found = {address[0] for *_, address in socket.getaddrinfo("localhost", None, socket.AF_INET)}
    except socket.gaierror:
        found = set()
    if "127.0.0.1" not in found:
        raise UserError("localhost is not 127.0.0.1 on this machine; add the line `127.0.0.1 localhost` to /etc/hosts")


class Process(Protocol):
    """A daemon's process, as `subprocess.Popen` has it."""

    @property
    def pid(self) -> int:
        """Its id."""

    def poll(self) -> int | None:
        """Its exit code; None: it has not ended."""

    def wait(self) -> int:
        """Wait for its end; return its exit code."""


def start(words: Sequence[str], *, folder: Path, log: int, lock: int, owner: int) -> Process:
    """Start a daemon's process, in a session of its own: a Ctrl-C meant for its starter is not meant for it.

    Args:
        words: its arguments, but for the owner's.
        folder: where it runs.
        log: file descriptor of where its output goes.
        lock: file descriptor of the folder's lock.
        owner: file descriptor of the pipe by which it learns of its owner's end.
    """
    return subprocess.Popen(  # noqa: S603 - this very program
        [sys.executable, "-m", "local_cloud.daemon", *words, f"--owner={owner}"],
        cwd=folder,
        env=environment(),
        stdin=subprocess.DEVNULL,
        stdout=log,
        stderr=subprocess.STDOUT,
        start_new_session=True,
        pass_fds=(lock, owner),
    )


def environment() -> dict[str, str]:
    """The environment variables of a daemon: this process's, without those that would point it to another place."""
    foreign = ("AWS_", "MOTO_", libpq.PREFIX)
    return {
        **{name: value for name, value in os.environ.items() if not name.startswith(foreign)},
        "NO_PROXY": "localhost,127.0.0.1",  # it calls nobody but itself
        "no_proxy": "localhost,127.0.0.1",
        "AWS_CONFIG_FILE": os.devnull,
        "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
    }


class Daemon:
    """The daemon of a folder, in a session of its own.

    Attributes:
        pid: of its process.
    """

    def __init__(
        self,
        folder: StateFolder,
        lock: int,
        embed: Sequence[str],
        *,
        persistent: bool = False,
        scheduled: bool = False,
    ) -> None:
        """Start it; until it is released it ends when this process does, however that comes about.

        Args:
            folder: of the cloud.
            lock: the file descriptor of the folder's lock, which the daemon holds from now on.
            embed: the databases ("source", "warehouse") that an embedded PostgreSQL holds.
            persistent: whether lake, secrets and databases outlive it, in the folder.
            scheduled: whether schedules fire.
        """
        self._folder = folder
        # A pipe: its other end closes when this process ends, even by kill -9.
        owner, self._owned = os.pipe()
        with folder.log.open("ab") as log:
            self._process = start(
                [
                    *("--state", str(folder.path)),
                    *(f"--embed={login_name}" for login_name in embed),
                    *(["--persistent"] if persistent else []),
                    *(["--scheduled"] if scheduled else []),
                ],
                folder=folder.path,
                log=log.fileno(),
                lock=lock,
                owner=owner,
            )
        os.close(owner)
        self.pid = self._process.pid
        folder.daemon.add(self.pid)
        threading.Thread(target=self._process.wait, daemon=True).start()  # so that it leaves no zombie when it ends

    def release(self) -> None:
        """Let it outlive this process."""
        os.write(self._owned, b"released")

    def await_document(self, name: str) -> dict[str, Any]:
        """Wait until the daemon has written a document; raise UserError if that tells of an error, or does not come."""
        deadline = time.monotonic() + _READY_SECONDS
        while (document := self._folder.read(name)) is None:
            if self._process.poll() is not None or time.monotonic() > deadline:
                raise UserError(f"the local cloud did not start; what went wrong is in {self._folder.log}")
            time.sleep(0.02)
        if error := document.get("error"):
            raise UserError(error)
        return document
