"""Lets another user through folders that are closed to others, for as long as one of its processes needs to pass.

PostgreSQL does not run as root, and the user that it runs as has to get to its files: through `/root`, say. Such a
folder is opened to be passed, not to be listed, and is as it was when the last server that passes it has ended. Each
holds a shared lock on it, which goes with the process however that ends; what the folder's mode was stands in an
extended attribute of the folder itself, so that it is found after a kill -9 too.
"""

import fcntl
import os
import stat
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

_MODE_BEFORE = "user.totes.mode_before"
"""Where a file system keeps no such attribute, a folder stays open."""


class FolderAccess:
    """Access through some folders.

    Attributes:
        locks: file descriptors; the folders stay open while any process holds one.
    """

    def __init__(self, folders: Iterable[Path]) -> None:
        """Open those of the folders that are closed to others."""
        self.locks: list[int] = []
        for folder in folders:
            if _is_open(folder):
                continue
            descriptor = os.open(folder, os.O_RDONLY)
            with suppress(OSError):  # where a file system has no locks, it has no attributes either
                fcntl.flock(descriptor, fcntl.LOCK_SH)
            if _opened(descriptor):
                self.locks.append(descriptor)
            else:
                os.close(descriptor)

    def close(self) -> None:
        """Release the locks here; the processes that have them now keep the folders open."""
        while self.locks:
            os.close(self.locks.pop())


def restore_modes(folders: Iterable[Path]) -> None:
    """Give folders the mode that they had, where nobody passes any longer."""
    for folder in folders:
        try:
            descriptor = os.open(folder, os.O_RDONLY)
        except OSError:  # it is gone
            continue
        try:
            before = _mode_before(descriptor)
            if before is None:
                continue
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            if _mode(descriptor) == before | stat.S_IXOTH:  # else somebody has changed it meanwhile
                os.fchmod(descriptor, before)
            os.removexattr(descriptor, _MODE_BEFORE)
        except OSError:  # another server passes
            continue
        finally:
            os.close(descriptor)


def _is_open(folder: Path) -> bool:
    """Whether a folder was open before anybody needed to pass, and so is nothing of ours."""
    return bool(folder.stat().st_mode & stat.S_IXOTH) and _mode_before(folder) is None


def _opened(descriptor: int) -> bool:
    """Open a folder; say whether it has to be closed again."""
    mode = _mode(descriptor)
    if not mode & stat.S_IXOTH:
        with suppress(OSError):
            os.setxattr(descriptor, _MODE_BEFORE, f"{mode:o}".encode())
        os.fchmod(descriptor, mode | stat.S_IXOTH)
    return _mode_before(descriptor) is not None


def _mode(descriptor: int) -> int:
    return stat.S_IMODE(os.fstat(descriptor).st_mode)


def _mode_before(folder: int | Path) -> int | None:
    try:
        return int(os.getxattr(folder, _MODE_BEFORE), 8)
    except OSError:
        return None
