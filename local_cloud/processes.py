"""A note of every process that a cloud has started, so that none outlives it, not even after a kill -9."""

import contextlib
import time
from collections.abc import Iterable
from pathlib import Path

import psutil

_KILL_SECONDS = 10.0
_START_TICKS = 19
"""Of the fields of /proc/PID/stat that follow the program's name (proc_pid_stat(5): starttime)."""


class ProcessRegister:
    """A folder with one file a process: its name is the pid, its content when the process was started.

    That tells the process from a later one that got the same pid, which must not be touched.
    """

    def __init__(self, directory: Path) -> None:
        self._directory = directory

    def add(self, pid: int) -> None:
        """Note a running process; one that has ended already needs no note."""
        with contextlib.suppress(psutil.NoSuchProcess):
            started = _started(psutil.Process(pid))
            self._directory.mkdir(parents=True, exist_ok=True)
            (self._directory / str(pid)).write_text(started, encoding="ascii")

    def remove(self, pid: int) -> None:
        """Forget a process that has ended."""
        (self._directory / str(pid)).unlink(missing_ok=True)

    def end_all(self, *, patience: float = 0.0) -> None:
        """End every noted process that still runs, with its children, and forget them all.

        Args:
            patience: seconds in which they may end of themselves when asked to; 0: they are killed unasked.
        """
        notes = list(self._directory.iterdir()) if self._directory.is_dir() else []
        end([process for note in notes if (process := _noted(note))], patience=patience)
        for note in notes:
            note.unlink(missing_ok=True)


def end(processes: Iterable[psutil.Process], *, patience: float) -> None:
    """Ask processes to end; kill those that have not after some seconds, and all their children."""
    family: list[psutil.Process] = []
    asked = list(processes)
    for process in asked:
        with contextlib.suppress(psutil.NoSuchProcess):
            family += [process, *process.children(recursive=True)]
    if patience:
        for process in asked:
            with contextlib.suppress(psutil.NoSuchProcess):
                process.terminate()
        still_alive(asked, patience)
    for process in family:
        with contextlib.suppress(psutil.NoSuchProcess):
            process.kill()
    still_alive(family, _KILL_SECONDS)


def still_alive(processes: Iterable[psutil.Process], seconds: float) -> list[psutil.Process]:
    """Wait for processes to end; return those that have not after some seconds."""
    deadline = time.monotonic() + seconds
    alive = [process for process in processes if lives(process)]
    while alive and time.monotonic() < deadline:
        time.sleep(0.01)
        alive = [process for process in alive if lives(process)]
    return alive


def memory_of(process: psutil.Process) -> int:
    """The bytes that a process, its children and theirs hold; what ends meanwhile holds none."""
    held = 0
    for each in (process, *_descendants(process)):
        with contextlib.suppress(psutil.NoSuchProcess):
            held += each.memory_info().rss
    return held


def lives(process: psutil.Process) -> bool:
    """Whether a process runs; one that has ended and is not reaped yet does not."""
    try:
        return bool(process.is_running() and process.status() != psutil.STATUS_ZOMBIE)
    except psutil.NoSuchProcess:
        return False


def is_running(pid: int) -> bool:
    """Whether there is a process of that id which has not ended."""
    try:
        return lives(psutil.Process(pid))
    except psutil.NoSuchProcess:
        return False


def _descendants(process: psutil.Process) -> list[psutil.Process]:
    """The children of a process, and theirs.

    psutil reads the parent of every process of the machine to find them. Linux tells the children of one, unless it
    was built without that (proc_pid_children(5)).
    """
    tasks = Path(f"/proc/{process.pid}/task")
    try:
        pids = [int(pid) for task in tasks.iterdir() for pid in (task / "children").read_bytes().split()]
    except OSError:  # no such Linux, or a thread or the process is gone this moment
        with contextlib.suppress(psutil.NoSuchProcess):
            found: list[psutil.Process] = process.children(recursive=True)
            return found
        return []
    children = []
    for pid in pids:
        with contextlib.suppress(psutil.NoSuchProcess):
            children.append(psutil.Process(pid))
    return children + [each for child in children for each in _descendants(child)]


def _noted(note: Path) -> psutil.Process | None:
    try:
        process = psutil.Process(int(note.name))
        same = _started(process) == note.read_text(encoding="ascii")
    except (psutil.NoSuchProcess, ValueError):
        return None
    return process if same else None


def _started(process: psutil.Process) -> str:
    """When a process was started, in words that stay the same while it runs.

    Linux counts from the machine's start; psutil adds what the clock says of that, which a corrected clock changes.
    """
    try:
        ticks = (
            Path(f"/proc/{process.pid}/stat").read_text(encoding="utf-8", errors="replace").rpartition(")")[2].split()
        )
        boot = Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()
    except OSError:  # no Linux, or gone this moment
        return repr(process.create_time())
    return f"{boot} {ticks[_START_TICKS]}"
