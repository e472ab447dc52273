"""Where tests put what does not outlive them: in memory, where there is plenty of it.

A database is three hundred files, and a file system on a disk looks long for a number for a new file while those that
were just removed still have theirs. To make and to remove them takes it a quarter of all that the tests take of the
processor.
"""

import os
import shutil
from pathlib import Path

import psutil

_MEMORY = Path("/dev/shm")  # noqa: S108 - no guess at a temporary file's name, but Linux's file system in memory


def in_memory(plenty_bytes: int = 8 * 2**30) -> Path | None:
    """The folder for what is kept in memory; None: less than this is free, or no program may be run from there."""
    if not os.access(_MEMORY, os.W_OK) or os.statvfs(_MEMORY).f_flag & os.ST_NOEXEC:
        return None
    free = min(shutil.disk_usage(_MEMORY).free, psutil.virtual_memory().available)
    return _MEMORY if free >= plenty_bytes else None
