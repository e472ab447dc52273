"""Local clouds' daemons as forks of a process that has imported them.

To import moto takes a daemon four seconds of a processor, and another to read what AWS's services are. Those that are
started by a command, and those whose own beginning and end tests are about, are what a person has: a command may be a
fork itself, and that would start another process to fork from, which imports all of it again.
"""

import os
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from multiprocessing import process as multiprocessing_process
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

from local_cloud import daemon, launch
from tests.support import processes
from tests.support.processes import PROCESSES

_held: list[Connection] = []
"""What is open as long as the daemon lives."""


class _Forked:
    """A fork, as `subprocess.Popen` has a process."""

    def __init__(self, process: Any) -> None:
        self._process = process
        self.pid: int = process.pid

    def poll(self) -> int | None:
        code: int | None = self._process.exitcode
        return code

    def wait(self) -> int:
        self._process.join()
        code: int = self._process.exitcode
        return code


def start(words: Sequence[str], *, folder: Path, log: int, lock: int, owner: int) -> _Forked:
    """Start a daemon; see `local_cloud.launch.start`."""
    passed = [Connection(os.dup(descriptor)) for descriptor in (log, lock, owner)]
    process = PROCESSES.Process(target=_serve, args=(list(words), folder, launch.environment(), passed))
    process.start()
    for each in passed:
        each.close()
    # Who ends does not wait for its children's end first: a daemon may outlive who has started it.
    multiprocessing_process._children.discard(process)  # type: ignore[attr-defined]
    return _Forked(process)


@contextmanager
def forks() -> Iterator[None]:
    """Have the daemons that this process starts meanwhile be forks."""
    processes.start()
    before, launch.start = launch.start, start
    try:
        yield
    finally:
        launch.start = before


def _serve(words: Sequence[str], folder: Path, variables: Mapping[str, str], passed: Sequence[Connection]) -> None:
    log, lock, owner = passed
    os.setsid()
    os.chdir(folder)
    os.environ.clear()
    os.environ.update(variables)
    with Path(os.devnull).open("rb") as nothing:
        os.dup2(nothing.fileno(), 0)
    for stream in (1, 2):
        os.dup2(log.fileno(), stream)
    log.close()
    _held.extend((lock, owner))
    sys.argv = [daemon.__file__, *words, f"--owner={owner.fileno()}"]
    daemon.main()
