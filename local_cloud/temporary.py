"""Folders of clouds that are to leave nothing behind, and the removal of what killed ones have left."""

import fcntl
import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from local_cloud.folder import StateFolder

STATE = "state"
"""The cloud's own folder in one of these."""

_PREFIX = "demo-"
_LOCK = "lock"


@contextmanager
def temporary_folder(home: Path, removed: Callable[[Path, int], None]) -> Iterator[Path]:
    """Within this context there is a folder for a cloud; folders that killed processes have left are removed first.

    Args:
        home: where it is made.
        removed: called with each folder that was left, and of its bytes.
    """
    home.mkdir(exist_ok=True)
    with _locked(home):  # so that nobody takes a new folder for an abandoned one before its lock is held
        for left in sorted(home.glob(f"{_PREFIX}*")):
            if _is_left(left):
                size = _bytes_in(left)
                if (left / STATE).exists():
                    StateFolder(left / STATE).remove()
                shutil.rmtree(left)
                removed(left, size)
        folder = Path(tempfile.mkdtemp(prefix=_PREFIX, dir=home))
        held = os.open(folder / _LOCK, os.O_RDWR | os.O_CREAT, 0o600)
        fcntl.flock(held, fcntl.LOCK_EX)
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)
        os.close(held)


def _is_left(folder: Path) -> bool:
    """Whether a folder is one of these, belongs to this user, and is no longer in use."""
    state = StateFolder(folder / STATE)
    if folder.is_symlink() or not folder.is_dir() or folder.stat().st_uid != os.geteuid():
        return False
    there = {entry.name for entry in folder.iterdir()}
    if there != {_LOCK} and (there != {STATE, _LOCK} or not state.exists or state.can_continue):
        return False
    descriptor = os.open(folder / _LOCK, os.O_RDWR)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    finally:
        os.close(descriptor)
    return not state.is_running


def _bytes_in(folder: Path) -> int:
    """What a folder's files take on the disk; what is linked elsewhere too counts here as well."""
    return sum(file.lstat().st_blocks * 512 for file in folder.rglob("*"))


@contextmanager
def _locked(folder: Path) -> Iterator[None]:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)
